"""The checks of this package: every module that has ``findings``, found by looking, so that none is forgotten."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from preflight import conform
from preflight.findings import Finding, Rule
from preflight.recorder import Recording

PACK = "conform"


@dataclass(frozen=True, slots=True)
class Check:
    """One module."""

    rule: Rule
    findings: Callable[[Recording], Sequence[Finding]]


def checks() -> list[Check]:
    """Every check, sorted by name; modules without ``findings`` are what checks are made of.

    :raises ImportError: a module of the package cannot be imported; none is left out for that
    """
    found: list[Check] = []
    for module in sorted(pkgutil.iter_modules(conform.__path__), key=lambda m: m.name):
        loaded = importlib.import_module(f"{conform.__name__}.{module.name}")
        if callable(findings := getattr(loaded, "findings", None)):
            name = f"{PACK}-{module.name.replace('_', '-')}"
            summary = " ".join((loaded.__doc__ or "").split("\n\n")[0].split())
            rule = Rule(name, PACK, summary, severity="high")
            found.append(Check(rule, cast("Callable[[Recording], Sequence[Finding]]", findings)))
    return found
