"""The effect of the working tree on stacks that run the program of a git ref: plans, and findings for the check."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from preflight.changes.accepted import FILE as ACCEPTED
from preflight.changes.accepted import AcceptedChange, accepting, read
from preflight.changes.plan import Plan
from preflight.changes.refusals import Refusal, refusals
from preflight.findings import Exemption, Finding, Rule
from preflight.findings import Verdict as FindingVerdict
from preflight.pulumi import program
from preflight.pulumi.program import Run
from preflight.pulumi.project import Project
from preflight.recording.recorder import Recording

PACK = "ai-interface-changes"
RULE = Rule(
    "running-stacks-take-the-change",
    PACK,
    "The change can be applied to the running stacks: neither Pulumi nor AWS refuses a part of it.",
    "follow the migration in docs/changes.md",
    "critical",
)
PAGE = "docs/changes.md"
_LONGEST_VALUE = 160
EXAMPLE_ACCOUNTS = frozenset({"111122223333", "123456789012", "444455556666"})
"""The example accounts of AWS's documentation. A recorded deployment to one of them no longer counts once a stack file
contains another account."""


@dataclass(frozen=True, slots=True)
class StackChange:
    """The effect on one stack."""

    environment: str
    plan: Plan
    running: bool
    """Whether the record lists a deployment of the stack."""
    settings: tuple[str, ...]
    """The keys of the stack file that differ, each with both values: ``network.cidrBlock: 10.20.0.0/16 → 10.40.0.0/16``."""
    refused: tuple[tuple[Refusal, AcceptedChange | None], ...]
    has_record: bool = True
    """Whether the project records its deployments; otherwise it is not known which stacks run."""

    @property
    def fails(self) -> bool:
        """Whether it has a refusal that no entry accepts."""
        return self.running and any(accepted is None for _, accepted in self.refused)


def changes(root: Path, base: str, before: Mapping[str, Recording]) -> list[StackChange]:
    """Plan every stack of ``before`` with the program and the settings in ``root``. Forks: call it before any channel
    is opened.

    :raises PreflightError: the program cannot be run, or the accepted changes cannot be read
    """
    entries = read(root, dt.datetime.now(dt.UTC).date())
    project = Project.load(root)
    program.load(project)
    runs = [Run(project.stack(name), preview=True, running=recording) for name, recording in before.items()]
    return [
        StackChange(
            environment=name,
            plan=plan,
            running=_runs(root, base, name),
            settings=_changed_settings(root, base, name),
            refused=tuple((refusal, accepting(entries, name, refusal)) for refusal in refusals(plan)),
            has_record=_has_record(root, base),
        )
        for name, plan in zip(before, program.plans(project, runs), strict=True)
    ]


def refused_lines(change: StackChange) -> list[str]:
    """Sentences about what is refused, by whom, and the migration. Empty if nothing is."""
    from releases import record  # noqa: PLC0415 - late, see ``_runs``

    if change.refused and not change.has_record:
        return [
            f"on a running stack, refused by {group[0][0].party}: {_places(group)}: {_reasons(group)}"
            for group in _groups(change)
        ]
    if change.refused and not change.running:
        return [
            f"{record.FILE} records no deployment of this stack yet; on a running stack, this change would be refused"
        ]
    found: list[str] = []
    for group in _groups(change):
        accepted = group[0][1]
        note = f"; accepted until {accepted.expires.isoformat()}: {accepted.reason}" if accepted else ""
        found.append(f"refused by {group[0][0].party}: {_places(group)}: {_reasons(group)}{note}")
        found.append(f"migration: {PAGE}#{group[0][0].migration}")
    return found


def findings(found: Sequence[StackChange]) -> Iterator[Finding]:
    """One finding for each refusing service and migration, excepted if the refusal is accepted."""
    for change in found:
        for group in _groups(change) if change.running else ():
            first, accepted = group[0]
            yield Finding(
                environment=change.environment,
                rule=RULE.name,
                verdict=FindingVerdict.VIOLATED,
                headline=f"{first.place}: {first.why}",
                urn=first.urn,
                found=f"refused by {first.party}: {_places(group)}; changed: {_changed(change)}",
                wanted="a change that can be applied to the running stack",
                fix=f"revert it, or follow {PAGE}#{first.migration} and accept it in {ACCEPTED} for the duration of the migration",
                pack=PACK,
                severity=RULE.severity,
                description=RULE.description,
                source_file=f"Pulumi.{change.environment}.yaml" if change.settings else "",
                source_line=1 if change.settings else 0,
                exemption=Exemption(accepted.expires.isoformat(), accepted.reason, accepted.owner)
                if accepted
                else None,
            )


_Group = Sequence[tuple[Refusal, AcceptedChange | None]]


def _groups(change: StackChange) -> list[_Group]:
    """Refusals of one party with one migration, in their order."""
    found: dict[tuple[object, ...], list[tuple[Refusal, AcceptedChange | None]]] = {}
    for refusal, accepted in change.refused:
        found.setdefault((refusal.party, refusal.migration, accepted), []).append((refusal, accepted))
    return list(found.values())


def _places(group: _Group) -> str:
    return ", ".join(dict.fromkeys(refusal.place for refusal, _ in group))


def _reasons(group: _Group) -> str:
    return "; ".join(dict.fromkeys(refusal.why for refusal, _ in group))


def _changed(change: StackChange) -> str:
    return ", ".join(text.partition(":")[0] for text in change.settings) or "the program"


def not_known(environment: str, why: str) -> Finding:
    """The finding for a base that cannot be run."""
    return Finding(
        environment=environment,
        rule=RULE.name,
        verdict=FindingVerdict.NOT_PROVEN,
        headline=f"{environment}: the effect of the change on the running stack is not known",
        found=" ".join(why.split()),
        wanted="a base that the program can be compared with",
        fix="run python -m preflight diff with a ref that the engine can run",
        pack=PACK,
        severity=RULE.severity,
        mandatory=False,
        description=RULE.description,
    )


def _has_record(root: Path, base: str) -> bool:
    from releases import record  # noqa: PLC0415 - late, see ``_runs``

    return _shown(root, base, record.FILE) is not None


def _runs(root: Path, base: str, stack: str) -> bool:
    """Whether the record in ``base`` has a deployment of the stack in the account that it had there."""
    # Imported after the program has run: a program that runs afterwards would get the releases that preflight came with.
    from releases import record  # noqa: PLC0415
    from releases.environments import account_of  # noqa: PLC0415

    account = _account(_stack_file(root, base, stack))
    if account in EXAMPLE_ACCOUNTS and account_of(root, stack) != account:
        return False
    content: Any = yaml.safe_load(_shown(root, base, record.FILE) or "") or {}
    entries: list[Any] = content.get("deployments") or []
    return any(str(e.get("environment")) == stack and str(e.get("account")) == account for e in entries)


def _changed_settings(root: Path, base: str, stack: str) -> tuple[str, ...]:
    old, new = flat(_stack_file(root, base, stack)), flat(_config((root / f"Pulumi.{stack}.yaml").read_text("utf-8")))
    return tuple(settings_lines(old, new))


def settings_lines(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Each setting that differs, with both values, by key. A value that the stack file encrypts is not shown."""
    for key in sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key)):
        name, secret, _ = key.partition(".secure")
        shown = name if name.startswith("aws:") else name.partition(":")[2] or name
        yield (
            f"{shown}: another secret value"
            if secret
            else f"{shown}: {_shown_value(old, key)} → {_shown_value(new, key)}"
        )


