"""A restore test keeps what it restores as private as the original: in subnets without an internet route, under a customer's key.

AWS Backup restores a database or an instance to the account's default network, whose subnets are public, and a bucket with
S3's own key, unless the selection overrides it. The copy has the original's data.

The policy checks selections for Aurora, RDS, DocumentDB, Neptune, EC2 and S3. It does not check FSx, whose subnets are a list in
a text, nor security groups, because a subnet without an internet route receives nothing from the internet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown, shown
from ...topology.graph.values import as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated
from ...topology.network.placement import Subnets
from ...topology.network.routing import SUBNETS, Routing

_OVERRIDES = "restoreMetadataOverrides"
_GROUPS = {
    "Aurora": "rds.SubnetGroup",
    "DocumentDB": "docdb.SubnetGroup",
    "Neptune": "neptune.SubnetGroup",
    "RDS": "rds.SubnetGroup",
}
"""Type of protected resource → its groups of subnets, which ``dbSubnetGroupName`` names."""
_PRIVATE = "subnets without a route from the internet"
_KMS = "aws:kms, with a key of this account"
_FIX_NETWORK = f"set {_OVERRIDES}: dbSubnetGroupName, or subnetId for EC2, to private subnets"
_FIX_KEY = f"set encryptionType to SSE-KMS and kmsKey in {_OVERRIDES}"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each selection of a restore testing plan."""
    routing = Routing(graph)
    for selection in graph.of_type("backup.RestoreTestingSelection"):
        kind = selection.value("protectedResourceType")
        overrides = selection.value(_OVERRIDES)
        for path, unknown in (("protectedResourceType", kind), (_OVERRIDES, overrides)):
            if isinstance(unknown, Unknown):
                yield not_proven(selection, path, [unknown], _PRIVATE, _FIX_NETWORK)
        if isinstance(kind, Unknown) or isinstance(overrides, Unknown):
            continue
        # AWS Backup ignores the case of the keys.
        given = {key.lower(): key for key in cast("Mapping[str, Any]", as_mapping(overrides) or {})}
        if kind == "S3":
            yield from _key(selection, given)
        elif kind in _GROUPS:
            yield from _placed(graph, routing, selection, _path(given, "dbSubnetGroupName"), _GROUPS[kind])
            yield from _public_address(selection, given)
        elif kind == "EC2":
            yield from _placed(graph, routing, selection, _path(given, "subnetId"), "")


def _path(given: Mapping[str, str], key: str) -> str:
    return f"{_OVERRIDES}.{given.get(key.lower(), key)}"


def _key(selection: Resource, given: Mapping[str, str]) -> Iterator[Finding]:
    for key, fits in (("encryptionType", "SSE-KMS"), ("kmsKey", "")):
        path = _path(given, key)
        found = selection.value(path)
        if isinstance(found, Unknown):
            # A key that is not known yet is a key.
            if fits:
                yield not_proven(selection, path, [found], _KMS, _FIX_KEY)
        elif not found or (fits and found != fits):
            yield violated(selection, path, shown(found) if found else "not set", _KMS, _FIX_KEY)


def _placed(graph: Graph, routing: Routing, selection: Resource, path: str, group: str) -> Iterator[Finding]:
    """Evaluate the group of subnets, or with ``group`` empty the subnet, at ``path``."""
    found = selection.value(path)
    if not isinstance(found, Unknown) and not found:
        yield violated(selection, path, "not set: the account's default network", _PRIVATE, _FIX_NETWORK)
        return
    subnets = Subnets()
    if group:
        groups = graph.referenced(selection, path, types=(group,))
        unknowns = [*groups.external, *(unknown.path for unknown in groups.unknowns)]
        for one in groups:
            subnets.add(graph, one, "subnetIds")
    else:
        subnets.add(graph, selection, path)
        unknowns = []
    unknowns += subnets.unknowns
    public = [one for one in subnets.ordered() if _is_public(routing, one)]
    for subnet in public:
        yield violated(selection, path, f"{subnet.label}, which has a route from the internet", _PRIVATE, _FIX_NETWORK)
    unclear = [reason for one in subnets.ordered() for reason in routing.placement(one).unknowns]
    if not public and (unknowns or unclear or not subnets.found):
        yield not_proven(selection, path, [*unknowns, *unclear] or [path], _PRIVATE, _FIX_NETWORK)


def _is_public(routing: Routing, subnet: Resource) -> bool:
    internet = routing.placement(subnet).internet
    return bool(internet.v4 or internet.v6)


def _public_address(selection: Resource, given: Mapping[str, str]) -> Iterator[Finding]:
    if key := given.get("publiclyaccessible"):
        path = f"{_OVERRIDES}.{key}"
        found = selection.value(path)
        if isinstance(found, Unknown):
            yield not_proven(selection, path, [found], "false", _FIX_NETWORK)
        elif str(found).lower() != "false":
            yield violated(
                selection, path, shown(found), "false", f"remove {key}: AWS Backup restores without an address"
            )


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.MEDIUM,
    remediation="override where AWS Backup restores a test to, and with which key",
    types=("backup.RestoreTestingSelection", *sorted(set(_GROUPS.values())), *SUBNETS),
)
