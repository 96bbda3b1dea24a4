"""Two small environments with one shape, and ways to change one of them."""

from __future__ import annotations

import copy
import json
from typing import Any

from policies.guardrails.topology.graph.resources import Graph
from policies.parity.committed_shapes import from_files, to_files
from policies.parity.shape import Shape, shape_of

Entry = dict[str, Any]


def environment(name: str, account: str, network: str, host: str) -> list[Entry]:
    """A VPC with two subnets, a certificate, a role with a document, a log group and a task definition."""

    def entry(type_: str, logical: str, inputs: Entry, outputs: Entry, **wiring: list[str]) -> Entry:
        urn = f"urn:pulumi:{name}::shop::shop:index:Net${type_}::{logical}"
        return {
            "urn": urn,
            "type": type_,
            "name": logical,
            "parent": f"urn:pulumi:{name}::shop::shop:index:Net::net",
            "inputs": inputs,
            "outputs": {**inputs, **outputs},
            "property_dependencies": {key: wiring.get(key, []) for key in inputs},
        }

    region, unique = "eu-west-1", account[:4]
    vpc = entry(
        "aws:ec2/vpc:Vpc",
        "vpc",
        {"cidrBlock": f"{network}.0.0/16"},
        {"id": f"vpc-{unique}aaaabbbbcccc", "ownerId": account},
    )
    subnets = [
        entry(
            "aws:ec2/subnet:Subnet",
            f"subnet-{region}{zone}",
            {
                "vpcId": vpc["outputs"]["id"],
                "cidrBlock": f"{network}.{number}.0/24",
                "availabilityZone": f"{region}{zone}",
            },
            {"id": f"subnet-{unique}{number}aaaabbbbcc", "region": region},
            vpcId=[vpc["urn"]],
        )
        for number, zone in enumerate("ab")
    ]
    certificate = entry(
        "aws:acm/certificate:Certificate", f"names-{host}", {"domainName": host},
        {"id": f"arn:aws:acm:{region}:{account}:certificate/{unique}"},
    )  # fmt: skip
    document = {"Version": "2012-10-17", "Statement": [{"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject"],
                "Resource": [f"arn:aws:s3:::shop-{name}/*"]}]}  # fmt: skip
    role = entry(
        "aws:iam/rolePolicy:RolePolicy", "reader", {"role": "reader", "policy": json.dumps(document)},
        {"id": f"reader:{unique}"},
    )  # fmt: skip
    logs = entry(
        "aws:cloudwatch/logGroup:LogGroup",
        "logs",
        {"name": f"/shop/{name}", "retentionInDays": 30},
        {"id": f"/shop/{name}"},
    )
    containers = [{"name": "web", "image": f"{account}.dkr.ecr/x@sha256:{unique}", "user": "10001"}]
    task = entry(
        "aws:ecs/taskDefinition:TaskDefinition", "task",
        {"family": f"shop-{name}", "cpu": "256", "containerDefinitions": json.dumps(containers)}, {"id": f"shop-{name}"},
    )  # fmt: skip
    component = {
        "urn": f"urn:pulumi:{name}::shop::shop:index:Net::net",
        "type": "shop:index:Net",
        "name": "net",
        "inputs": {},
        "outputs": {"vpc_id": vpc["outputs"]["id"]},
    }
    return [component, vpc, *subnets, certificate, role, logs, task]


def staging() -> list[Entry]:
    """The earlier environment."""
    return environment("staging", "111122223333", "10.1", "chat.staging.example.com")


def prod() -> list[Entry]:
    """The later environment."""
    return environment("prod", "444455556666", "10.9", "chat.example.com")


def shape(entries: list[Entry]) -> Shape:
    """The shape of recorded entries."""
    entries = copy.deepcopy(entries)
    name = entries[0]["urn"].split(":")[2]
    return shape_of(name, Graph.from_recorded(entries), {entry["urn"]: entry["inputs"] for entry in entries})


def change(entries: list[Entry], name: str, **inputs: Any) -> list[Entry]:  # noqa: ANN401 - any property
    """``entries`` with other inputs for one resource; ``None`` removes an input."""
    changed = copy.deepcopy(entries)
    for entry in changed:
        if entry["name"] == name:
            for key, value in inputs.items():
                for side in ("inputs", "outputs"):
                    entry[side].pop(key, None)
                    if value is not None:
                        entry[side][key] = value
    return changed


def without(entries: list[Entry], name: str) -> list[Entry]:
    """``entries`` without one resource."""
    return [entry for entry in copy.deepcopy(entries) if entry["name"] != name]


def committed(*shapes: Shape) -> dict[str, Shape]:
    """The shapes as they are read back after they were committed together."""
    return from_files(to_files({shape.environment: shape for shape in shapes}))
