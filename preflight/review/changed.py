"""One change of one stack, topic by topic in sentences, then its steps and the properties of resources that differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from preflight.analysis import diff
from preflight.analysis.since import StackChange, refused_lines
from preflight.changes.plan import Plan
from preflight.recording.recorder import Recording
from preflight.review import egress, exposure, identity, limits, operation, permissions, protection, release, renames
from preflight.review.side import Side


class Topic(StrEnum):
    """The topics of a review, in the order in which they are shown."""

    REFUSED = "refused"
    RELEASE = "release"
    EXPOSURE = "exposure"
    IDENTITY = "identity"
    LIMITS = "limits"
    EGRESS = "egress"
    PERMISSIONS = "permissions"
    PROTECTION = "data protection"
    AVAILABILITY = "availability"
    COST = "cost per month"
    ROLLBACK = "rollback"
    REPLACED = "replaced or deleted"
    DISTURBANCE = "disturbance"


ASKED = (Topic.EXPOSURE, Topic.IDENTITY, Topic.LIMITS, Topic.EGRESS, Topic.PERMISSIONS, Topic.PROTECTION, Topic.COST)
"""Topics of which it is said that nothing changes."""
_FROM_SIDES: tuple[tuple[Topic, Callable[[Side, Side], Iterable[str]]], ...] = (
    (Topic.RELEASE, release.sentences),
    (Topic.EXPOSURE, exposure.sentences),
    (Topic.IDENTITY, identity.sentences),
    (Topic.LIMITS, limits.sentences),
    (Topic.EGRESS, egress.sentences),
    (Topic.PERMISSIONS, permissions.sentences),
    (Topic.PROTECTION, protection.sentences),
    (Topic.AVAILABILITY, operation.availability),
)


@dataclass(frozen=True, slots=True)
class TopicSentences:
    """The sentences about one topic."""

    topic: Topic
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangeReview:
    """The effect of a change on one stack."""

    environment: str
    topics: tuple[TopicSentences, ...] = ()
    """In the order of ``Topic``, without those that nothing is said about."""
    settings: tuple[str, ...] = ()
    """Each key of the stack file that differs, with both values."""
    steps: tuple[str, ...] = ()
    """The types that are updated in place and created."""
    renamed: tuple[str, ...] = ()
    """Resources that only have another name in the state."""
    resources: tuple[str, ...] = ()
    """Each property of a resource that differs, with both values."""
    only_names: bool = False
    """Whether nothing but names in the state changes."""

    def about(self, topic: Topic) -> tuple[str, ...]:
        """The sentences about a topic."""
        return next((one.texts for one in self.topics if one.topic is topic), ())

    @property
    def unchanged(self) -> tuple[Topic, ...]:
        """The topics of ``ASKED`` in which nothing changes. Data is not called protected as before where a store is replaced."""
        lost = any(text.startswith(_LOUD) for text in self.about(Topic.REPLACED))
        return tuple(one for one in ASKED if not self.about(one) and not (one is Topic.PROTECTION and lost))

    @property
    def nothing(self) -> bool:
        """Whether nothing at all changes."""
        return not (self.topics or self.settings or self.steps or self.renamed or self.resources)

    def headline(self, base: str) -> str:
        """The topics and the most important effect since ``base``, in a few words."""
        number = len(self.resources)
        count = "no change" if self.nothing else f"{number} change{'' if number == 1 else 's'}"
        if self.only_names:
            many = len(self.renamed) > 1
            names = f"{len(self.renamed)} resources have" if many else "1 resource has"
            return f"nothing changes at AWS since {base}: {names} another name in Pulumi's state"
        parts = ["REFUSED on the running stack"] if self.about(Topic.REFUSED) else []
        stores = [text.partition(" because of ")[0].partition(":")[0] for text in self.about(Topic.REPLACED)]
        parts += [text for text in stores if text.startswith(_LOUD)]
        parts += [", ".join(topic for topic in _NAMED if self.about(topic))]
        return f"{count} since {base}" + "".join(f"; {part}" for part in parts if part)


READ_HERE = "no resource changes at AWS: the checks, commands and pipelines of this project read the setting"
"""Shown for settings such as owners and the declared use."""
_NAMED = (Topic.RELEASE, *ASKED, Topic.AVAILABILITY)
_LOUD = ("rds.Cluster ", "s3.Bucket ", "kms.Key", "backup.Vault", "elasticache.", "ec2.Vpc ")


def review(
    before: Recording,
    after: Recording,
    *,
    planned: StackChange | None = None,
    costs: Sequence[str] = (),
    root: Path | None = None,
) -> ChangeReview:
    """Everything about the change from ``before`` to ``after``. Without ``planned``, nothing is said about a running stack.

    ``root`` is the project's folder, whose releases decide whether the way back is open.
    """
    plan = planned.plan if planned is not None else None
    now = renames.as_running(after, plan) if plan is not None else after
    sides = Side(before), Side(now)
    found = {topic: tuple(dict.fromkeys(said(*sides))) for topic, said in _FROM_SIDES}
    found[Topic.COST] = tuple(costs)
    if planned is not None and plan is not None:
        found |= dict(_of_running(planned, plan, sides, root))
    changed = diff.changes(before.stack, before, now, (sides[0].graph, sides[1].graph))
    renamed = tuple(renames.lines(plan)) if plan is not None else ()
    return ChangeReview(
        environment=before.stack,
        topics=tuple(TopicSentences(topic, found[topic]) for topic in Topic if found.get(topic)),
        settings=tuple(planned.settings) if planned is not None else (),
        steps=_steps(planned),
        renamed=renamed,
        resources=tuple(one.text for one in changed),
        only_names=bool(renamed) and plan is not None and not plan.steps and not any(found.values()) and not changed,
    )


def _of_running(
    planned: StackChange, plan: Plan, sides: tuple[Side, Side], root: Path | None
) -> Iterator[tuple[Topic, tuple[str, ...]]]:
    yield Topic.REFUSED, tuple(refused_lines(planned))
    yield Topic.REPLACED, tuple(operation.replaced(plan))
    if plan.steps:
        yield Topic.ROLLBACK, tuple(operation.rollback(root, *sides, plan, refused=planned.fails))
    if not planned.fails:
        yield Topic.DISTURBANCE, tuple(operation.disturbance(plan))


def _steps(planned: StackChange | None) -> tuple[str, ...]:
    if planned is None:
        return ()
    found = tuple(operation.steps(planned.plan))
    return found if found or planned.plan.steps or not planned.settings else (READ_HERE,)
