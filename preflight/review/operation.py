"""The effect of a change on a running stack: refusals, replacements, lost data, duration, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from preflight.changes import replacement
from preflight.changes.effects import CACHE, HOLDS_DATA, LOGS, gone, kinds, noticed
from preflight.changes.holding import BUCKET, CLUSTER
from preflight.changes.plan import Operation, Plan
from preflight.changes.refusals import short
from preflight.changes.times import NAME, SERVICE, longest_chain, seconds_of, typical_times
from preflight.review.side import Side, listed
from preflight.review.zones import zone_losses

NO_WAY_BACK: Mapping[str, frozenset[str]] = {
    "aws:rds/cluster:Cluster": frozenset({"engineVersion"}),
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": frozenset({"changeableForDays"}),
}
"""Inputs whose change in place cannot be undone: RDS does not downgrade an engine, and a vault's lock in compliance mode cannot be
removed (docs.aws.amazon.com)."""
_MINUTE = 60
_STATEFUL = frozenset({CLUSTER, BUCKET, CACHE, "aws:backup/vault:Vault", "aws:kms/key:Key"})
_INSTANCE = "aws:rds/clusterInstance:ClusterInstance"


def replaced(plan: Plan) -> Iterator[str]:
    """Replaced or deleted resources, those with data first; the others by type."""
    clusters = any(step.type == CLUSTER for step in gone(plan))
    going = [step for step in gone(plan) if not (clusters and step.type == _INSTANCE)]  # they go with their cluster
    for step in going:
        if step.type in HOLDS_DATA:
            what = "is replaced" if step.operation is Operation.REPLACE else "is deleted"
            cause = f" because of {listed(list(step.replacing))}" if step.replacing else ""
            yield f"{short(step.type)} {step.name} {what}{cause}: {HOLDS_DATA[step.type]}"
    others: dict[tuple[str, Operation], list[str]] = {}
    for step in going:
        if step.type not in HOLDS_DATA:
            others.setdefault((short(step.type), step.operation), []).append(step.name)
    for (kind, operation), names in others.items():
        verb = "replaced" if operation is Operation.REPLACE else "deleted"
        yield (
            f"{kind} {verb}: {listed(names, 6)}; it holds no data"
            if len(names) == 1
            else (f"{len(names)} {kind} {verb}: {listed(names, 6)}; they hold no data")
        )


def steps(plan: Plan) -> Iterator[str]:
    """The types that are updated in place and created."""
    updated = plan.of(Operation.UPDATE)
    unlisted = [step for step in updated if step.type not in replacement.TABLE]
    for words, some in (
        ("in place", [step for step in updated if step not in unlisted]),
        ("in place or replaced, which is not known here for these types", unlisted),
        ("created", plan.of(Operation.CREATE)),
    ):
        if found := sorted(kinds(some)):
            yield f"{words}: {', '.join(found)}"


def availability(before: Side, after: Side) -> Iterator[str]:
    """The effect of the loss of a zone, where it changes."""
    old, new = ({one.part: one.text for one in zone_losses(side.graph)} for side in (before, after))
    for part in sorted({*old, *new}):
        if old.get(part) != new.get(part) and part in old and part in new:
            yield f"at the loss of a zone, {part}: {new[part]} (before: {old[part]})"


def disturbance(plan: Plan) -> Iterator[str]:
    """The effects on users, and the duration of the update with the basis of the estimate."""
    if not plan.steps:
        return
    lost = {step.name for step in gone(plan)}
    said = [text for text in noticed(plan) if not any(f" {name} is " in text for name in lost)]
    yield from said
    if not said and not any(step.type in _STATEFUL for step in gone(plan)):
        yield "no interruption is expected: nothing that serves requests restarts or is replaced"
    times = typical_times()
    chain = longest_chain(plan, times)
    seconds = sum(seconds_of(step, times) for step in chain)
    slow = [f"{short(step.type)} {step.name}" for step in chain if seconds_of(step, times) >= _MINUTE]
    number = f"{len(plan.steps)} step{'' if len(plan.steps) == 1 else 's'}"
    took = f"about {-(-seconds // _MINUTE)} min" if seconds > _MINUTE else "about a minute"
    waits = f", most of it for {listed(slow, 4)}" if slow else ""
    yield (
        f"the update takes {took}{waits}: an estimate from the dependencies of the {number} and typical times of "
        f"creation ({NAME}), without deletions and with nothing measured"
    )
    if delay := _delay(plan):
        yield f"old tasks keep open connections for up to {delay} s longer (deregistrationDelay)"


def _delay(plan: Plan) -> int:
    """Seconds in which old tasks finish their requests, if tasks are replaced."""
    if not any(step.type == SERVICE for step in plan.of(Operation.UPDATE, Operation.REPLACE)):
        return 0
    groups = plan.after.of_type("aws:lb/targetGroup:TargetGroup")
    delays = [one.inputs.get("deregistrationDelay") for one in groups]
    return max((int(one) for one in delays if isinstance(one, int | float)), default=0)


def rollback(root: Path | None, before: Side, after: Side, plan: Plan, *, refused: bool) -> Iterator[str]:
    """Whether the way back is open, and what it loses."""
    if refused:
        yield "nothing to roll back: the change is refused before it is complete"
        return
    yield from _release(root, before, after)
    stores = [step for step in gone(plan) if step.type in _STATEFUL]
    for step in stores:
        yield (
            f"reverting does not bring back {short(step.type)} {step.name}: it would be replaced once more, and what was written in "
            "between is lost"
        )
    for step in plan.of(Operation.UPDATE):
        if fixed := sorted(NO_WAY_BACK.get(step.type, frozenset()) & set(step.changed)):
            yield f"{short(step.type)} {step.name}.{fixed[0]} cannot be set back in place"
    if not stores and plan.steps:
        logs = any(step.type == LOGS for step in gone(plan))
        lost = "; the events of replaced log groups do not come back" if logs else ", and no data is lost"
        yield f"reverting the commit and deploying it undoes the change ({_counted(plan)}){lost}"


def _counted(plan: Plan) -> str:
    counts = {operation: len(plan.of(operation)) for operation in Operation}
    words = {
        Operation.UPDATE: "updated in place",
        Operation.REPLACE: "replaced",
        Operation.CREATE: "created",
        Operation.DELETE: "deleted",
    }
    return ", ".join(f"{counts[one]} {words[one]}" for one in words if counts[one])


def _release(root: Path | None, before: Side, after: Side) -> Iterator[str]:
    old, new = (str(side.recording.outputs.get("release") or "") for side in (before, after))
    if root is None or not old or not new or old == new:
        return
    # Imported late: a program that runs afterwards would get the releases that preflight was installed with.
    from releases.environments import Environments  # noqa: PLC0415
    from releases.manifest import compatible  # noqa: PLC0415
    from settings.errors import SettingsError  # noqa: PLC0415

    try:
        versions = Environments(root, ())
        works = compatible(versions.release(new), versions.release(old))
    except SettingsError as error:
        yield f"whether release {old} starts on the schema of {new} is not known: {' '.join(str(error).split())}"
        return
    if works:
        yield f"release {old} starts on the schema of {new}: rolling back needs no restore"
    else:
        yield (
            f"release {old} does not start on the schema of {new}: rolling back needs a restore of the database and loses what was "
            "written since"
        )
