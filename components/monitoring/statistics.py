"""The statistics that a CloudWatch alarm accepts.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html (``Statistic`` and
``ExtendedStatistic``) and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html.
"""

import re

STATISTICS = ("Average", "Maximum", "Minimum", "SampleCount", "Sum")
"""Set as ``statistic``."""

_PERCENT = r"(100(\.0+)?|[1-9]?\d(\.\d{1,10})?)"
_VALUE = r"\d+(\.\d+)?"
_TRIMMED = r"([1-8]\d(\.\d{1,10})?|90(\.0+)?)%"
EXTENDED_STATISTIC = re.compile(
    rf"p{_PERCENT}|(tm|tc|ts|wm){_PERCENT}|IQM|PR\(({_VALUE})?:({_VALUE})?\)"
    rf"|(TM|TC|TS|WM)\((({_TRIMMED})?:({_TRIMMED})?|({_VALUE})?:({_VALUE})?)\)"
)
"""Set as ``extendedStatistic``: percentiles (``p99.9``), trimmed means, counts and sums (``tm90``, ``TM(10%:90%)``),
winsorized means (``wm95``), the interquartile mean and percentile ranks (``PR(0:2000)``)."""
_EMPTY = re.compile(r"\(:\)")


def is_extended(statistic: str) -> bool:
    """Whether an alarm sets the statistic as ``extendedStatistic``. Raises ``ValueError`` for a statistic that
    CloudWatch does not accept."""
    if statistic in STATISTICS:
        return False
    if EXTENDED_STATISTIC.fullmatch(statistic) and not _EMPTY.search(statistic):
        return True
    raise ValueError(
        f"statistic {statistic!r}: CloudWatch accepts {', '.join(STATISTICS)}, percentiles such as p99 or p99.9, tm90, tc90, "
        "ts90, wm90, IQM, and ranges such as TM(10%:90%) or PR(0:2000)"
    )


def is_percentile(statistic: str) -> bool:
    """Whether a statistic is a percentile, for which CloudWatch can ignore periods with few samples."""
    return statistic.startswith("p") and is_extended(statistic)
