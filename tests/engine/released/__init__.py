"""What the last release of the components offered and created, and what would break a consumer who upgrades.

``python -m tests.engine.released`` writes both files when a release is tagged, after its test has passed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from components.data import Data
from components.edge import Edge
from components.models import ModelAccess
from components.monitoring import Operations
from components.network import PrivateEndpoints, PrivateNetwork
from components.service import InterfaceService, WorkloadIdentity
from components.waf import Firewall
from preflight.changes.replacement import replaces
from preflight.recording.recorder import RecordedResource, Recording, record
from preflight.sdk.wire import Json, mask
from tests.components import edge_fixtures, task_fixtures

SCHEMA = Path(__file__).with_name("package-schema.json")
RESOURCES = Path(__file__).with_name("stateful-resources.jsonl")
STATEFUL = frozenset(
    {
        "aws:backup/vault:Vault",
        "aws:cloudwatch/logGroup:LogGroup",
        "aws:ec2/subnet:Subnet",
        "aws:ec2/vpc:Vpc",
        "aws:ecs/cluster:Cluster",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        "aws:kms/key:Key",
        "aws:lb/loadBalancer:LoadBalancer",
        "aws:rds/cluster:Cluster",
        "aws:rds/clusterInstance:ClusterInstance",
        "aws:s3/bucket:Bucket",
        "aws:secretsmanager/secret:Secret",
        "aws:sns/topic:Topic",
        "tls:index/privateKey:PrivateKey",
    }
)
"""Types whose replacement loses data, keys, logs or subscriptions, or stops the service."""


def consumer() -> None:
    """A program of a consumer: every part once, with the arguments of the components' tests."""
    Operations("operations", task_fixtures.operations_args())
    PrivateNetwork("network", edge_fixtures.network_args())
    WorkloadIdentity("workload", task_fixtures.workload_args())
    ModelAccess("models", task_fixtures.models_args())
    Data("state", task_fixtures.state_args())
    PrivateEndpoints("endpoints", edge_fixtures.endpoints_args())
    Edge("edge", edge_fixtures.edge_args())
    Firewall("firewall", edge_fixtures.firewall_args())
    InterfaceService("service", task_fixtures.service_args())


def recorded() -> Recording:
    """The consumer's stack with the components of this checkout."""
    return record(consumer, project="consumer", stack="test")


def stateful(recording: Recording) -> dict[str, dict[str, Json]]:
    """URN of each stateful resource → the inputs whose change would replace it, without secrets."""
    return {
        one.urn: {key: mask(value) for key, value in sorted(one.inputs.items()) if replaces(one.type, key)}
        for one in recording.resources
        if one.type in STATEFUL
    }


def known_as(recording: Recording) -> dict[str, str]:
    """Every URN under which the engine finds a resource in an existing stack → its URN now."""
    by_urn = {one.urn: one for one in recording.resources}
    return {former: one.urn for one in recording.resources for former in (one.urn, *_former(one, by_urn))}


def _former(one: RecordedResource, by_urn: Mapping[str, RecordedResource]) -> Iterator[str]:
    """The resource's aliases, and those that follow from its parent's."""
    yield from one.aliases
    parent = by_urn.get(one.parent)
    if parent is None:
        return
    for alias in _former(parent, by_urn):
        before, qualified, name = alias.rsplit("::", 2)
        renamed = f"{name}{one.name.removeprefix(parent.name)}" if one.name.startswith(parent.name) else one.name
        yield f"{before}::{qualified}${one.type}::{renamed}"


def without_texts(content: Json) -> Json:
    """A schema without descriptions, which may change at any time."""
    if isinstance(content, dict):
        return {
            key: without_texts(value)
            for key, value in cast("dict[str, Json]", content).items()
            if key != "description" or not isinstance(value, str)
        }
    return [without_texts(one) for one in cast("list[Json]", content)] if isinstance(content, list) else content


def write(schema: str) -> None:
    """Write what this checkout offers and creates."""
    SCHEMA.write_text(json.dumps(without_texts(json.loads(schema)), indent=1, sort_keys=True) + "\n")
    lines = [json.dumps([urn, inputs], sort_keys=True) for urn, inputs in sorted(stateful(recorded()).items())]
    RESOURCES.write_text("\n".join(lines) + "\n")
