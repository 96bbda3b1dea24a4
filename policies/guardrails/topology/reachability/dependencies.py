"""What a workload can reach: databases, caches, buckets and models, each with the rules that allow it.

A data store counts as reachable when the workload's security groups allow egress, and the store's allow ingress, on the
same port. A bucket counts when a gateway endpoint's policy names it and the workload may use the endpoint. Network ACLs
and IAM permissions are checked elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..graph.resources import Resource
from ..network.addresses import TCP, describe_ports
from ..network.placement import ROWS, Endpoint
from .network import Network

_STORES = ("broker", "cache", "database", "database proxy", "file system", "search domain")
_BUCKETS = ("s3.Bucket", "s3.BucketV2")
_MODELS = "bedrock-runtime"


@dataclass(frozen=True, slots=True)
class Reached:
    """One thing that a workload can reach."""

    resource: Resource
    role: str
    """Its role for the workload: ``database``, ``cache``, ``bucket``, ``models``."""
    ports: str
    by: tuple[Resource, ...]
    """What allows the traffic, in order from the workload outward."""

    @property
    def ways(self) -> str:
        """The resources on the path, as text for people."""
        return ", ".join(resource.name for resource in self.by)


def reached_by(network: Network, workload: Resource) -> tuple[Reached, ...]:
    """What the workload can reach, by role and name."""
    own = next((endpoint for endpoint in network.endpoints if endpoint.resource is workload), None)
    if own is None:
        return ()
    found = [*_stores(network, own), *_buckets(network, own)]
    return tuple(sorted(found, key=lambda reached: (reached.role, reached.resource.urn)))


def _stores(network: Network, own: Endpoint) -> Iterator[Reached]:
    for other in network.endpoints:
        role = _role(other)
        if not role or other.resource is own.resource:
            continue
        if reached := _through_groups(network, own, other, role):
            yield reached


def _role(endpoint: Endpoint) -> str:
    row = ROWS.get(endpoint.resource.kind)
    if endpoint.role == "interface endpoint":
        return "models" if str(endpoint.resource.value("serviceName")).endswith(_MODELS) else ""
    # An instance of a cluster has the cluster's groups: the cluster stands for it.
    return endpoint.role if endpoint.role in _STORES and row is not None and row.owner is None else ""


def _through_groups(network: Network, own: Endpoint, other: Endpoint, role: str) -> Reached | None:
    mine, theirs = set(network.groups_of(own).keys), set(network.groups_of(other).keys)
    for leaving in network.groups.rules(sorted(mine), ingress=False):
        for entering in network.groups.rules(sorted(theirs)):
            ports = leaving.ports & entering.ports
            tcp = leaving.covers(TCP, None) and entering.covers(TCP, None)
            if tcp and ports and theirs & set(leaving.groups) and mine & set(entering.groups):
                by = (leaving.resource, entering.resource)
                return Reached(other.resource, role, describe_ports(ports), by)
    return None


def _buckets(network: Network, own: Endpoint) -> Iterator[Reached]:
    graph = network.graph
    for leaving in network.groups.rules(network.groups_of(own).keys, ingress=False):
        keys = ("prefixListId",)
        for gateway in graph.referenced(leaving.resource, "prefixListId", ("ec2.VpcEndpoint",), keys):
            for bucket in graph.referenced(gateway, "policy", _BUCKETS, ("arn",)):
                yield Reached(bucket, "bucket", describe_ports(leaving.ports), (leaving.resource, gateway))
