"""The program's own modules, where this installation has packages of the same name (``components``, ``settings``, …).

A program that imports ``settings`` means the one in its folder. This process has imported its own ``settings`` already, and would
hand it to every fork: the fork would run other code than Pulumi does. So a run sets this installation's packages aside, and the
program's are there only in a block of ``importable``.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from types import ModuleType

OWN = ("assembly", "bootstrap", "components", "local", "policies", "preflight", "releases", "settings")
"""The top-level packages of this installation."""
_INSTALLED = Path(__file__).resolve().parents[2]


def folder_of(program: Path) -> Path:
    """The folder whose modules a program imports by name: it is a folder with ``__main__.py``, or one file."""
    return program if program.is_dir() else program.parent


def is_own(program: Path) -> bool:
    """Whether the program is one of this repository's."""
    return folder_of(program).resolve().is_relative_to(_INSTALLED)


def shadowing(program: Path) -> frozenset[str]:
    """The names of this installation's packages that mean another module in the program."""
    return frozenset(name for name in OWN if _provides(folder_of(program).resolve(), name))


def _provides(folder: Path, name: str) -> bool:
    if (folder / name).resolve() == _INSTALLED / name:
        return False
    return (folder / f"{name}.py").is_file() or any((folder / name).glob("**/*.py"))


_kept: dict[str, dict[str, ModuleType]] = {}
"""A program's folder → its modules that have the names of this installation's."""


@contextlib.contextmanager
def importable(program: Path, *, keep: bool = False) -> Generator[None]:
    """Import the program's modules by name in this block. Those in ``shadowing`` are gone after it; with ``keep``, the next block for
    this program has them again, in this process and its forks."""
    folder = str(folder_of(program).resolve())
    names = shadowing(program)
    aside = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in names}
    finder = _Finder(names, folder)
    for name in aside:
        del sys.modules[name]
    sys.modules.update(_kept.get(folder, {}))
    sys.meta_path.insert(0, finder)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        with contextlib.suppress(ValueError):  # the program may have changed the path
            sys.path.remove(folder)
        found = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in names}
        if keep:
            _kept[folder] = found
        for name in found:
            del sys.modules[name]
        sys.modules.update(aside)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the shadowing modules in the program's folder, also a folder without ``__init__.py``, which a package of the same
    name later on the path would win over."""

    def __init__(self, names: frozenset[str], folder: str) -> None:
        self._names = names
        self._folder = folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self._names:
            return None
        return importlib.machinery.PathFinder.find_spec(fullname, [self._folder], target)
