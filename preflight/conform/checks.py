"""The checks of this package: every module that has ``findings``, found by looking, so that none is forgotten."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from preflight import conform
from preflight.findings import Finding, Rule
from preflight.recording.recorder import Recording

PACK = "conform"


@dataclass(frozen=True, slots=True)
class Check:
    """One module: ``findings(recording)``, or ``findings(recording, bootstrap)`` where it also needs what bootstrap made."""

    rule: Rule
    findings: Callable[..., Sequence[Finding]]
    with_bootstrap: bool
    """It judges an environment together with the bootstrap stack of its account, so it has nothing to say of bootstrap."""

    def ask(self, recording: Recording, bootstrap: Recording | None) -> list[Finding]:
        """What it finds in one stack; ``bootstrap`` is the recording that makes the environment's roles, if there is one."""
        return list(self.findings(recording, bootstrap) if self.with_bootstrap else self.findings(recording))


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
            asks = len(inspect.signature(findings).parameters) > 1
            found.append(Check(rule, cast("Callable[..., Sequence[Finding]]", findings), asks))
    return found
