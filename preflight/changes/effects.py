"""A plan in words: the verdict, the replaced resources (those with data first), and the impact on users."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from preflight.changes.holding import BUCKET, CLUSTER
from preflight.changes.plan import Operation, Plan, Step
from preflight.changes.refusals import refusals, short


class ChangeOutcome(StrEnum):
    """The outcome of a change, from best to worst."""

    NOTHING = "no AWS resource changes"
    IN_PLACE = "in place"
    REPLACED = "replaced"
    REFUSED = "refused"


CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
LOGS = "aws:cloudwatch/logGroup:LogGroup"
HOLDS_DATA: dict[str, str] = {
    CLUSTER: "the new one starts from a snapshot and lacks all later writes",
    "aws:rds/clusterInstance:ClusterInstance": "the data stays in the cluster",
    BUCKET: "its objects are not copied to the new one",
    CACHE: "the new one starts empty, and WebSocket clients reconnect",
    "aws:backup/vault:Vault": "existing backups stay in the old one",
    "aws:kms/key:Key": "data encrypted with the old one still needs the old one",
    "aws:ec2/vpc:Vpc": "the network with all its resources",
    "aws:ec2/subnet:Subnet": "a subnet with all its resources",
    "aws:lb/loadBalancer:LoadBalancer": "its DNS name and addresses change",
    LOGS: "its events are lost",
}
"""Type → the data that a replacement loses, the most important first."""


@dataclass(frozen=True, slots=True)
class _Effect:
    types: tuple[str, ...]
    operations: tuple[Operation, ...]
    properties: frozenset[str]
    """Empty: the effect applies to any setting."""
    text: str

    def is_of(self, step: Step) -> bool:
        matching = not self.properties or bool(self.properties & {*step.changed, *step.replacing})
        return step.type in self.types and step.operation in self.operations and matching


_UPDATE, _REPLACE = (Operation.UPDATE,), (Operation.REPLACE,)
_EFFECTS = (
    _Effect(
        ("aws:ecs/taskDefinition:TaskDefinition",),
        _REPLACE,
        frozenset(),
        "new tasks start before the old ones stop; an open WebSocket is closed after limits.timeouts.deregistrationDelaySeconds",
    ),
    _Effect(
        ("aws:ecs/service:Service",),
        _UPDATE,
        frozenset({"networkConfiguration"}),
        "new tasks start before the old ones stop; an open WebSocket is closed after limits.timeouts.deregistrationDelaySeconds",
    ),
    _Effect(
        (CLUSTER,),
        _UPDATE,
        frozenset({"serverlessv2ScalingConfiguration"}),
        "the database takes the new capacity without a restart",
    ),
    _Effect(
        ("aws:rds/clusterInstance:ClusterInstance",),
        (Operation.DELETE, Operation.REPLACE),
        frozenset(),
        "if the writer is removed, a reader takes over and connections break once",
    ),
    _Effect((CLUSTER,), _UPDATE, frozenset({"engineVersion"}), "the database restarts; connections break for minutes"),
    _Effect((CACHE,), _UPDATE, frozenset({"nodeType"}), "the cache fails over once"),
    _Effect(
        ("aws:route53/record:Record",),
        (Operation.DELETE, Operation.REPLACE),
        frozenset(),
        "the record of the old name or zone is deleted; sessions are bound to the old name, so users log in again",
    ),
    _Effect(
        ("aws:acm/certificate:Certificate",),
        (Operation.DELETE, Operation.REPLACE),
        frozenset(),
        "the new certificate is validated before the listener uses it",
    ),
    _Effect(
        ("aws:ec2/networkAclRule:NetworkAclRule",),
        _REPLACE,
        frozenset(),
        "each entry is missing for seconds, between its deletion and its creation",
    ),
    _Effect(
        ("aws:sns/topicSubscription:TopicSubscription",),
        (Operation.REPLACE, Operation.CREATE),
        frozenset(),
        "no alarm is delivered to the new address until its owner confirms the subscription",
    ),
    _Effect(
        ("aws:lb/targetGroup:TargetGroup",),
        _REPLACE,
        frozenset(),
        "requests fail between the switch to the new target group and its first healthy task",
    ),
)


def verdict(plan: Plan) -> ChangeOutcome:
    """The worst outcome of the plan's steps. Replacing the task definition does not count: every release does that."""
    if refusals(plan):
        return ChangeOutcome.REFUSED
    if plan.of(Operation.REPLACE, Operation.DELETE):
        return ChangeOutcome.REPLACED
    return ChangeOutcome.IN_PLACE if plan.steps else ChangeOutcome.NOTHING


def noticed(plan: Plan) -> list[str]:
    """The impact on users and the data lost, without repeated sentences."""
    lost = [
        f"{short(step.type)} {step.name} is {'replaced' if step.operation is Operation.REPLACE else 'deleted'}: "
        f"{HOLDS_DATA[step.type]}"
        for step in gone(plan)
        if step.type in HOLDS_DATA and step.type != "aws:rds/clusterInstance:ClusterInstance"
    ]
    said = [effect.text for effect in _EFFECTS if any(effect.is_of(step) for step in plan.steps.values())]
    return list(dict.fromkeys([*lost, *said]))


def gone(plan: Plan) -> list[Step]:
    """The replaced or deleted resources, those with data first."""
    order = list(HOLDS_DATA)
    steps = plan.of(Operation.REPLACE, Operation.DELETE)
    return sorted(steps, key=lambda s: (order.index(s.type) if s.type in order else len(order), s.type, s.name))


def kinds(steps: Iterable[Step]) -> list[str]:
    """Short type names with the number of resources of each, in the order given."""
    counted = Counter(short(step.type) for step in steps)
    return [kind if number == 1 else f"{number} {kind}" for kind, number in counted.items()]
