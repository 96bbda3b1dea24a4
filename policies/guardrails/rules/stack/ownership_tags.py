"""Every taggable resource has tags for its owner and its environment.

During an incident the owner tag identifies the responsible team; on the bill it shows which team a cost belongs to.

The policy reads the resource's tags and the provider's default tags; it cannot see tags that AWS adds later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.verdicts import Finding, not_proven, violated

TAGGABLE_FILE = Path(__file__).parents[2] / "data" / "taggable.txt"
_FIX = "add the tags to the resource, or to defaultTags of its provider"
_SCHEMA = {
    "keys": {
        "type": "array",
        "items": {"type": "string"},
        "default": ["owner", "environment"],
        "description": "The tags that every resource must have with a value.",
    }
}


@lru_cache(maxsize=1)
def taggable() -> frozenset[str]:
    """Short names of the AWS provider's resource types that support tags."""
    return frozenset(TAGGABLE_FILE.read_text(encoding="utf-8").split())


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each resource whose type supports tags."""
    wanted = cast("list[str]", settings["keys"])
    for resource in graph:
        if resource.kind in taggable():
            yield from _resource(resource, wanted)


def _resource(resource: Resource, wanted: list[str]) -> Iterator[Finding]:
    tags, inherited = resource.value("tags"), resource.value("tagsAll")
    known: dict[str, Any] = {}
    for found in (inherited, tags):
        if isinstance(found, Mapping):
            known.update(cast("Mapping[str, Any]", found))
    for key in wanted:
        value = known.get(key)
        if isinstance(value, Unknown):
            yield not_proven(resource, f"tags.{key}", [value], "a value", _FIX)
        elif isinstance(value, str) and value.strip():
            continue
        elif isinstance(tags, Unknown):
            yield not_proven(resource, f"tags.{key}", [tags], "a value", _FIX)
        else:
            yield violated(resource, f"tags.{key}", value, f"a tag {key} with a value", _FIX)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation=_FIX,
    schema=_SCHEMA,
)
