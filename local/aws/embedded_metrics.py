"""The metrics that CloudWatch Logs extracts from a message in the embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html: each
directive names metrics and sets of dimensions; values are members of the message, a number or a list of numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from local.signals import Metrics

_MILLISECONDS = 1000


def extract(message: str, metrics: Metrics) -> None:
    """Emit the metrics of a message. One that has another format has none, as in CloudWatch."""
    if '"_aws"' not in message:
        return
    try:
        content: Mapping[str, Any] = json.loads(message)
        at = float(content["_aws"]["Timestamp"]) / _MILLISECONDS
        for directive in content["_aws"]["CloudWatchMetrics"]:
            for named in directive["Dimensions"]:
                dimensions = {str(one): str(content[one]) for one in named}
                for metric in directive["Metrics"]:
                    for value in _values(content.get(metric["Name"])):
                        metrics.put(str(directive["Namespace"]), str(metric["Name"]), value, at, dimensions)
    except (ValueError, LookupError, TypeError):
        return


def _values(value: object) -> list[float]:
    several = cast("list[object]", value) if isinstance(value, list) else [value]
    return [float(one) for one in several if isinstance(one, int | float)]
