"""The firewall in front of the edge: a web ACL made from the table in ``firewall_rules``, its association and its log.

It deliberately does not look into bodies beyond what AWS shows (8,192 bytes) and does not inspect WebSocket frames;
the proxy enforces sizes and times for real.
"""

from typing import Any, Optional

import pulumi
import pulumi_aws as aws
from pydantic import Field, model_validator

from components.args import Args
from components.edge_rules import OPEN_WEBUI
from components.firewall_rules import Application, Limits, firewall_rules
from components.firewall_table import (
    CAPACITY_IN_BASE_PRICE,
    HIGHEST_CAPACITY,
    LOWEST_RATE,
    Action,
    Rule,
    check_table,
    observe,
)
from components.log_delivery import delivery_policy

SESSION_SHARDS = 4
"""The load balancer cuts a session of at most 11 KB into shards of at most 4 KB; one more, to be sure."""


class FirewallLimitsArgs(Args):
    """Sizes in bytes and rates; each refuses with a body that says the limit."""

    prompt_bytes: int = Field(default=2 * 1024 * 1024, ge=1)
    """Largest declared body outside the upload paths."""
    upload_bytes: int = Field(default=50 * 1024 * 1024, ge=1)
    """Largest declared body on the upload paths."""
    cookie_bytes: int = Field(default=16_384, ge=4096)
    """All cookies of a request."""
    header_bytes: int = Field(default=32_768, ge=1024)
    """All headers; the firewall holds each single one to half of what it can see, the proxy their sum to this."""
    query_bytes: int = Field(default=4096, ge=512)
    """The query string; the login callback may have 8,192 in any case."""
    uri_bytes: int = Field(default=2048, ge=256)
    """The path."""
    pages_per_five_minutes: int = Field(default=3000, ge=LOWEST_RATE)
    """Requests that are neither uploads nor model calls, for one address and for one session."""
    uploads_per_five_minutes: int = Field(default=100, ge=LOWEST_RATE)
    """Uploads, for one address and for one session."""
    model_calls_per_five_minutes: int = Field(default=300, ge=LOWEST_RATE)
    """Model calls, for one address and for one session."""