def _shown_value(settings: Mapping[str, Any], key: str) -> str:
    if key not in settings:
        return "not set"
    value = settings[key]
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _stack_file(root: Path, base: str, stack: str) -> dict[str, Any]:
    return _config(_shown(root, base, f"Pulumi.{stack}.yaml") or "")


def _config(text: str) -> dict[str, Any]:
    content: Any = yaml.safe_load(text) or {}
    return dict(cast("dict[str, Any]", content.get("config") or {}))


def _account(config: Mapping[str, Any]) -> str:
    accounts: Any = config.get("aws:allowedAccountIds") or [""]
    return str(accounts[0])


def flat(value: Any, prefix: str = "") -> dict[str, Any]:  # noqa: ANN401 - YAML
    """The settings of a stack file by path; lists are whole values."""
    if not isinstance(value, Mapping):
        return {prefix: value}
    found: dict[str, Any] = {}
    for key, item in cast("Mapping[str, Any]", value).items():
        found |= flat(item, f"{prefix}.{key}" if prefix else str(key))
    return found


def _shown(root: Path, base: str, path: str) -> str | None:
    """A file as of ``base``; ``None`` if it does not exist."""
    done = subprocess.run(  # noqa: S603 - git on this project
        ["git", "show", f"{base}:./{path}"],  # noqa: S607 - git as the caller has it
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout if done.returncode == 0 else None
