"""No single property makes a resource public: a snapshot, image, function, layer, API, notebook or setting of the account.

One property can share a database copy with every AWS account, or expose a function to the internet, and no network rule
or policy document shows it. A service that is public unless a property restricts it counts as public without it.

Sharing with named accounts is checked by iam-grants-stay-in-the-account, and policy documents by
iam-resource-policies-are-narrow.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...checks import listed
from ...iam import SENDING
from ...public_switches import SWITCHES, Switch, narrows, spread
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown, unknowns_in
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...topology.iam.statements import service_of


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate each property that can make a resource public, and the source of a function's permission."""
    for switch in SWITCHES.get(resource.kind, ()):
        yield from _switch(resource, switch)
    if resource.kind == "lambda.Permission":
        yield from _for_a_service(resource)


def _switch(resource: Resource, switch: Switch) -> Iterator[Finding]:
    if not _applies(resource, switch):
        return
    narrowing = [(path, resource.value(path)) for path in switch.narrowed]
    if any(narrows(path, value) for path, value in narrowing if not isinstance(value, Unknown)):
        return
    for path, found in spread(resource, switch.path):
        opened = any(map(switch.opens, listed(found) or [found]))
        parts = listed(found) or [found]  # what is inside an object that is set does not decide
        unclear = [
            value for value in (*parts, *(value for _, value in narrowing if opened)) if isinstance(value, Unknown)
        ]
        if unclear:
            unknowns = [unknown for value in unclear for unknown in unknowns_in(value)]
            yield not_proven(resource, path, unknowns, switch.wanted, switch.fix)
        elif opened:
            shown = "not set" if found is None else found
            yield violated(resource, path, shown, switch.wanted, switch.fix, what=switch.what)


def _applies(resource: Resource, switch: Switch) -> bool:
    """Whether the switch has this meaning here, and no other property restricts it."""
    path, value = switch.unless
    if path and resource.value(path) == value:
        return False
    path, end = switch.only
    return not path or str(resource.value(path)).endswith(end)


def _for_a_service(permission: Resource) -> Iterator[Finding]:
    """A service calls a function for a resource of any account, unless the permission names the resource or its account."""
    principal = permission.value("principal")
    service = service_of(principal) if isinstance(principal, str) else ""
    paths = ("sourceArn", "sourceAccount", "principalOrgId", "eventSourceToken")
    sources = [(path, permission.value(path)) for path in paths]
    if service not in SENDING or any(narrows(path, value) for path, value in sources if not isinstance(value, Unknown)):
        return
    wanted, fix = "the resource or account for which the service calls", "set sourceArn, and sourceAccount for a bucket"
    if unknown := [value for _, value in sources if isinstance(value, Unknown)]:
        if not any(permission.property_dependencies.get(path) for path, _ in sources):
            yield not_proven(permission, "sourceArn", unknown, wanted, fix)
        return
    what = "lets a service call the function for any account"
    yield violated(permission, "sourceArn", "not set", wanted, fix, what=what)


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation="name the accounts, roles or services that need it",
    types=tuple(sorted(SWITCHES)),
)
