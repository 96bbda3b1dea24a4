"""The policies, one per module: ``<service>/<rule>.py``. Every module below is part of the pack; there is no list."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module

from ..rule import Rule


def _modules() -> Iterator[str]:
    """The full name of every rule's module."""
    for service in pkgutil.iter_modules(__path__):
        package = import_module(f".{service.name}", __name__)
        for module in pkgutil.iter_modules(package.__path__):
            yield f"{package.__name__}.{module.name}"


MODULES = tuple(sorted(_modules()))
RULES: tuple[Rule, ...] = tuple(sorted((import_module(name).RULE for name in MODULES), key=lambda rule: rule.name))
"""Every policy, by name."""
