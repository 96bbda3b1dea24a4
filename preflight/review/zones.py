"""The parts that continue when an availability zone fails, from the placement of the recorded resources."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.reachability.facts.build import facts_of


@dataclass(frozen=True, slots=True)
class ZoneLoss:
    """One part of the stack after the loss of any one of its zones."""

    part: str
    survives: bool
    text: str
    short: str
    """For a summary, as a clause."""


def zone_losses(graph: Graph) -> list[ZoneLoss]:
    """One line for each part, those that do not survive first."""
    found = [*_balancers(graph), *_services(graph), *_databases(graph), *_caches(graph), *_endpoints(graph)]
    return sorted(found, key=lambda one: (one.survives, one.part))


def zones_of(resources: Iterable[Resource]) -> list[str]:
    """The availability zones that the resources name, sorted. Those of a network that another stack owns may not be known."""
    found = (one.value("availabilityZone") for one in resources)
    return sorted({zone for zone in found if isinstance(zone, str) and zone})


def _subnets(graph: Graph, urn: str) -> list[str]:
    internal = facts_of(graph).by_urn.get(urn)
    return zones_of(one.resource for one in internal.subnets) if internal else []


def _balancers(graph: Graph) -> Iterator[ZoneLoss]:
    for balancer in graph.of_type("lb.LoadBalancer"):
        zones = zones_of(graph.referenced(balancer, "subnets", ("ec2.Subnet",)).resources)
        if zones:
            survives = len(zones) > 1
            text = (
                f"answers from the others of its {len(zones)} zones"
                if survives
                else f"is in {zones[0]} alone: no answer"
            )
            yield ZoneLoss(
                f"load balancer {balancer.name}",
                survives,
                text,
                "" if survives else "the load balancer does not answer",
            )


def _services(graph: Graph) -> Iterator[ZoneLoss]:
    for service in graph.of_type("ecs.Service"):
        zones = _subnets(graph, service.urn)
        least = _least(graph, service)
        if not zones or least is None:
            continue
        left = least - math.ceil(least / len(zones))
        survives = left > 0
        short = f"at least {left} of {least} tasks continue"
        text = f"{short} in the other zones; ECS starts the others there"
        if not survives:
            short = f"an outage of minutes if {'the only task was' if least == 1 else 'all tasks were'} in it"
            text = f"{short}, until ECS has started another"
        yield ZoneLoss(f"service {service.name}", survives, text, short)


def _least(graph: Graph, service: Resource) -> int | None:
    """The minimum number of tasks: of its scaling, or its declared number."""
    name = service.value("name")
    for target in graph.of_type("appautoscaling.Target"):
        if isinstance(name, str) and str(target.value("resourceId")).endswith(f"/{name}"):
            least = target.value("minCapacity")
            return int(least) if isinstance(least, int | float) else None
    declared = service.value("desiredCount")
    return int(declared) if isinstance(declared, int | float) else None


def _databases(graph: Graph) -> Iterator[ZoneLoss]:
    for cluster in graph.of_type("rds.Cluster"):
        own = [
            one
            for one in graph.of_type("rds.ClusterInstance")
            if cluster in graph.referenced(one, "clusterIdentifier", ("rds.Cluster",)).resources
        ]
        zones = zones_of(own)
        if len(zones) > 1:
            text = f"a reader takes over, usually within a minute (instances in {', '.join(zones)})"
            yield ZoneLoss(
                f"database {cluster.name}", True, text, "a database reader takes over, usually within a minute"
            )
        elif own:
            where = zones[0] if zones else "one zone"
            text = f"its only instance is in {where}: an outage until the zone is back"
            yield ZoneLoss(f"database {cluster.name}", False, text, f"the only database instance is in {where}")


def _caches(graph: Graph) -> Iterator[ZoneLoss]:
    for cache in graph.of_type("elasticache.ReplicationGroup"):
        survives = cache.value("multiAzEnabled") is True and cache.value("automaticFailoverEnabled") is True
        text = (
            "a replica in another zone takes over"
            if survives
            else "its only node may be in the lost zone: empty until it is replaced"
        )
        short = "a cache replica takes over" if survives else "the cache may be empty until its node is replaced"
        yield ZoneLoss(f"cache {cache.name}", survives, text, short)


def _endpoints(graph: Graph) -> Iterator[ZoneLoss]:
    own = [one for one in graph.of_type("ec2.VpcEndpoint") if one.value("vpcEndpointType") == "Interface"]
    single = [one for one in own if len(_subnets(graph, one.urn)) == 1]
    if single:
        zone = _subnets(graph, single[0].urn)[0]
        text = f"{len(single)} are in {zone} alone: without it no model answers and no task starts"
        yield ZoneLoss("interface endpoints", False, text, f"no model answers and no task starts without {zone}")
    elif own:
        yield ZoneLoss("interface endpoints", True, "have an address in the other zones", "")
