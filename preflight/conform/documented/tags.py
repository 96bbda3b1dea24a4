"""Tags: their number, length and characters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from preflight.conform.documented.model import BrokenConstraint, Constraint, DocumentedRule, Json, Measured, Numbers
from preflight.recording.recorder import RecordedResource, Recording
from preflight.sdk.wire import UNKNOWN

TAGGING = "https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html"
LONGEST_KEY, LONGEST_VALUE = 128, 256
_MORE = "+-=._:/@"
"""Characters that AWS's services accept in tags besides letters, digits and spaces."""


def tags_of(recording: Recording) -> Iterator[tuple[RecordedResource, dict[str, Json]]]:
    """Every resource with tags."""
    for resource in recording.resources:
        found = resource.inputs.get("tags")
        if resource.custom and resource.type.startswith("aws:") and isinstance(found, dict):
            yield resource, cast("dict[str, Json]", found)


def _counts(recording: Recording) -> Numbers:
    for resource, tags in tags_of(recording):
        yield resource, "tags", len(tags)


def _keys(recording: Recording) -> Iterator[BrokenConstraint]:
    for resource, tags in tags_of(recording):
        for key in sorted(tags):
            if not 1 <= len(key) <= LONGEST_KEY or not _fits(key):
                yield BrokenConstraint(resource, "tags", repr(key))


def _values(recording: Recording) -> Iterator[BrokenConstraint]:
    for resource, tags in tags_of(recording):
        for key, value in sorted(tags.items()):
            if value != UNKNOWN and (len(str(value)) > LONGEST_VALUE or not _fits(str(value))):
                yield BrokenConstraint(resource, f"tags.{key}", repr(value))


def _reserved(recording: Recording) -> Iterator[BrokenConstraint]:
    for resource, tags in tags_of(recording):
        for key in sorted(tags):
            if key.lower().startswith("aws:"):
                yield BrokenConstraint(resource, f"tags.{key}", key)


def _fits(text: str) -> bool:
    return all(one.isalnum() or one.isspace() or one in _MORE for one in text)


CONSTRAINTS: tuple[Constraint, ...] = (
    Measured(
        name="tags-per-resource",
        source=TAGGING,
        wanted="at most 50 tags",
        fix="remove tags",
        numbers=_counts,
        unit="tags",
        most=50,
    ),
    DocumentedRule(
        name="tag-key",
        source=TAGGING,
        wanted=f"1 to {LONGEST_KEY} letters, digits, spaces and {_MORE}",
        fix="use only these characters in the tag's key",
        find=_keys,
    ),
    DocumentedRule(
        name="tag-value",
        source=TAGGING,
        wanted=f"at most {LONGEST_VALUE} letters, digits, spaces and {_MORE}",
        fix="use only these characters in the tag's value",
        find=_values,
    ),
    DocumentedRule(
        name="tag-prefix",
        source=TAGGING,
        wanted="no key that begins with aws:, which is reserved",
        fix="rename the tag",
        find=_reserved,
    ),
)
