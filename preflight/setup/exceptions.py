"""The exceptions of a size: what it gives up, for which the guardrails would otherwise refuse the stacks."""

from __future__ import annotations

import datetime as dt
import json
import textwrap
from collections.abc import Mapping
from typing import Any

from policies.guardrails.declarations import A_YEAR_DAYS
from preflight.setup import commented_yaml
from preflight.setup.sizes import SIZES, GivenUp

EXCEPTIONS = "policies/exceptions.yaml"
_WIDTH = 120


def with_those_of(files: Mapping[str, str | None], size: str, owner: str) -> dict[str, str | None]:
    """The files, of which ``None`` is removed, with the exceptions that this size needs today."""
    text = files.get(EXCEPTIONS)
    if text is None:
        return dict(files)
    return {**files, EXCEPTIONS: with_size(text, size, owner, dt.datetime.now(dt.UTC).date())}


def with_size(text: str, size: str, owner: str, today: dt.date) -> str:
    """The exceptions with those of this size, for the longest time that is allowed, and without those of other sizes."""
    kept = _without_sizes(text)
    expires = today + dt.timedelta(days=A_YEAR_DAYS)
    return kept + "".join(_entry(one, owner, expires) for one in SIZES[size].gives_up)


def _without_sizes(text: str) -> str:
    of_sizes = {(one.policy, one.urn) for size in SIZES.values() for one in size.gives_up}
    content = commented_yaml.read(text)
    entries: Any = content["exceptions"] or []
    found = [position for position, entry in enumerate(entries) if _key(entry) in of_sizes]
    if not found:
        return text if entries else text.replace("exceptions: []", "exceptions:")
    for position in reversed(found):
        del entries[position]
    return commented_yaml.written(content).replace("exceptions: []", "exceptions:")


def _entry(given_up: GivenUp, owner: str, expires: dt.date) -> str:
    reason = textwrap.fill(given_up.reason, _WIDTH, initial_indent=6 * " ", subsequent_indent=6 * " ")
    return (
        f"  - policy: {given_up.policy}\n    urn: {json.dumps(given_up.urn)}\n    reason: >-\n{reason}\n"
        f"    owner: {owner}\n    expires: {expires}\n"
    )


def _key(entry: Mapping[str, object]) -> tuple[str, str]:
    return str(entry.get("policy")), str(entry.get("urn"))
