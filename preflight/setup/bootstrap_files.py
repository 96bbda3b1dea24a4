"""The stack files of bootstrap: one for each account, which lists the account's environments.

Two files for one account would create its image repositories, its key and its identity provider for GitHub twice, and the second
``pulumi up`` would fail. So an environment in an account that has a file is added to that file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

import yaml

from preflight.errors import ConfigurationError
from preflight.setup import commented_yaml

PREFIX = "ai-interface-bootstrap:"
_ENVIRONMENTS = f"{PREFIX}environments"
_NAME = re.compile(r"bootstrap/Pulumi\.([^.]+)\.yaml")

Files = Mapping[str, str]
"""Name → text of stack files."""


def file_of(stack: str) -> str:
    """The name of a bootstrap stack's file."""
    return f"bootstrap/Pulumi.{stack}.yaml"


def _config(text: str) -> dict[str, Any]:
    return cast("dict[str, Any]", yaml.safe_load(text)["config"])


def entries(text: str) -> list[dict[str, Any]]:
    """The environments that a file lists."""
    return list(_config(text).get(_ENVIRONMENTS) or [])


def lists(files: Files, environment: str) -> str | None:
    """The file that lists an environment; the one that is named after it, if several do."""
    found = [
        name
        for name in sorted(files)
        if _NAME.fullmatch(name) and any(one.get("name") == environment for one in entries(files[name]))
    ]
    own = file_of(environment)
    return own if own in found else next(iter(found), None)


def of_account(files: Files, account: str, region: str) -> str | None:
    """The file of an account; ``None`` if it has none. Raises ``ConfigurationError`` if the account's file is for another region."""
    found = [
        name
        for name in sorted(files)
        if _NAME.fullmatch(name) and [str(one) for one in _config(files[name])["aws:allowedAccountIds"]] == [account]
    ]
    if not found:
        return None
    here = [name for name in found if _config(files[name])["aws:region"] == region]
    if not here:
        elsewhere = _config(files[found[0]])["aws:region"]
        raise ConfigurationError(
            f"{found[0]} sets up account {account} in {elsewhere}, and its roles and its identity provider for GitHub exist once in an "
            f"account: use {elsewhere}, or another account for {region}"
        )
    return here[0]


def entry(files: Files, environment: str) -> dict[str, Any]:
    """The entry of an environment in the file that lists it; only its name if none does."""
    name = lists(files, environment)
    found = entries(files[name]) if name else []
    return next((one for one in found if one.get("name") == environment), {"name": environment})


def with_entry(text: str, added: Mapping[str, Any]) -> str:
    """The file with one more environment, after the others; in place of the one with the same name, if there is one."""
    if any(one.get("name") == added["name"] for one in entries(text)):
        content = commented_yaml.read(text)
        for one in content["config"][_ENVIRONMENTS]:
            if one.get("name") == added["name"]:
                for key, value in added.items():
                    commented_yaml.put(one, [key], value)
        return commented_yaml.written(content)
    lines = text.split("\n")
    start = next(number for number, line in enumerate(lines) if line.strip().startswith(f"{_ENVIRONMENTS}:"))
    end = start + 1
    while end < len(lines) and re.match(r" {4}", lines[end]):
        end += 1
    shown = yaml.safe_dump([dict(added)], sort_keys=False, default_flow_style=None, width=4096)
    if shown.startswith("- {"):
        shown = yaml.safe_dump([dict(added)], sort_keys=False, default_flow_style=False, width=4096)
    indented = [f"    {line}" for line in shown.rstrip("\n").split("\n")]
    return "\n".join([*lines[:end], *indented, *lines[end:]])


def without_entry(text: str, environment: str) -> str:
    """The file without an environment."""
    content = commented_yaml.read(text)
    listed = content["config"][_ENVIRONMENTS]
    for position in reversed(range(len(listed))):
        if listed[position].get("name") == environment:
            del listed[position]
    return commented_yaml.written(content)


def alone(text: str, only: Mapping[str, Any]) -> str:
    """The file with one environment in place of all others."""
    names = [str(one.get("name")) for one in entries(text)]
    kept = only["name"] if only["name"] in names else names[0]
    for name in names:
        text = without_entry(text, name) if name != kept else text
    content = commented_yaml.read(text)
    (place,) = content["config"][_ENVIRONMENTS]
    for key in [key for key in place if key not in only]:
        commented_yaml.put(place, [key], None)
    for key, value in only.items():
        commented_yaml.put(place, [key], value)
    return commented_yaml.written(content)
