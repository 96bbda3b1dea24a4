"""The web ACL in front of the edge, generated from the table in ``rules.py``, with its association and its log.

It can inspect only the first 8,192 bytes of a body, and no WebSocket frames. The proxy enforces sizes and times.
"""

from typing import Any, cast

import pulumi
import pulumi_aws as aws

from components.common.log_delivery import delivery_policy
from components.component import Component
from components.waf.args import FirewallArgs
from components.waf.managed import detections
from components.waf.table import COUNT_ONLY, Action, Rule

SESSION_SHARDS = 4
"""The load balancer splits a session of at most 11 KB into cookies of at most 4 KB. One more is included as a
reserve."""


class Firewall(Component):
    """A WAFv2 web ACL on a load balancer, with a log that contains no cookie, token or query string."""

    web_acl_arn: pulumi.Output[str]
    """The web ACL."""
    web_acl_name: pulumi.Output[str]
    """The web ACL's name, which is the dimension of its metrics."""
    log_group_arn: pulumi.Output[str]
    """The log group."""
    log_group_name: pulumi.Output[str]
    """The log group's name."""

    def __init__(self, name: str, args: FirewallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = FirewallArgs.model_validate(args)
        super().__init__("ai-interface:index:Firewall", name, args, opts)
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
        self.log_group_name = group.name
        self.register_outputs(
            {
                "webAclArn": self.web_acl_arn,
                "webAclName": self.web_acl_name,
                "logGroupArn": self.log_group_arn,
                "logGroupName": self.log_group_name,
            }
        )

    @property
    def rate_rules(self) -> list[str]:
        """The names of the rate rules by address, whose metrics have them as ``Rule``."""
        rules = (rule.key for rule in self._args.rules())
        return sorted(key for key in rules if key.startswith("rate-") and not key.endswith("-session"))

    def _tags(self, role: str) -> dict[str, str]:
        return {**self._args.tags, "Name": f"{self._name}-{role}"}

    def _web_acl(self) -> aws.wafv2.WebAcl:
        networks = self._office_networks()
        rules = self._args.rules(networks.arn if networks else "")
        return aws.wafv2.WebAcl(
            f"{self._name}-acl",
            name=self._physical_name,
            description="Blocks oversized requests, excessive rates, forged headers and known attacks, before the login",
            scope="REGIONAL",
            default_action={"allow": {}},
            # The table's statements are plain mappings in the SDK's structure, which is nested too deeply for its
            # types.
            rules=cast("list[aws.wafv2.WebAclRuleArgsDict]", [_rule(rule) for rule in rules]),
            custom_response_bodies=[
                {"key": key, "content": f"{body}\n", "content_type": "TEXT_PLAIN"}
                for key, body in sorted(
                    {rule.body_key: rule.body for rule in rules if rule.action is Action.BLOCK}.items()
                )
            ],
            data_protection_config={"data_protections": self._protections()},
            visibility_config=_visibility(self._physical_name),
            tags=self._tags("acl"),
            opts=self._child,
        )

    def _office_networks(self) -> aws.wafv2.IpSet | None:
        if not self._args.office_cidr_blocks:
            return None
        return aws.wafv2.IpSet(
            f"{self._name}-office-networks",
            name=f"{self._physical_name}-office-networks",
            description="Networks whose users share few addresses",
            scope="REGIONAL",
            ip_address_version="IPV4",
            addresses=sorted(self._args.office_cidr_blocks),
            tags=self._tags("office-networks"),
            opts=self._child,
        )

    def _cookies(self) -> list[str]:
        shards = [f"{self._args.session_cookie_name}-{number}" for number in range(SESSION_SHARDS)]
        return sorted({*shards, *self._args.protected_cookies})

    def _protections(self) -> list[aws.wafv2.WebAclDataProtectionConfigDataProtectionArgsDict]:
        """Values redacted in logs and samples. Rules still match the real values."""
        fields: list[aws.wafv2.WebAclDataProtectionConfigDataProtectionFieldArgsDict] = [
            *({"field_type": "SINGLE_COOKIE", "field_keys": [cookie]} for cookie in self._cookies()),
            *({"field_type": "SINGLE_HEADER", "field_keys": [name]} for name in ("authorization", "cookie")),
            {"field_type": "QUERY_STRING"},
            {"field_type": "BODY"},
        ]
        return [{"action": "SUBSTITUTION", "field": what} for what in fields]

    def _kept(self) -> list[aws.wafv2.WebAclLoggingConfigurationLoggingFilterFilterConditionArgsDict]:
        """The log filter: it keeps every block, requests that AWS's rules detected as attacks, and matches of
        count-only rules.

        Nearly every request matches a labelling rule (COUNT), and each prompt above 8 KB matches AWS's size rule
        (EXCLUDED_AS_COUNT), so the filter does not keep records by these actions, but by the labels of real detections.
        Labels are compared as a whole: a web ACL's own labels begin with ``awswaf:<account>:webacl:<name>:``.
        """
        rules = self._args.rules()
        own = f"awswaf:{self._args.account_id}:webacl:{self._physical_name}:"
        watched = [f"{own}{label}" for rule in rules for label in rule.labels if label.startswith(COUNT_ONLY)]
        # A group in count mode as a whole has no specific label, so every count is kept while it is observed.
        actions = ["BLOCK", *(["COUNT"] if any(r.is_group and r.action is Action.COUNT for r in rules) else [])]
        return [
            *({"action_condition": {"action": action}} for action in actions),
            *({"label_name_condition": {"label_name": label}} for label in sorted([*detections(), *watched])),
        ]

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
                "filters": [{"behavior": "KEEP", "requirement": "MEETS_ANY", "conditions": self._kept()}],
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permission]),
        )
        return group


def _visibility(metric: str) -> aws.wafv2.WebAclVisibilityConfigArgsDict:
    """Metrics without sampled requests: samples would show requests to every principal that can read the web ACL."""
    return {"cloudwatch_metrics_enabled": True, "metric_name": metric, "sampled_requests_enabled": False}


def _rule(rule: Rule) -> dict[str, Any]:
    """A row of the table in AWS's structure."""
    made: dict[str, Any] = {
        "name": rule.key,
        "priority": rule.priority,
        "statement": rule.statement,
        "visibility_config": _visibility(rule.key),
    }
    if rule.labels:
        made["rule_labels"] = [{"name": label} for label in rule.labels]
    if rule.is_group:
        made["override_action"] = {"count": {}} if rule.action is Action.COUNT else {"none": {}}
    elif rule.action is Action.COUNT:
        made["action"] = {"count": {}}
    else:
        response: dict[str, Any] = {"response_code": rule.status, "custom_response_body_key": rule.body_key}
        if rule.headers:
            response["response_headers"] = [{"name": name, "value": value} for name, value in rule.headers]
        made["action"] = {"block": {"custom_response": response}}
    return made
