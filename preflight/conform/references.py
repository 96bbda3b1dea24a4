"""Ids that are values in a graph, as references between the resources of a template.

Some rules of cfn-lint are about two resources, for example a subnet and its VPC, and see their relation by a
reference only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from preflight.conform.translate import Made, Path
from preflight.sdk.wire import Json, Wire

REFERENCED = {
    "AWS::EC2::RouteTable": "id",
    "AWS::EC2::Subnet": "id",
    "AWS::EC2::VPC": "id",
    "AWS::ECS::TaskDefinition": "arn",
    "AWS::ElasticLoadBalancingV2::Listener": "arn",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "arn",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "arn",
    "AWS::RDS::DBCluster": "id",
}
"""Type → the output of Pulumi's resource that a reference to it stands for (``Ref`` in each type's documentation)."""


@dataclass(frozen=True, slots=True)
class Identified:
    """A resource that a value identifies."""

    urn: str
    name: str
    """In the template."""


def values_of(resources: Sequence[Made]) -> dict[str, Identified]:
    """Value → the resource that it identifies; resources are named by their position in the template."""
    found: dict[str, Identified] = {}
    for number, made in enumerate(resources):
        output = REFERENCED.get(made.kind.cloudformation)
        if output is not None:
            value = made.resource.id if output == "id" else made.resource.outputs.get(output)
            if isinstance(value, str) and value:
                found[value] = Identified(made.resource.urn, f"R{number}")
    return found


def linked(made: Made, identified: Mapping[str, Identified]) -> Wire:
    """The properties with a reference wherever a value that came from another resource identifies it.

    A value that only happens to be equal, as a name may be, stays: the graph says which property depends on what.
    """
    return cast("Wire", _linked(made, made.properties, identified, ()))


def _linked(made: Made, value: Json, identified: Mapping[str, Identified], path: Path) -> Json:
    if isinstance(value, dict):
        return {k: _linked(made, item, identified, (*path, k)) for k, item in cast("Wire", value).items()}
    if isinstance(value, list):
        return [_linked(made, item, identified, (*path, n)) for n, item in enumerate(cast("list[Json]", value))]
    found = identified.get(value) if isinstance(value, str) else None
    if found is None or found.urn not in made.resource.property_dependencies.get(made.origin(path), ()):
        return value
    return {"Ref": found.name}
