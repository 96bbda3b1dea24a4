"""Turns ids in a graph into references between the resources of a template.

Some rules of cfn-lint check two resources, for example a subnet and its VPC, and recognize their relation only by a
reference.
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
"""Type → the output of Pulumi's resource that a reference returns (``Ref`` in each type's documentation)."""


@dataclass(frozen=True, slots=True)
class Identified:
    """A resource that a value identifies."""

    urn: str
    name: str
    """Its name in the template."""


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
    """The properties, with each value that identifies a resource and came from it replaced by a reference.

    A value that is equal by coincidence, such as a name, is not replaced: the graph records which property depends on
    which resource.
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
