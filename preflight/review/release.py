"""The effect of a change on the release: its version and the images that run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from preflight.review.side import Side
from preflight.sdk.wire import unwrap


def sentences(before: Side, after: Side) -> Iterator[str]:
    """Every sentence."""
    old, new = (str(side.recording.outputs.get("release") or "none") for side in (before, after))
    if old != new:
        yield f"{old} → {new}"
    one, two = _images(before), _images(after)
    for name in sorted(one.keys() & two.keys()):
        if one[name] != two[name]:
            yield f"image of the container {name}: {one[name]} → {two[name]}"


def _images(side: Side) -> dict[str, str]:
    """Container → image, of every task definition. A container of another task than the application's has its task's name."""
    found: dict[str, str] = {}
    for task in side.recording.of_type("aws:ecs/taskDefinition:TaskDefinition"):
        text = unwrap(task.inputs.get("containerDefinitions"))
        try:
            containers: Any = json.loads(text) if isinstance(text, str) else []
        except ValueError:
            containers = []
        for container in cast("list[dict[str, Any]]", containers):
            found[f"{task.name} {container.get('name')}"] = str(container.get("image"))
    return found
