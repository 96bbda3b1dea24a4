"""A workload's dependencies: databases, caches, buckets and models, each with the rules that allow the traffic.

A data store counts as reachable if the workload's security groups allow egress, and the store's allow ingress, on the
same port. A bucket counts if a gateway endpoint's policy lists it and the workload may use the endpoint. Network ACLs
and IAM permissions are checked elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..graph.resources import Resource
from ..network.addresses import TCP, describe_ports
from ..network.placement_rows import ROWS
from .facts.model import Facts, InternalResource

_STORES = ("broker", "cache", "database", "database proxy", "file system", "search domain")
_MODELS = (".bedrock-runtime", ".bedrock-mantle")


@dataclass(frozen=True, slots=True)
class Reached:
    """A dependency that a workload can reach."""

    resource: Resource
    role: str
    """Its role for the workload: ``database``, ``cache``, ``bucket``, ``models``."""
    ports: str
    by: tuple[Resource, ...]
    """The rules that allow the traffic, in order from the workload to the dependency."""

    @property
    def ways(self) -> str:
        """The resources on the path, as human-readable text."""
        return ", ".join(resource.name for resource in self.by)


def reached_by(facts: Facts, workload: Resource) -> tuple[Reached, ...]:
    """The dependencies that the workload can reach, by role and name."""
    own = facts.by_urn.get(workload.urn)
    if own is None:
        return ()
    found = [*_stores(facts, own), *_buckets(facts, own)]
    return tuple(sorted(found, key=lambda reached: (reached.role, reached.resource.urn)))


def _stores(facts: Facts, own: InternalResource) -> Iterator[Reached]:
    for other in facts.internal:
        role = _role(other)
        if not role or other.resource is own.resource:
            continue
        if reached := _through_groups(facts, own, other, role):
            yield reached


def _role(internal: InternalResource) -> str:
    row = ROWS.get(internal.resource.kind)
    if internal.role == "interface VPC endpoint":
        return "models" if str(internal.resource.value("serviceName")).endswith(_MODELS) else ""
    # An instance of a cluster has the cluster's groups: the cluster stands for it.
    return internal.role if internal.role in _STORES and row is not None and row.owner is None else ""


def _through_groups(facts: Facts, own: InternalResource, other: InternalResource, role: str) -> Reached | None:
    mine, theirs = set(own.groups.keys), set(other.groups.keys)
    for leaving in facts.groups.rules(sorted(mine), ingress=False):
        for entering in facts.groups.rules(sorted(theirs)):
            ports = leaving.ports & entering.ports
            tcp = leaving.covers(TCP, None) and entering.covers(TCP, None)
            if tcp and ports and theirs & set(leaving.groups) and mine & set(entering.groups):
                by = (leaving.resource, entering.resource)
                return Reached(other.resource, role, describe_ports(ports), by)
    return None


def _buckets(facts: Facts, own: InternalResource) -> Iterator[Reached]:
    for leaving in facts.groups.rules(own.groups.keys, ingress=False):
        for grant in facts.grants.get(leaving.resource.urn, ()):
            for bucket in grant.buckets:
                yield Reached(bucket, "bucket", describe_ports(leaving.ports), (leaving.resource, grant.endpoint))
