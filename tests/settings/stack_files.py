"""The committed stack files as plain values, and a function that changes values in them."""

from __future__ import annotations

import copy
import json
import pickle
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from settings import StackSettings
from settings.stack import PREFIX

ROOT = Path(__file__).parents[2]
REMOVED = object()
"""As a new value: remove the key."""

Values = dict[str, Any]

OPEN_WEBUI: Values = {f"{PREFIX}application": "open-webui"}
"""Selects the preset that this project ships. For tests that state its paths, headers or port: the committed stacks may run
another application."""


def stack_file(stack: str) -> Values:
    """``config`` of a stack file, unchanged."""
    return loaded(ROOT / f"Pulumi.{stack}.yaml")["config"]


def loaded(path: Path) -> Any:  # noqa: ANN401 - what a YAML file has
    """A copy of what a YAML file of the project contains, which is read again only if its text has changed."""
    return pickle.loads(_parsed(path.read_text(encoding="utf-8")))  # noqa: S301 - our own result


@cache
def _parsed(text: str) -> bytes:
    return pickle.dumps(yaml.safe_load(text), protocol=pickle.HIGHEST_PROTOCOL)


def own_values(stack: str = "staging") -> Values:
    """The project's own keys of a stack file, without their namespace."""
    return {key.removeprefix(PREFIX): value for key, value in stack_file(stack).items() if key.startswith(PREFIX)}


def as_the_engine_passes_it(stack: str) -> dict[str, str]:
    """The configuration of a stack as the program receives it: structured values as JSON text."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in stack_file(stack).items()}


def changed(values: Values, changes: Values) -> Values:
    """A copy in which each path, such as ``models.groups[0].name``, has a new value."""
    result = copy.deepcopy(values)
    for path, value in changes.items():
        *way, last = [int(p) if p.isdecimal() else p for p in re.findall(r"[^.\[\]]+", path)]
        place: Any = result
        for step in way:
            place = place.setdefault(step, {}) if isinstance(step, str) else place[step]
        if value is REMOVED:
            del place[last]
        else:
            place[last] = copy.deepcopy(value)  # a later path must not change what a test gave
    return result


def parse(values: Values, **outside: object) -> StackSettings:
    """Parse as staging in its region and account, unless ``outside`` says otherwise."""
    given: Values = {"environment": "staging", "region": "eu-west-1", "accounts": ["111122223333"], **outside}
    return StackSettings.parse(values, **given)


OTHER_OWNER: Values = {
    "team": "other-team",
    "contact": "others@example.com",
    "onCall": "https://oncall.example.com/others",
    "runbook": "https://docs.example.com/others",
    "subscriptions": [
        {"kind": "https", "name": "pager", "severity": "page", "urlSecret": "ai-interface/staging/alert-pager"}
    ],
}
"""Other values of the settings about the owner that are not lists of people."""
