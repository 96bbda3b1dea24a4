"""The guardrails as a process that Pulumi's engine starts (``analyzer``)."""

from __future__ import annotations

import datetime as dt

from . import exceptions
from .analyzer import Pack, serve
from .evaluation import Evaluation
from .rule import Rule
from .rules import RULES

NAME = "ai-interface-guardrails"
VERSION = "0.1.0"


def pack(exceptions_text: str, today: dt.date, rules: tuple[Rule, ...] = RULES) -> Pack:
    """The pack with these exceptions, as of ``today``."""
    exemptions = exceptions.read(exceptions_text, (rule.name for rule in rules), today)
    return Pack(NAME, "AI interface guardrails", VERSION, rules, lambda policies: Evaluation(policies, exemptions))


def main() -> None:
    """Serve the pack until the engine ends the process."""
    text = exceptions.FILE.read_text(encoding="utf-8") if exceptions.FILE.is_file() else ""
    serve(pack(text, dt.datetime.now(dt.UTC).date()))
