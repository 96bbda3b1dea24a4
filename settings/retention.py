"""How long each kind of log is kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator
from pydantic.alias_generators import to_camel

from components.common.aws_limits import ACCESS_LOG_DAYS, LOG_RETENTION_DAYS
from settings.errors import check
from settings.values import Section, Whole

LogDays = Annotated[
    Whole, Field(description="a retention that CloudWatch Logs accepts: " + ", ".join(map(str, LOG_RETENTION_DAYS)))
]


class Retention(Section):
    """How long logs are kept, in days."""

    application_log_days: LogDays = 90
    """Logs of the containers."""
    flow_log_days: LogDays = 90
    """VPC flow logs and DNS query logs."""
    firewall_log_days: LogDays = 90
    """WAF logs."""
    edge_access_log_days: Whole = Field(default=30, ge=1, le=ACCESS_LOG_DAYS)
    """ALB access logs. They contain full request lines with query strings, so they are kept for at most 30 days."""

    unmasked_logs: bool = False
    """Whether CloudWatch Logs leaves e-mail addresses, tokens and keys in log lines visible and unreported. Omitted: it searches
    each line, masks them, and an alarm reports them, for 0.12 USD for each GB of logs or less."""

    @field_validator("application_log_days", "flow_log_days", "firewall_log_days")
    @classmethod
    def _accepted_by_cloudwatch(cls, value: int, info: ValidationInfo) -> int:
        check(
            value in LOG_RETENTION_DAYS,
            key=f"retention.{to_camel(str(info.field_name))}",
            value=str(value),
            allowed="a retention that CloudWatch Logs accepts: " + ", ".join(map(str, LOG_RETENTION_DAYS)),
            fix=f"set it to {min(LOG_RETENTION_DAYS, key=lambda d: abs(d - value))}",
        )
        return value
