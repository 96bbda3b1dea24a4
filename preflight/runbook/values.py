"""Placeholders of the runbook, and where their values come from.

``<backup vault>`` is the stack output ``backupVault``. Its value is known before a deployment unless AWS or Pulumi chooses it:
then it has to be read from the deployed stack, or from AWS with the command in the runbook's section Names that AWS chooses. ``<urn of state-seed>`` is the URN of the only resource with that logical name, and
``<urn of rds cluster state-database>`` that of the only one of a type. Any other placeholder is a value of the
incident, and the runbook's section Placeholders has the command that gives it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from preflight.errors import ConfigurationError
from preflight.recording.recorder import Recording
from preflight.runbook.sections import NAMES, PLACEHOLDERS, RUNBOOK, Runbook
from preflight.sdk.wire import has_unknown, unwrap

PLACEHOLDER = re.compile(r"<(?P<name>[a-z][a-z0-9-]*(?: [a-z0-9-]+)*)>")
_URN = "urn of "
_ROW = re.compile(r"^\| `<(?P<name>[a-z][a-z0-9 -]*)>` \| (?P<source>.+) \|$", re.MULTILINE)
_CHOSEN = ("name", "bucket")
"""Properties with a name that Pulumi chooses if the program does not set it."""


@dataclass(frozen=True)
class Values:
    """The values of one stack."""

    stack: str
    known: Mapping[str, str]
    """Placeholder → value."""
    deployed: frozenset[str]
    """Placeholders whose values only the deployed stack has."""
    incident: Mapping[str, str]
    """Placeholder → where its value comes from during an incident."""
    urns: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Logical name → URNs."""
    commands: Mapping[str, str] = field(default_factory=dict[str, str])
    """Placeholder of an output → how to get its value without the state, which the on-call role cannot read."""

    def fill(self, text: str) -> str:
        """The text with every known value."""
        return PLACEHOLDER.sub(lambda found: self._value(found["name"]) or found[0], text)

    def _value(self, name: str) -> str:
        if not name.startswith(_URN):
            return self.known.get(name, "")
        *kind, logical = name.removeprefix(_URN).split()
        # aws:rds/cluster:Cluster is "rds cluster".
        part = f":{'/'.join(kind)}:" if kind else ""
        found = [urn for urn in self.urns.get(logical, ()) if part in urn.lower().replace("$", ":")]
        return found[0] if len(found) == 1 else ""

    def source(self, name: str) -> str | None:
        """The command or the sentence that gives the value of a placeholder that ``fill`` leaves. ``None``: nothing does."""
        if name in self.deployed:
            from_state = f"`pulumi stack output {output_of(name)} -s {self.stack}`"
            own = self.commands.get(name)
            return f"{self.fill(own)}; with access to the state {from_state}" if own else from_state
        found = self.incident.get(name)
        return self.fill(found) if found is not None else None

    def without_source(self, text: str) -> list[str]:
        """The placeholders of a text that nothing gives: they belong to a part that the stack does not have."""
        return [name for name in left(self.fill(text)) if self.source(name) is None]


def left(text: str) -> list[str]:
    """The placeholders of a text, in their order, without duplicates."""
    return list(dict.fromkeys(found["name"] for found in PLACEHOLDER.finditer(text)))


def output_of(placeholder: str) -> str:
    """``backup vault`` → ``backupVault``."""
    first, *others = placeholder.split()
    return first + "".join(word.capitalize() for word in others)


def placeholder_of(output: str) -> str:
    """``backupVault`` → ``backup vault``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", output).lower()


def values(preview: Recording, runbook: Runbook, deployed: Mapping[str, Any] | None = None) -> Values:
    """The values of a stack, from the recording of its first preview and, if given, the outputs of the deployed stack."""
    outputs = cast("Mapping[str, Any]", unwrap(preview.outputs))
    chosen = _chosen_names(preview)
    known: dict[str, str] = {}
    missing: set[str] = set()
    for name, value in outputs.items():
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        if has_unknown(value) or any(part in text for part in chosen):
            missing.add(placeholder_of(name))
        else:
            known |= _placeholders(name, value)
    for name, value in (deployed or {}).items():
        known |= _placeholders(name, value)
    incident, commands = _table(runbook, PLACEHOLDERS), _table(runbook, NAMES)
    return Values(preview.stack, known, frozenset(missing - set(known)), incident, _urns(preview), commands)


def outputs_from(content: str, source: str, stack: str) -> dict[str, Any]:
    """The output of ``pulumi stack output --json``.

    :raises ConfigurationError: it is not a JSON object, or it is another stack's
    """
    fix = f"write it again: pulumi stack output --json -s {stack}"
    try:
        found: object = json.loads(content)
    except ValueError:
        raise ConfigurationError(f"{source} is not JSON.\nfix: {fix}") from None
    if not isinstance(found, dict):
        raise ConfigurationError(f"{source} is not a JSON object of outputs.\nfix: {fix}")
    outputs = cast("dict[str, Any]", found)
    if outputs.get("environment") != stack:
        raise ConfigurationError(
            f"{source} has the outputs of {outputs.get('environment', 'a stack without an output environment')}, not of {stack}.\n"
            f"fix: {fix}"
        )
    return outputs


def _chosen_names(preview: Recording) -> list[str]:
    """The names that Pulumi chooses: the recording has others than the account."""
    found = {
        str(resource.outputs[name])
        for resource in preview.resources
        if resource.custom
        for name in _CHOSEN
        if name in resource.outputs and name not in resource.inputs and not has_unknown(resource.outputs[name])
    }
    return sorted(found)


def _urns(preview: Recording) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for resource in preview.resources:
        if resource.custom and not resource.type.startswith("pulumi:"):
            found[resource.name] = (*found.get(resource.name, ()), resource.urn)
    return found


def _placeholders(output: str, value: object) -> dict[str, str]:
    """Placeholder → value. A member of an output that is an object has one too: ``<owner on call>`` is ``owner.onCall``."""
    name = placeholder_of(output)
    if isinstance(value, str):
        return {name: value}
    members = cast("Mapping[str, object]", value if isinstance(value, dict) else {})
    texts = {f"{name} {placeholder_of(key)}": one for key, one in members.items() if isinstance(one, str)}
    return {name: json.dumps(value, sort_keys=True)} | texts


def _table(runbook: Runbook, anchor: str) -> dict[str, str]:
    section = runbook.sections.get((RUNBOOK, anchor))
    return {found["name"]: found["source"] for found in _rows(section.text if section else "")}


def _rows(text: str) -> Iterable[re.Match[str]]:
    return _ROW.finditer(text)
