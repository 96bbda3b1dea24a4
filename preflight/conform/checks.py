"""The checks of this package: every module with a ``findings`` function. They are discovered, so none can be omitted."""

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
    """One module: ``findings(recording)``, or ``findings(recording, bootstrap)`` if it also needs bootstrap's recording."""

    rule: Rule
    findings: Callable[..., Sequence[Finding]]
    with_bootstrap: bool
    """Whether it checks an environment together with its account's bootstrap stack. It then skips bootstrap itself."""

    def run(self, recording: Recording, bootstrap: Recording | None) -> list[Finding]:
        """The findings in one stack; ``bootstrap`` is the recording that creates the environment's roles, if any."""
        return list(self.findings(recording, bootstrap) if self.with_bootstrap else self.findings(recording))


def checks() -> list[Check]:
    """Every check, sorted by name. Modules without ``findings`` are helpers.

    :raises ImportError: a module of the package cannot be imported; it is never skipped
    """
    found: list[Check] = []
    for module in sorted(pkgutil.iter_modules(conform.__path__), key=lambda m: m.name):
        loaded = importlib.import_module(f"{conform.__name__}.{module.name}")
        if callable(findings := getattr(loaded, "findings", None)):
            name = f"{PACK}-{module.name.replace('_', '-')}"
            summary = " ".join((loaded.__doc__ or "").split("\n\n")[0].split())
            rule = Rule(name, PACK, summary, severity="high")
            with_bootstrap = len(inspect.signature(findings).parameters) > 1
            found.append(Check(rule, cast("Callable[..., Sequence[Finding]]", findings), with_bootstrap))
    return found
