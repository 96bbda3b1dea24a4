"""The alarms of ``EdgeAlarms`` on the web ACL, the zones and the certificates."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import pulumi

from components.monitoring.alarm import LESS, AlarmSpec, Combination, Series, Severity

DAY = 86_400
QUARTER: dict[str, Any] = {"period_seconds": 300, "periods": 3, "periods_to_alarm": 3}
DAYS_TO_EXPIRY = 30
"""ACM renews its certificates 60 days before they expire
(https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html), so a month before nothing has renewed it."""
RATE_LIMITED = 100


class EdgeParts(Protocol):
    """The arguments that these alarms read."""

    @property
    def region(self) -> str:
        """The region of the metrics."""
        ...

    @property
    def firewall_metric_name(self) -> pulumi.Output[str] | None:
        """The web ACL's CloudWatch name."""
        ...

    @property
    def firewall_blocked_per_five_minutes(self) -> int:
        """The threshold of the alarm on blocked requests."""
        ...

    @property
    def rate_rules(self) -> list[str]:
        """The rate rules by address."""
        ...

    @property
    def availability_zones(self) -> list[str]:
        """The zones in which tasks serve."""
        ...

    @property
    def minimum_tasks(self) -> int:
        """The number of tasks that always run."""
        ...

    @property
    def certificates(self) -> int:
        """The number of certificates."""
        ...

    @property
    def certificate_arns(self) -> pulumi.Output[list[str]] | None:
        """The certificates."""
        ...

    @property
    def canary_expected(self) -> bool:
        """Whether something outside requests the canary path."""
        ...


def zone_and_certificate_specs(args: EdgeParts, targets: Mapping[str, pulumi.Input[str]]) -> Iterator[AlarmSpec]:
    """A zone without a healthy host, while others have one, and a certificate that is not renewed."""
    expected = min(args.minimum_tasks, len(args.availability_zones))  # ECS spreads the tasks over the zones
    if expected > 1:  # A single task that serves is never in fewer zones than it could be.
        ids = [f"m{number}" for number in range(1, len(args.availability_zones) + 1)]
        yield AlarmSpec(
            role="zone-without-hosts",
            sentence="Tasks have served in fewer zones than they could for a quarter of an hour: the loss of another zone may be an outage",
            severity=Severity.TICKET,
            namespace="AWS/ApplicationELB",
            metric="HealthyHostCount",
            statistic="Maximum",
            threshold=expected,
            comparison=LESS,
            series=[Series(dimensions={"AvailabilityZone": zone}) for zone in args.availability_zones],
            # A zone without a registered target has no data. While no zone has any, other alarms fire.
            expression=f"IF(MAX([{', '.join(ids)}]) >= 1, {' + '.join(f'IF(FILL({one}, 0) >= 1, 1, 0)' for one in ids)}, {len(ids)})",
            label="Zones with a healthy host",
            dimensions=targets,
            **QUARTER,
        )
    if args.certificate_arns is not None:
        arns = args.certificate_arns
        yield AlarmSpec(
            role="certificate-expiring",
            sentence=f"A certificate of the load balancer expires in less than {DAYS_TO_EXPIRY} days",
            severity=Severity.TICKET,
            namespace="AWS/CertificateManager",
            metric="DaysToExpiry",
            statistic="Minimum",
            threshold=DAYS_TO_EXPIRY,
            comparison=LESS,
            # ACM publishes it twice a day.
            period_seconds=DAY,
            periods=1,
            periods_to_alarm=1,
            series=[
                Series(dimensions={"CertificateArn": arns.apply(lambda known, number=number: known[number])})
                for number in range(args.certificates)
            ],
            label="Days of the first that expires",
        )


def firewall_specs(args: EdgeParts) -> Iterator[AlarmSpec]:
    """Blocked requests, apart from rate limits, rate limits, and the canary of a monitor outside."""
    if args.firewall_metric_name is None:
        return
    acl: dict[str, pulumi.Input[str]] = {"WebACL": args.firewall_metric_name, "Region": args.region}

    def spec(role: str, sentence: str, severity: Severity, threshold: int, rules: list[str], **more: Any) -> AlarmSpec:  # noqa: ANN401 - fields of AlarmSpec
        several: dict[str, Any] = {"series": [Series(dimensions={"Rule": one}) for one in rules]}
        one: dict[str, Any] = {"dimensions": {**acl, "Rule": rules[0]}}
        values: dict[str, Any] = {"period_seconds": 300, "periods": 1, "periods_to_alarm": 1, **more}
        return AlarmSpec(
            role=role,
            sentence=sentence,
            severity=severity,
            namespace="AWS/WAFV2",
            metric="BlockedRequests",
            statistic="Sum",
            threshold=threshold,
            **({"dimensions": acl, **several} if len(rules) > 1 else one),
            **values,
        )

    limits = [f"FILL(m{number}, 0)" for number in range(2, len(args.rate_rules) + 2)]
    apart = {"expression": f"m1 - ({' + '.join(limits)})"} if args.rate_rules else {}
    yield spec(
        "firewall-blocked",
        "The WAF blocks an unusual number of requests: an attack, or a rule that blocks users",
        Severity.PAGE,
        args.firewall_blocked_per_five_minutes,
        ["ALL", *args.rate_rules],
        **apart,
        label="Blocked requests, rate limits apart",
    )
    if args.rate_rules:
        yield spec(
            "rate-limited",
            f"More than {RATE_LIMITED} requests in five minutes exceed the limits for one address, for a quarter of an hour: "
            "an attack, or an office whose people share an address",
            Severity.TICKET,
            RATE_LIMITED,
            args.rate_rules,
            **({"combination": Combination.SUM} if len(args.rate_rules) > 1 else {}),
            **QUARTER,
        )
    if args.canary_expected:
        yield spec(
            "canary-silent",
            "The monitor outside AWS has not reached the web ACL's canary for a quarter of an hour: the load balancer is not "
            "reachable, or the monitor has stopped",
            Severity.PAGE,
            1,
            ["canary"],
            comparison=LESS,
            missing_data="breaching",
            **QUARTER,
        )
