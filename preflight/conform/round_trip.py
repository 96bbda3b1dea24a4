"""Values are declared in the form in which AWS returns them, so that the preview after a deployment is empty.

The provider compares what a program declares with what AWS returns. If AWS returns another form and the provider does not
treat the two as equal, every preview shows a change that no update removes, and a drift check never passes. ``TABLE``
lists for each property how AWS returns it, with the source. If the provider (the Terraform AWS provider that pulumi-aws
bridges) suppresses the difference, the table names the mechanism, and nothing is reported.

Not covered are defaults that AWS fills in (the provider treats them as computed values), the order of sets (the provider
compares sets), and values that AWS changes itself, such as a minor version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import cast

from preflight.conform import normal_forms as forms
from preflight.findings import Finding, Verdict
from preflight.recording.recorder import RecordedResource, Recording
from preflight.sdk.wire import SECRET, Json, Wire, is_signed, mask, unwrap

PACK = "conform"
RULE = "conform-round-trip"
_PROVIDER = "https://github.com/hashicorp/terraform-provider-aws"
_LONGEST_SHOWN = 160


@dataclass(frozen=True, slots=True)
class Form:
    """How AWS returns one property of a type."""

    type: str
    """A pattern of type tokens."""
    path: str
    """Dotted path from the inputs; ``*`` is each item of a list, ``**`` any depth. Empty: the inputs themselves."""
    form: Callable[[Json], Json]
    source: str
    suppressed_by: str = ""
    """The mechanism by which the provider treats both forms as equal; empty if there is none."""

    def returned(self, inputs: Wire) -> Wire:
        """The inputs of a resource of this type, with this property in the form that AWS returns."""
        steps = tuple(self.path.split(".")) if self.path else ()
        return forms.replaced(inputs, steps, self.form)


TABLE: tuple[Form, ...] = (
    Form("aws:route53/resolverFirewallDomainList:*", "domains.*", forms.firewall_domain, f"{_PROVIDER}/issues/23543"),
    Form("aws:vpc/securityGroup*Rule:*", "", forms.rule_without_ports, f"{_PROVIDER}/issues/30035"),
    Form("aws:vpc/securityGroup*Rule:*", "cidrIpv4", forms.network_address,
         "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html"),
    Form("aws:ec2/vpc:Vpc", "cidrBlock", forms.network_address,
         "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpc.html"),
    Form("aws:ec2/subnet:Subnet", "cidrBlock", forms.network_address,
         "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html"),
    Form("aws:ec2/route:Route", "destinationCidrBlock", forms.network_address,
         "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html"),
    Form("aws:ec2/flowLog:FlowLog", "logDestination", forms.log_group_arn, f"{_PROVIDER}/issues/26479"),
    Form("aws:wafv2/*:*", "**.singleHeader.name", forms.lower_case,
         "https://github.com/aws-solutions/aws-waf-security-automations/issues/257"),
    Form("aws:wafv2/*:*", "**.singleQueryArgument.name", forms.lower_case, f"{_PROVIDER}/issues/47739"),
    Form("aws:rds/clusterParameterGroup:*", "", forms.parameters_of_aws, f"{_PROVIDER}/issues/18035"),
    # Known to the provider:
    Form("aws:vpc/securityGroup*Rule:*", "ipProtocol", forms.protocol_name,
         f"{_PROVIDER}/blob/main/internal/service/ec2/vpc_security_group_ingress_rule.go", "NormalizeIPProtocol"),
    Form("aws:ec2/networkAclRule:*", "protocol", forms.protocol_name,
         f"{_PROVIDER}/blob/main/internal/service/ec2/vpc_network_acl_rule.go", "DiffSuppressFunc of protocol"),
    Form("aws:rds/cluster:Cluster", "preferredMaintenanceWindow", forms.lower_case,
         f"{_PROVIDER}/blob/main/internal/service/rds/cluster.go", "StateFunc, lower case"),
    Form("aws:rds/clusterInstance:*", "preferredMaintenanceWindow", forms.lower_case,
         f"{_PROVIDER}/blob/main/internal/service/rds/cluster_instance.go", "StateFunc, lower case"),
    Form("aws:elasticache/replicationGroup:*", "maintenanceWindow", forms.lower_case,
         f"{_PROVIDER}/blob/main/internal/service/elasticache/replication_group.go", "StateFunc, lower case"),
    Form("aws:route53/record:Record", "name", forms.without_final_dot,
         f"{_PROVIDER}/blob/main/internal/service/route53/record.go", "StateFunc, lower case and no final dot"),
    Form("aws:budgets/budget:Budget", "limitAmount", forms.whole_number,
         f"{_PROVIDER}/blob/main/internal/service/budgets/budget.go", "DiffSuppressFunc of limit_amount"),
    Form("aws:cloudwatch/eventRule:EventRule", "eventPattern", forms.json_document,
         f"{_PROVIDER}/blob/main/internal/service/events/rule.go", "StateFunc, normalised JSON"),
    *(
        Form("aws:*", name, forms.json_document, f"{_PROVIDER}/blob/main/internal/verify/diff.go",
             "SuppressEquivalentPolicyDiffs")
        for name in ("policy", "assumeRolePolicy", "policyDocument")
    ),
)  # fmt: skip
"""Each row is one normal form; rows of one type are applied one after the other."""


def returned(type_: str, inputs: Wire) -> Wire:
    """The inputs of a resource as the provider reads them back; those with a suppressed difference stay as declared."""
    return _applied(inputs, [row for row in TABLE if not row.suppressed_by and fnmatchcase(type_, row.type)])


def compared(type_: str, inputs: Wire) -> Wire:
    """The inputs in the form in which the provider compares them, with suppressed differences removed."""
    return _applied(inputs, [row for row in TABLE if row.suppressed_by and fnmatchcase(type_, row.type)])


def _applied(inputs: Wire, rows: list[Form]) -> Wire:
    for row in rows:
        inputs = row.returned(inputs)
    return inputs


def findings(recording: Recording) -> list[Finding]:
    """Every property that AWS returns in another form without the provider suppressing the difference."""
    found = [
        _finding(recording.stack, resource, row, name)
        for resource in recording.resources
        if resource.custom and not resource.external
        for row in TABLE
        if not row.suppressed_by and fnmatchcase(resource.type, row.type)
        for name in _differing(unwrap(resource.inputs), row)
    ]
    return sorted(found, key=lambda finding: finding.key)


def _differing(inputs: Wire, row: Form) -> list[str]:
    after = row.returned(inputs)
    return sorted(name for name in inputs.keys() | after.keys() if inputs.get(name) != after.get(name))


def _finding(stack: str, resource: RecordedResource, row: Form, name: str) -> Finding:
    declared = resource.inputs.get(name)
    after = row.returned(unwrap(resource.inputs)).get(name)
    return Finding(
        environment=stack,
        rule=RULE,
        verdict=Verdict.VIOLATED,
        headline=f"{resource.type.rpartition(':')[2]} {resource.name}.{name} is returned in another form",
        urn=resource.urn,
        found=_shown(declared, after, secret=_is_secret(declared)),
        wanted=f"{_shown(after, declared, secret=_is_secret(declared))}, as AWS returns it ({row.source})",
        fix="write the value as AWS returns it: otherwise every preview shows a change, and every drift check fails",
        pack=PACK,
        severity="medium",
        source_file=resource.source_file,
        source_line=resource.source_line,
    )


def _is_secret(value: Json) -> bool:
    if is_signed(value, SECRET):
        return True
    if isinstance(value, Mapping):
        return any(_is_secret(item) for item in cast("Wire", value).values())
    return isinstance(value, list) and any(_is_secret(item) for item in cast("list[Json]", value))


def _shown(value: Json, other: Json, *, secret: bool) -> str:
    """The part of one value that the other lacks; never a part of a secret."""
    if secret:
        return "a secret in another form"
    if value is None:
        return "not set"
    if isinstance(value, list) and isinstance(other, list):
        value = [item for item in cast("list[Json]", value) if item not in other]
    text = str(mask(value))
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
