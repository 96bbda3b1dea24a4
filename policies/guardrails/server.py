"""The guardrails as a process that Pulumi's engine starts (``analyzer``)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from . import baseline, exceptions
from .analyzer import Pack, serve
from .configuration import BASELINE, EXCEPTIONS, MisconfiguredError
from .evaluation import Evaluation, Policy
from .profiles import DEFAULT, Profile
from .rule import Rule
from .rules import RULES

NAME = "ai-interface-guardrails"
VERSION = "0.1.0"
FOLDER = Path(__file__).parent


def pack(
    today: dt.date, rules: tuple[Rule, ...] = RULES, profile: Profile = DEFAULT, exceptions_text: str = ""
) -> Pack:
    """The pack as of ``today``, with the profile of a stack for which nothing chooses one.

    ``exceptions_text`` are the exceptions of a stack that names no file of them.
    """
    return Pack(
        NAME,
        "AI interface guardrails",
        VERSION,
        rules,
        lambda policies: evaluation(policies, today, exceptions_text),
        profile,
    )


def evaluation(policies: Sequence[Policy], today: dt.date, exceptions_text: str = "") -> Evaluation:
    """The evaluation by these policies, with the files that their settings name.

    Raises ``MisconfiguredError`` for a file that does not exist; what is wrong inside a file is a finding.
    """
    names = [rule.name for rule in RULES]
    named, text = _file(policies, EXCEPTIONS)
    exempt = exceptions.read(text if named else exceptions_text, names, today, named or exceptions.FILE)
    named, text = _file(policies, BASELINE)
    return Evaluation(policies, exempt, baseline.read(text, named, names, today) if named else None)


def _file(policies: Sequence[Policy], name: str) -> tuple[str, str]:
    """The name and the text of the file in this policy's settings; empty if it names none."""
    for policy in policies:
        if policy.rule.name == name and policy.settings.get("file"):
            path = FOLDER / str(policy.settings["file"])
            try:
                return path.name, path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise MisconfiguredError(
                    f"{name}.file is {policy.settings['file']}, which cannot be read as {path.resolve()}: "
                    f"{getattr(error, 'strerror', None) or error}; allowed: a text file, relative to the pack's folder; "
                    "fix: correct the path"
                ) from error
    return "", ""


def main() -> None:
    """Serve the pack until the engine ends the process."""
    serve(pack(dt.datetime.now(dt.UTC).date()))
