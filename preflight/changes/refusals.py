"""The steps of a plan that cannot succeed on a running stack: the refusing service, the reason, and the migration.

Pulumi refuses at preview, before anything changes, if a resource is protected. AWS refuses in the middle of the update,
when other resources have already changed; therefore this module finds in advance what AWS would refuse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from preflight.changes.holding import BUCKET, CLUSTER, EMPTIED_BY, HOLDERS, OFF, ONCE, PROTECTION, held
from preflight.changes.plan import Operation, Plan, Step
from preflight.changes.replacement import UNIQUE_NAMES
from preflight.recording.recorder import RecordedResource
from preflight.sdk.wire import UNKNOWN, Json, has_unknown, unwrap

SUBNET, VPC = "aws:ec2/subnet:Subnet", "aws:ec2/vpc:Vpc"
PLACED: dict[str, tuple[str, ...]] = {
    "aws:elasticache/replicationGroup:ReplicationGroup": ("securityGroupIds",),
    "aws:elasticache/subnetGroup:SubnetGroup": ("subnetIds",),
    "aws:lb/loadBalancer:LoadBalancer": ("securityGroups", "subnetMappings", "subnets"),
    CLUSTER: ("vpcSecurityGroupIds",),
    "aws:rds/subnetGroup:SubnetGroup": ("subnetIds",),
}
"""Types that stay in the VPC in which they were created, and the inputs that place them there. The API accepts only
other subnets and groups of the same VPC: SetSubnets and SetSecurityGroups of Elastic Load Balancing,
ModifyDBSubnetGroup and ModifyDBCluster of RDS, ModifyCacheSubnetGroup of ElastiCache (docs.aws.amazon.com, API
references; ModifyDBSubnetGroup's response is in github.com/hashicorp/terraform-provider-aws/issues/27459)."""
STAYING_GROUPS = ("aws:elasticache/subnetGroup:SubnetGroup", "aws:rds/subnetGroup:SubnetGroup")


class Party(StrEnum):
    """The service that refuses the change."""

    PULUMI = "Pulumi, at preview"
    AWS = "AWS, during the update"
    PREFLIGHT = "this check"


class Migration(StrEnum):
    """The migration: a section of ``docs/changes.md``."""

    NETWORK = "another-network"
    ACCOUNT = "another-account-or-region"
    SNAPSHOT = "another-database"
    UNPROTECT = "what-is-protected"
    ORDER = "two-updates"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A change that cannot be made to the running stack."""

    urn: str
    place: str
    """Short type name, resource name and input: ``ec2.Vpc network-vpc.cidrBlock``."""
    party: Party
    why: str
    migration: Migration


def refusals(plan: Plan) -> list[Refusal]:
    """All parts of ``plan`` that would be refused: changes of the provider's settings, then refusals by Pulumi and
    AWS."""
    found = [*_provider(plan)]
    steps = [step for _, step in sorted(plan.steps.items())]
    for step in steps:
        # If Pulumi refuses, nothing reaches AWS. Refusals by AWS are still listed if they would remain afterwards.
        found += [*_protected(step)] or [*_switched_on(step), *_still_held(plan, step)]
        found += _moved(plan, step)
    found += _taken(plan)
    order = [Party.PREFLIGHT, Party.PULUMI, Party.AWS]
    return sorted(dict.fromkeys(found), key=lambda r: (order.index(r.party), _weight(r.urn), r.urn, r.place))


_HEAVY = ("aws:rds/cluster:", "aws:s3/bucket:", "aws:ec2/vpc:", "aws:ec2/subnet:", "aws:lb/loadBalancer:")


def _weight(urn: str) -> int:
    """Sort key: the most important refusals come first."""
    return next((number for number, type_ in enumerate(_HEAVY) if type_ in urn), len(_HEAVY))


def short(type_: str) -> str:
    """Shorten a type token: ``aws:ec2/vpc:Vpc`` becomes ``ec2.Vpc``."""
    package, _, rest = type_.partition(":")
    module, _, name = rest.partition(":")
    return f"{module.partition('/')[0]}.{name}" if package == "aws" else f"{package}.{name}"


def place_of(step: Step) -> str:
    """The subject of a refusal: type, name, and the input that causes it."""
    causes = step.replacing or step.changed
    return f"{short(step.type)} {step.name}" + (f".{causes[0]}" if causes else "")


def _refusal(step: Step, party: Party, why: str, migration: Migration) -> Refusal:
    return Refusal(step.urn, place_of(step), party, why, migration)


def _provider(plan: Plan) -> Iterator[Refusal]:
    texts = {
        "region": "every resource would be created again in the new region, and the running resources would remain in the old one",
        "allowedAccountIds": "the state contains resources of the old account, whose credentials the provider would refuse",
    }
    for name in plan.provider:
        if name in texts:
            yield Refusal("", f"aws:{name}", Party.PREFLIGHT, texts[name], Migration.ACCOUNT)


def _protected(step: Step) -> Iterator[Refusal]:
    old, new = step.old, step.new
    if old is None or not old.protect:
        return
    # The engine allows one update to remove the protection and replace; for a deletion only the old state counts.
    if step.operation is Operation.REPLACE and ((new is not None and new.protect) or not step.replacing):
        yield _refusal(step, Party.PULUMI, "it is protected, and the change would replace it", _way(step))
    elif step.operation is Operation.DELETE:
        yield _refusal(step, Party.PULUMI, "it is protected, and the change would delete it", _way(step))


def _way(step: Step) -> Migration:
    if step.type == CLUSTER:
        return Migration.SNAPSHOT
    moving = step.type in (VPC, SUBNET) or "vpcId" in step.replacing
    return Migration.NETWORK if moving else Migration.UNPROTECT


def _moved(plan: Plan, step: Step) -> Iterator[Refusal]:
    """Resources that change in place and would refer to another VPC, or lose a subnet that may be in use."""
    names = [name for name in PLACED.get(step.type, ()) if name in step.changed]
    if step.operation is not Operation.UPDATE or step.old is None or step.new is None:
        return
    for name in names:
        named = {*step.new.property_dependencies.get(name, ()), *step.old.property_dependencies.get(name, ())}
        others = [plan.steps[urn] for urn in sorted(named) if urn in plan.steps]
        if any("vpcId" in other.replacing for other in others):
            why = f"{name} would refer to another VPC, but it cannot be moved out of the VPC in which it was created"
            yield Refusal(step.urn, f"{short(step.type)} {step.name}.{name}", Party.AWS, why, Migration.NETWORK)
        elif step.type in STAYING_GROUPS and (_left_out(step, name) or any(_is_going(other) for other in others)):
            why = f"{name} would lose a subnet that may contain an instance or a node"
            yield Refusal(step.urn, f"{short(step.type)} {step.name}.{name}", Party.AWS, why, Migration.NETWORK)


def _is_going(step: Step) -> bool:
    return step.type == SUBNET and step.operation in (Operation.DELETE, Operation.REPLACE)


def _left_out(step: Step, name: str) -> bool:
    """Whether a list that is known before the update loses an element."""
    old, new = (set(held({name: side.inputs.get(name)}, frozenset({name}))) for side in (step.old, step.new) if side)
    return UNKNOWN not in new and not old <= new


def _switched_on(step: Step) -> Iterator[Refusal]:
    """Deletions that AWS refuses because of deletion protection, or because the resource is not empty."""
    old = step.old
    if old is None or step.operation not in (Operation.REPLACE, Operation.DELETE) or old.retain_on_delete:
        return
    switch = PROTECTION.get(step.type, "")
    if old.inputs.get(switch) not in OFF:
        yield _refusal(step, Party.AWS, f"{switch} is on, so the old resource cannot be deleted", Migration.ORDER)
    if step.type == BUCKET and not old.inputs.get(EMPTIED_BY[BUCKET]):
        yield _refusal(
            step, Party.AWS, "the old bucket cannot be deleted while it contains objects", Migration.UNPROTECT
        )


def _still_held(plan: Plan, step: Step) -> Iterator[Refusal]:
    """Resources that would be deleted first while a remaining resource still refers to them."""
    if not step.deleted_first or step.old is None or step.type not in HOLDERS:
        return
    names = {str(name) for name in (step.old.id, step.old.outputs.get("arn"), step.old.outputs.get("name")) if name}
    for holder in plan.before.resources:
        if holder.urn == step.urn or not holder.custom or holder.external:
            continue
        other = plan.steps.get(holder.urn)
        gone_before = other is not None and other.deleted_first
        if not gone_before and names & set(held(holder.inputs, HOLDERS[step.type])):
            why = f"the old resource would be deleted first, while {short(holder.type)} {holder.name} still uses it"
            yield _refusal(step, Party.AWS, why, Migration.ORDER)
            return


def _taken(plan: Plan) -> Iterator[Refusal]:
    """Resources that would be created or renumbered while their name or number is still in use."""
    holders: dict[tuple[str, ...], list[RecordedResource]] = {}
    for resource in plan.before.resources:
        if resource.custom and not resource.external and (key := _key(resource)):
            holders.setdefault(key, []).append(resource)
    for urn, step in sorted(plan.steps.items()):
        key = _key(step.new) if step.new is not None else ()
        if not key or (step.operation is Operation.UPDATE and not set(ONCE.get(step.type, ())) & set(step.changed)):
            continue
        for holder in holders.get(key, []):
            itself = step.old is not None and holder.urn == step.old.urn
            if itself and (step.deleted_first or step.operation is Operation.UPDATE):
                continue
            what = " ".join(part for part in key[1:] if part)
            why = f"{what} is still in use by {short(holder.type)} {holder.name} when the new one is created"
            yield Refusal(urn, f"{short(step.type)} {step.name}", Party.AWS, why, Migration.ORDER)


def _key(resource: RecordedResource) -> tuple[str, ...]:
    """The values that must be unique in AWS; none if they are unknown or not set."""
    names = ONCE.get(resource.type) or ((UNIQUE_NAMES[resource.type],) if resource.type in UNIQUE_NAMES else ())
    values: list[Json] = [unwrap(resource.inputs.get(name)) for name in names]
    if not any(value is not None for value in values) or any(map(has_unknown, values)):
        return ()
    return (resource.type, *("" if value is None else str(value) for value in values))
