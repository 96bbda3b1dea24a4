"""The sub-commands and flags of the Pulumi CLI that the documents use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

REFERENCE = "https://www.pulumi.com/docs/iac/cli/commands/"
"""The CLI's reference: one page for each sub-command, for example ``pulumi_stack_init/``."""


class Sub(NamedTuple):
    """What a sub-command accepts."""

    arguments: int
    """The largest number of arguments that are not flags."""
    valued: frozenset[str]
    """Flags with a value."""
    switches: frozenset[str] = frozenset()
    """Flags without one."""


_STACK = frozenset({"-s", "--stack"})
_UPDATE = _STACK | {"--policy-pack", "--target", "--replace", "--config-file"}

TABLE: Mapping[str, Sub] = {
    "cancel": Sub(1, _STACK),
    "config set": Sub(2, _STACK, frozenset({"--secret", "--path", "--plaintext"})),
    "destroy": Sub(0, _STACK | {"--target"}, frozenset({"--refresh", "--yes"})),
    "import": Sub(3, _STACK | {"-f", "--file"}, frozenset({"--protect", "--generate-code"})),
    "login": Sub(1, frozenset({"--cloud-url"}), frozenset({"--local"})),
    "package add": Sub(9, frozenset()),
    "policy analyze": Sub(0, _STACK | {"--policy-pack"}),
    "preview": Sub(0, _UPDATE | {"--import-file"}, frozenset({"--diff", "--refresh"})),
    "refresh": Sub(0, _STACK, frozenset({"--clear-pending-creates", "--yes"})),
    "stack export": Sub(0, _STACK | {"--file"}),
    "stack init": Sub(1, _STACK | {"--secrets-provider"}),
    "stack output": Sub(1, _STACK, frozenset({"--json"})),
    "stack rm": Sub(1, _STACK, frozenset({"--preserve-config"})),
    "state unprotect": Sub(1, _STACK, frozenset({"--all", "--yes"})),
    "up": Sub(0, _UPDATE | {"--target-replace"}, frozenset({"--refresh", "--yes", "--diff"})),
}
"""Sub-command → its flags as used here, read in ``REFERENCE``. With the CLI on ``PATH`` they are compared with its help."""


RESOURCES = frozenset({"--replace", "--target", "--target-replace"})
"""Flags whose value is a URN or a pattern of URNs: the CLI finds no resource by its logical name."""


def sub_command(words: Sequence[str]) -> tuple[str, list[str]]:
    """The sub-command at the start of the words after ``pulumi``, and the words after it; empty if it is not listed."""
    for length in (2, 1):
        if (name := " ".join(words[:length])) in TABLE:
            return name, list(words[length:])
    return "", list(words)


def problem(words: Sequence[str], *, whole: bool) -> str:
    """What the CLI would refuse, according to the table. ``whole``: every flag has its value."""
    name, rest = sub_command(words)
    if not name:
        return f"the table of sub-commands in tests/documents/pulumi_cli.py has no {' '.join(words[:2])!r}"
    sub = TABLE[name]
    arguments = 0
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            arguments += 1
            continue
        flag, equals, value = word.partition("=")
        if flag in sub.switches:
            continue
        if flag not in sub.valued:
            return f"pulumi {name} has no flag {flag} in tests/documents/pulumi_cli.py"
        if not equals and rest:
            value = rest.pop(0)
        elif not equals and whole:
            return f"{flag} has no value"
        if flag in RESOURCES and not value.startswith("urn:pulumi:"):
            return (
                f"{flag} takes a URN, not {value or 'nothing'}: write <urn of NAME>, which preflight runbook fills in"
            )
    return f"pulumi {name} takes {sub.arguments} arguments" if arguments > sub.arguments else ""
