"""Data protection of log groups: personal data and secrets are masked, and each detection is reported and alarmed.

It is the second net. The first is that each program writes no user's data (``components.applications.private_log``, the
proxy's log format, the database's parameters). CloudWatch Logs searches each line when it arrives and masks what it finds for
everyone without the permission ``logs:Unmask``; earlier lines stay as they are. It knows patterns only: titles, prompts and
file names have none. A report contains the log group, the kind of data and its position, not the data.
"""

import json
from typing import Any

import pulumi
import pulumi_aws as aws

from components.args import Args
from components.common.log_delivery import delivery_policy
from components.component import Component
from components.monitoring.alarm import AlarmSpec, Severity, arns_of, make_alarms

IDENTIFIERS = (
    "AwsSecretKey",
    "CreditCardNumber",
    "EmailAddress",
    "OpenSshPrivateKey",
    "PgpPrivateKey",
    "PkcsPrivateKey",
    "PuttyPrivateKey",
)
"""AWS's identifiers, of those that need no country. ``Name`` is not among them: it would mask words that troubleshooting needs."""
CUSTOM = {"ModelProviderKey": "sk-[A-Za-z0-9_-]{20,}", "JsonWebToken": "eyJ[A-Za-z0-9_-]{10,}[.]eyJ[A-Za-z0-9_-]{10,}"}
"""Name → pattern: session tokens, the identity provider's tokens, and keys of model providers. At most 10, of 200 characters each
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL-custom-data-identifiers.html)."""


class LogProtectionArgs(Args):
    """Arguments of ``LogProtection``."""

    environment: str
    """Part of the names of the findings' log group and of the alarm."""
    region: str
    """The region of the log groups."""
    account_id: str
    """The account of the log groups."""
    roles: list[str]
    """The log groups that may receive what a user or a client wrote, by parts of logical names."""
    log_group_names: pulumi.Output[dict[str, str]]
    """Role → log group, for each of ``roles``."""
    key_arn: pulumi.Output[str]
    """Encrypts the findings."""
    log_retention_days: int = 90
    """How long findings are kept."""
    alarm_topic_arn: pulumi.Output[str]
    """The topic for pages."""
    ticket_topic_arn: pulumi.Output[str]
    """The topic for tickets, to which the alarm belongs."""
    runbook_url: str
    """The alarm links to ``<runbook_url>#<alarm>``."""
    tags: dict[str, str]
    """Tags of every resource."""


class LogProtection(Component):
    """A data protection policy for each log group, one log group for the findings, and an alarm on the first finding."""

    findings_log_group_name: pulumi.Output[str]
    """The log group that receives a report for each line with a detection."""
    alarm_arns: pulumi.Output[list[str]]
    """The ARN of the alarm."""

    def __init__(self, name: str, args: LogProtectionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = LogProtectionArgs.model_validate(args)
        super().__init__("ai-interface:index:LogProtection", name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        findings = aws.cloudwatch.LogGroup(
            f"{name}-findings",
            name=f"/ai-interface/{args.environment}/findings",
            retention_in_days=args.log_retention_days,
            kms_key_id=args.key_arn,
            tags=args.tags,
            opts=child,
        )
        permission = aws.cloudwatch.LogResourcePolicy(
            f"{name}-findings",
            policy_name=f"ai-interface-{args.environment}-findings",
            policy_document=findings.arn.apply(lambda arn: delivery_policy(arn, args.account_id, args.region)),
            opts=child,
        )
        for role in sorted(args.roles):
            aws.cloudwatch.LogDataProtectionPolicy(
                f"{name}-{role}",
                log_group_name=args.log_group_names[role],
                policy_document=findings.name.apply(lambda one: protection_policy(args.environment, one)),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[permission]),
            )
        self.alarm_arns = arns_of(make_alarms(name, [self._alarm(findings.name)], args, child))
        self.findings_log_group_name = findings.name
        self.register_outputs({"alarmArns": self.alarm_arns, "findingsLogGroupName": self.findings_log_group_name})

    def _alarm(self, findings: pulumi.Output[str]) -> AlarmSpec:
        # Each finding is one event in this log group. AWS's own metric of findings has a dimension for each policy.
        return AlarmSpec(
            role="log-findings",
            severity=Severity.TICKET,
            sentence="A log contains an e-mail address, a token or a key, which CloudWatch Logs has masked",
            namespace="AWS/Logs",
            metric="IncomingLogEvents",
            statistic="Sum",
            threshold=0,
            period_seconds=300,
            periods=1,
            periods_to_alarm=1,
            dimensions={"LogGroupName": findings},
        )


def protection_policy(environment: str, findings_log_group: str) -> str:
    """The policy of a log group: report each detection to this log group, and mask it.

    Both statements must have the same identifiers, and ``MaskConfig`` must be empty
    (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutDataProtectionPolicy.html).
    """
    identifiers = [*(f"arn:aws:dataprotection::aws:data-identifier/{one}" for one in IDENTIFIERS), *sorted(CUSTOM)]
    audit = {"FindingsDestination": {"CloudWatchLogs": {"LogGroup": findings_log_group}}}
    document: dict[str, Any] = {
        "Name": f"ai-interface-{environment}",
        "Version": "2021-06-01",
        "Configuration": {
            "CustomDataIdentifier": [{"Name": name, "Regex": pattern} for name, pattern in sorted(CUSTOM.items())]
        },
        "Statement": [
            {"Sid": "Report", "DataIdentifier": identifiers, "Operation": {"Audit": audit}},
            {"Sid": "Mask", "DataIdentifier": identifiers, "Operation": {"Deidentify": {"MaskConfig": {}}}},
        ],
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"))
