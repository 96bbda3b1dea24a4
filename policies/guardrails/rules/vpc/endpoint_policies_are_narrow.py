"""Every VPC endpoint has a custom policy that names actions, resources and callers.

Without one, any client that can reach the VPC endpoint can send data to any account's bucket, table or model that
accepts their credentials. Image layers are downloaded with URLs signed by ECR, so the grant for its bucket needs no
condition on the caller.

The policy checks that a statement limits action, resource or principal; whether the limit is right is for review. It skips
endpoints to services that are not AWS's, which take no policy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...checks import undecided
from ...iam import CALLERS, WITHOUT_RESOURCE
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.documents import document_at
from ...topology.graph.resources import Resource
from ...topology.graph.verdicts import Finding, violated
from ...topology.iam.matching import matches_action
from ...topology.iam.statements import Statement, grants

_WANTED = "a policy that names the actions and resources used through the VPC endpoint"
_NOT_OF_AWS = "com.amazonaws.vpce."
"""https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html: AWS allows full access through them."""
_FIX = "give the VPC endpoint a policy with the actions and resources that the stack uses"


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one VPC endpoint, or the policy of one."""
    if resource.value("vpcEndpointType") in ("GatewayLoadBalancer", "Resource", "ServiceNetwork"):
        return
    name = resource.value("serviceName")
    if isinstance(name, str) and name.startswith(_NOT_OF_AWS):
        return
    policy = document_at(resource, "policy")
    yield from undecided(resource, "policy", policy, _WANTED, _FIX)
    if policy.value is None and policy.unknown is None and not policy.unreadable:
        yield violated(resource, "policy", None, _WANTED, f"{_FIX}; without one, AWS allows all requests")
    for statement in grants(policy):
        yield from _statement(resource, f"policy[{statement.label}]", statement)


def _statement(endpoint: Resource, place: str, statement: Statement) -> Iterator[Finding]:
    if statement.not_actions or any(action.partition(":")[2] in ("", "*") for action in statement.actions):
        found = list(statement.actions or statement.not_actions)
        yield violated(endpoint, f"{place}.Action", found, "actions by name", _FIX, what="allows all actions")
    unbounded = [a for a in statement.actions if not any(matches_action(pattern, a) for pattern in WITHOUT_RESOURCE)]
    if statement.not_resources or ("*" in statement.resources and unbounded):
        found = f"* for {', '.join(sorted(unbounded))}"
        yield violated(endpoint, f"{place}.Resource", found, "ARNs", _FIX, what="allows access to every resource")
    layers = all(
        re.match(r"arn:aws[a-z-]*:s3:::prod-[a-z0-9-]+-starport-layer-bucket/", arn) for arn in statement.resources
    )
    if statement.is_for_everyone and not layers and not statement.bounding_keys & CALLERS:
        fix = "add a condition on aws:PrincipalAccount, aws:PrincipalArn or aws:PrincipalOrgID"
        yield violated(
            endpoint, f"{place}.Principal", "*", "named callers", fix, what="allows requests from any principal"
        )


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=("ec2.VpcEndpoint", "ec2.VpcEndpointPolicy"),
)