class FirewallArgs(Args):
    """What a firewall is made of."""

    load_balancer_arn: pulumi.Output[str]
    """The load balancer that it protects."""
    account_id: str
    """The account whose firewall may write to the log."""
    region: str
    """The region whose firewall may write to the log."""
    limits: FirewallLimitsArgs = Field(default_factory=FirewallLimitsArgs)
    """Sizes and rates."""
    upload_paths: list[str] = Field(default_factory=lambda: list(OPEN_WEBUI.uploads), min_length=1)
    """Prefixes of paths that take files. Omitted: Open WebUI's."""
    model_call_paths: list[str] = Field(default_factory=lambda: list(OPEN_WEBUI.model_calls), min_length=1)
    """Prefixes of paths that make a model work. Omitted: Open WebUI's."""
    prompt_paths: list[str] = Field(default_factory=lambda: list(OPEN_WEBUI.prompts))
    """Prefixes of further paths whose bodies hold what people wrote. Omitted: Open WebUI's."""
    methods: list[str] = Field(default_factory=lambda: ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"])
    """Methods that are let in."""
    trusted_headers: list[str] = Field(
        default_factory=lambda: ["x-amzn-oidc-accesstoken", "x-amzn-oidc-data", "x-amzn-oidc-identity"]
    )
    """Headers that only the edge and the proxy may set; a client that sends one is refused."""
    session_cookie_name: str = "AWSELBAuthSessionCookie"
    """The load balancer's session cookie, without the shard's number."""
    protected_cookies: list[str] = Field(default_factory=lambda: ["token"])
    """Further cookies that never reach a log. Omitted: the application's session token."""
    count_only_rules: list[str] = Field(default_factory=list[str])
    """Rules, by key, that count instead of blocking, so that a new one is watched before it blocks. Omitted: none."""
    capacity_limit: int = Field(default=CAPACITY_IN_BASE_PRICE, ge=1, le=HIGHEST_CAPACITY)
    """The most capacity units that the rules may need. Omitted: what the base price holds."""
    log_retention_days: int
    """How long the log is kept; a value that CloudWatch Logs accepts."""
    log_key_arn: Optional[pulumi.Output[str]] = None
    """The KMS key of the log group. Omitted: encrypted with the key that CloudWatch Logs owns."""
    tags: dict[str, str]
    """Tags of every resource."""

    def rules(self) -> tuple[Rule, ...]:
        """The table for these arguments."""
        return observe(
            firewall_rules(
                Limits(
                    prompt_bytes=self.limits.prompt_bytes,
                    upload_bytes=self.limits.upload_bytes,
                    cookie_bytes=self.limits.cookie_bytes,
                    header_bytes=self.limits.header_bytes,
                    query_bytes=self.limits.query_bytes,
                    uri_bytes=self.limits.uri_bytes,
                    pages_per_window=self.limits.pages_per_five_minutes,
                    uploads_per_window=self.limits.uploads_per_five_minutes,
                    model_calls_per_window=self.limits.model_calls_per_five_minutes,
                ),
                Application(
                    upload_paths=tuple(self.upload_paths),
                    model_call_paths=tuple(self.model_call_paths),
                    prompt_paths=tuple(self.prompt_paths),
                    methods=tuple(self.methods),
                    trusted_headers=tuple(self.trusted_headers),
                    session_cookie=self.session_cookie_name,
                ),
            ),
            self.count_only_rules,
        )

    @model_validator(mode="after")
    def _aws_takes_the_table(self) -> "FirewallArgs":
        check_table(self.rules(), self.capacity_limit)
        return self


class Firewall(pulumi.ComponentResource):
    """A WAFv2 web ACL on a load balancer, with a log that holds no cookie, token or query string."""

    web_acl_arn: pulumi.Output[str]
    """The web ACL."""
    web_acl_name: pulumi.Output[str]
    """Its name: the dimension of its metrics."""
    log_group_arn: pulumi.Output[str]
    """The log group."""

    def __init__(self, name: str, args: FirewallArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        args = FirewallArgs.model_validate(args)
        super().__init__("ai-interface:index:Firewall", name, {}, opts)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self._physical_name = f"{pulumi.get_project()}-{pulumi.get_stack()}-{name}"

        acl = self._web_acl()
        aws.wafv2.WebAclAssociation(
            f"{name}-edge", resource_arn=args.load_balancer_arn, web_acl_arn=acl.arn, opts=self._child
        )
        group = self._log(acl)

        self.web_acl_arn = acl.arn
        self.web_acl_name = acl.name
        self.log_group_arn = group.arn
        self.register_outputs(
            {
                "web_acl_arn": self.web_acl_arn,
                "web_acl_name": self.web_acl_name,
                "log_group_arn": self.log_group_arn,
            }
        )

    def _tags(self, role: str) -> dict[str, str]:
        return {**self._args.tags, "Name": f"{self._name}-{role}"}

    def _web_acl(self) -> aws.wafv2.WebAcl:
        rules = self._args.rules()
        return aws.wafv2.WebAcl(
            f"{self._name}-acl",
            name=self._physical_name,
            description="Sizes, rates, forged headers and known attacks, before anything is logged in or forwarded",
            scope="REGIONAL",
            default_action={"allow": {}},
            rules=[_rule(rule) for rule in rules],
            custom_response_bodies=[
                {"key": rule.key, "content": f"{rule.body}\n", "content_type": "TEXT_PLAIN"}
                for rule in sorted(rules, key=lambda rule: rule.key)
                if rule.action is Action.BLOCK
            ],
            data_protection_config={"data_protections": self._protections()},
            visibility_config=_visibility(self._physical_name),
            tags=self._tags("acl"),
            opts=self._child,
        )

    def _cookies(self) -> list[str]:
        shards = [f"{self._args.session_cookie_name}-{number}" for number in range(SESSION_SHARDS)]
        return sorted({*shards, *self._args.protected_cookies})

    def _protections(self) -> list[dict[str, Any]]:
        """Substituted wherever AWS would show them, logs and samples alike; rules still see the real values."""
        fields: list[dict[str, Any]] = [
            *({"field_type": "SINGLE_COOKIE", "field_keys": [cookie]} for cookie in self._cookies()),
            *({"field_type": "SINGLE_HEADER", "field_keys": [name]} for name in ("authorization", "cookie")),
            {"field_type": "QUERY_STRING"},
            {"field_type": "BODY"},
        ]
        return [{"action": "SUBSTITUTION", "field": what} for what in fields]

    def _log(self, acl: aws.wafv2.WebAcl) -> aws.cloudwatch.LogGroup:
        args = self._args
        group = aws.cloudwatch.LogGroup(
            f"{self._name}-log",
            name=f"aws-waf-logs-{self._physical_name}",
            retention_in_days=args.log_retention_days,
            kms_key_id=args.log_key_arn,
            tags=self._tags("log"),
            opts=self._child,
        )
        permission = aws.cloudwatch.LogResourcePolicy(
            f"{self._name}-log",
            policy_name=f"aws-waf-logs-{self._physical_name}",
            policy_document=group.arn.apply(lambda arn: delivery_policy(arn, args.account_id, args.region)),
            opts=self._child,
        )
        aws.wafv2.WebAclLoggingConfiguration(
            f"{self._name}-log",
            resource_arn=acl.arn,
            log_destination_configs=[group.arn],
            redacted_fields=[
                *(
                    {"single_header": {"name": header}}
                    for header in ("authorization", "cookie", *sorted(args.trusted_headers))
                ),
                {"query_string": {}},
            ],
            logging_filter={
                "default_behavior": "DROP",
                "filters": [
                    {
                        "behavior": "KEEP",
                        "requirement": "MEETS_ANY",
                        "conditions": [
                            {"action_condition": {"action": action}}
                            for action in ("BLOCK", "COUNT", "EXCLUDED_AS_COUNT")
                        ],
                    }
                ],
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permission]),
        )
        return group


def _visibility(metric: str) -> dict[str, Any]:
    """Metrics always; samples never: they would show requests to everyone who may look at the firewall."""
    return {"cloudwatch_metrics_enabled": True, "metric_name": metric, "sampled_requests_enabled": False}


def _rule(rule: Rule) -> dict[str, Any]:
    """A row of the table as AWS takes it."""
    made: dict[str, Any] = {
        "name": rule.key,
        "priority": rule.priority,
        "statement": rule.statement,
        "visibility_config": _visibility(rule.key),
    }
    if rule.labels:
        made["rule_labels"] = [{"name": label} for label in rule.labels]
    if "managed_rule_group_statement" in rule.statement:
        made["override_action"] = {"count": {}} if rule.action is Action.COUNT else {"none": {}}
    elif rule.action is Action.COUNT:
        made["action"] = {"count": {}}
    else:
        response: dict[str, Any] = {"response_code": rule.status, "custom_response_body_key": rule.key}
        if rule.headers:
            response["response_headers"] = [{"name": name, "value": value} for name, value in rule.headers]
        made["action"] = {"block": {"custom_response": response}}
    return made
