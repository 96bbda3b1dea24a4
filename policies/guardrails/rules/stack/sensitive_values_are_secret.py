"""Values that AWS treats as credentials are marked as Pulumi secrets.

Without the mark, every preview prints the value and the state file stores it in plain text.

The policy cannot see whether a marked value also appears in the program's source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from ...checks import is_secret, listed
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Secret, Unknown
from ...topology.graph.values import Value
from ...topology.graph.verdicts import Finding, violated

_WANTED = "a value that is marked as a secret"
_FIX = "take it from a secret configuration value or wrap it in pulumi.Output.secret(...)"
_PATHS: Mapping[str, tuple[str, ...]] = {
    "lb.ListenerRule": ("actions[].authenticateOidc.clientSecret",),
    "lb.Listener": ("defaultActions[].authenticateOidc.clientSecret",),
    "rds.Cluster": ("masterPassword",),
    "rds.Instance": ("password",),
    "docdb.Cluster": ("masterPassword",),
    "redshift.Cluster": ("masterPassword",),
    "elasticache.ReplicationGroup": ("authToken",),
    "elasticache.User": ("passwords[]",),
    "secretsmanager.SecretVersion": ("secretString", "secretBinary"),
    "cognito.IdentityProvider": ("providerDetails.client_secret",),
}


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate each property of the resource's type that contains a credential."""
    for path in _PATHS[resource.kind]:
        for place, value in _values(resource.properties, path.split("."), ""):
            if value not in (None, "") and not is_secret(value):
                yield violated(resource, place, "a value in plain text (not repeated here)", _WANTED, _FIX)


def _values(value: Value, steps: list[str], place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Secret | Unknown) or value is None:
        return
    if not steps:
        yield place, value
        return
    key = steps[0].removesuffix("[]")
    below = cast("Mapping[str, Any]", value).get(key) if isinstance(value, Mapping) else None
    here = f"{place}.{key}" if place else key
    if not steps[0].endswith("[]"):
        yield from _values(below, steps[1:], here)
    elif not isinstance(below, Secret | Unknown):
        for index, item in enumerate(listed(below)):
            yield from _values(item, steps[1:], f"{here}[{index}]")


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation=_FIX,
    types=tuple(sorted(_PATHS)),
)
