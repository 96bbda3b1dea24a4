"""Secrets whose values differ between two recordings of one environment. The values are compared and never shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from preflight.recording.recorder import Recording
from preflight.sdk.wire import SECRET, Json, Wire, is_signed, unwrap


def changed_secrets(before: Recording, after: Recording) -> list[tuple[str, str, str]]:
    """Type token, name and property path of each input that is another secret value now, sorted."""
    earlier = {(one.type, one.name): one.inputs for one in before.resources}
    return sorted(
        (one.type, one.name, path)
        for one in after.resources
        for path in _changed("", earlier.get((one.type, one.name), {}), one.inputs)
    )


def _changed(path: str, before: Json, after: Json) -> Iterator[str]:
    if is_signed(before, SECRET) and is_signed(after, SECRET):
        if unwrap(before) != unwrap(after):
            yield path
    elif isinstance(before, dict) and isinstance(after, dict):
        old, new = cast("Wire", before), cast("Wire", after)
        for name in sorted(old.keys() & new.keys()):
            yield from _changed(f"{path}.{name}" if path else name, old[name], new[name])
    elif isinstance(before, list) and isinstance(after, list):
        for index, (one, two) in enumerate(zip(cast("list[Json]", before), cast("list[Json]", after), strict=False)):
            yield from _changed(f"{path}[{index}]", one, two)
