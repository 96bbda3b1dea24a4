"""Imports the AWS SDK without what only an editor or type checker reads.

The SDK has more than a thousand resource classes. Evaluating their annotations, and importing every resource of a service
when the program names one, took most of the time of loading a program. With ``install``, a service's package imports a
resource when its name is first used, a module of nested types makes a class when its name is first used, annotations stay text
until the SDK asks for a class's types, and docstrings and the keys of typed dictionaries are left out. What the program
registers is the same (``tests/preflight/sdk/test_imports.py``).

The compiled form is kept in the same folder as Python's own (``*.opt-preflight2.pyc``) and made again when the SDK's file changes; where that
folder cannot be written it is compiled in every process.
"""

from __future__ import annotations
import __future__

import ast
import functools
import importlib.abc
import importlib.machinery
import marshal
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import cache_from_source, decode_source
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from pulumi import _types  # pyright: ignore[reportPrivateUsage] - the SDK has no public way to resolve its types

SDK = "pulumi_aws"
_OF_TYPES = ("_enums", "_inputs", "outputs")
"""A service's modules of nested types."""
_FORM = 2
"""The number of this form. Another form needs another number, because only a change of the SDK's file compiles it again."""
_WITHOUT_DOCSTRINGS = 2
"""``python -OO``: the SDK asserts nothing."""
_EXPORTED = re.compile(r"^__all__ = (\[[^\]]*\])", re.MULTILINE)
_NAMES = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
_STARS = re.compile(r"^from \.(\w+) import \*$", re.MULTILINE)
_COMPILED = re.compile(r"(?:\.opt-\w+)?\.pyc$")


def install() -> None:
    """Import the SDK this way from now on, in this process and its forks; what is already imported stays as it is."""
    if sys.version_info < (3, 14) and not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
        _types.__dict__["_globals_for_cls"] = _completed(_types._globals_for_cls)  # pyright: ignore[reportPrivateUsage]


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] != SDK:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is importlib.machinery.SourceFileLoader:
            spec.loader = _Loader(fullname, spec.loader.path)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType | None:
        """This form if it is compiled or can be kept; otherwise Python's own compiled module, which is there."""
        if sys.dont_write_bytecode and not Path(_own(cache_from_source(self.path))).is_file():
            return importlib.machinery.SourceFileLoader(fullname, self.path).get_code(fullname)
        return super().get_code(fullname)

    def source_to_code(self, data: Any, path: Any, *, _optimize: int = -1) -> CodeType:  # noqa: ANN401 - typeshed's
        source: Any = decode_source(data)
        if self.name.count(".") == 1 and Path(path).name == "__init__.py":
            return _compiled(_by_name(ast.parse(source), Path(path).parent), path)
        return _when_used(_without_keys(source), path)

    def get_data(self, path: str) -> bytes:
        return super().get_data(_own(path))

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:  # noqa: ANN401 - typeshed's
        super().set_data(_own(path), data, _mode=_mode)


def _compiled(source: str | ast.Module, path: Any) -> CodeType:  # noqa: ANN401 - typeshed's
    flags = __future__.annotations.compiler_flag
    return compile(source, path, "exec", flags, dont_inherit=True, optimize=_WITHOUT_DOCSTRINGS)


def _without_keys(source: str) -> str:
    """Typed dictionaries with no keys; every line keeps its number."""
    found: list[str] = []
    leaving_out = False
    for line in source.split("\n"):
        if line.startswith("class ") and line.endswith("(TypedDict):"):
            leaving_out = True
            found.append(f"{line} pass")
            continue
        leaving_out = leaving_out and (not line or line[0] == " ")
        found.append("" if leaving_out else line)
    return "\n".join(found)


def _by_name(tree: ast.Module, folder: Path) -> ast.Module:
    """The package of a service with a ``__getattr__`` in place of ``from .module import *`` and ``from . import module``."""
    homes: dict[str, str] = {}
    kept: list[ast.stmt] = []
    for statement in tree.body:
        if not isinstance(statement, ast.ImportFrom) or statement.level != 1:
            kept.append(statement)
        elif statement.module is None:
            homes |= {alias.asname or alias.name: "" for alias in statement.names}
        else:
            homes |= dict.fromkeys(exported(folder / f"{statement.module}.py"), statement.module)
    lazy = ast.parse(_LAZY.replace("HOMES", repr(homes)).replace("TYPES", repr(_OF_TYPES))).body
    return ast.fix_missing_locations(ast.Module([*kept, *lazy], tree.type_ignores))


_LAZY = """
import importlib as _importlib
_homes = HOMES
def __getattr__(name):
    if name not in _homes:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _homes[name]
    module = _importlib.import_module(f"{__name__}.{home or name}")
    if not home:
        return module
    if home in TYPES:
        globals()[name] = getattr(module, name)
        return globals()[name]
    # Importing the module of a look-up binds the look-up's own name to the module: bind all of its names to what they are.
    globals().update({other: getattr(module, other) for other, its in _homes.items() if its == home})
    return globals()[name]
def __dir__():
    return sorted({*globals(), *_homes})
"""


def _when_used(source: str, path: str) -> CodeType:
    """A module that makes its nested types when their names are first used, and gets those of the service's other modules then, in
    place of ``from ._inputs import *``. A service has up to two thousand of them, and a program uses some dozens."""
    homes = [home for home in _STARS.findall(source) if home in _OF_TYPES]
    codes, source = _types_of(source, path) if Path(path).stem in _OF_TYPES else ({}, source)
    if not codes and not homes:
        return _compiled(source, path)
    made = "\n" + _WHEN_USED.replace("HOMES", repr(homes)).replace(
        "CODES", repr({name: marshal.dumps(code) for name, code in codes.items()})
    )

    def importing(names: Mapping[str, set[str]]) -> CodeType:
        lines = {home: f"from .{home} import {', '.join(sorted(found))}" for home, found in names.items() if found}
        return _compiled(
            _STARS.sub(lambda star: lines.get(star[1], "") if star[1] in homes else star[0], source) + made, path
        )

    found = importing({})
    used = used_names(found).union(*map(used_names, codes.values()))
    needed = {home: used.intersection(exported(Path(path).with_name(f"{home}.py"))) for home in homes}
    return importing(needed) if any(needed.values()) else found  # in the present SDK nothing but types names them


def _types_of(source: str, path: str) -> tuple[dict[str, CodeType], str]:
    """The compiled classes of a module, and its source without them; no classes where other code of the module needs one."""
    classes = [one for one in ast.parse(source).body if isinstance(one, ast.ClassDef)]
    codes = {one.name: _compiled(ast.Module([one], []), path) for one in classes}
    lines = source.split("\n")
    for one in classes:
        first = min([one.lineno, *(decorator.lineno for decorator in one.decorator_list)])
        lines[first - 1 : one.end_lineno] = [""] * ((one.end_lineno or first) - first + 1)
    rest = "\n".join(lines)
    if used_names(_compiled(rest, path)) & codes.keys() or any(
        used_names(code) & codes.keys() - {name} for name, code in codes.items()
    ):
        return {}, source
    return codes, rest


_WHEN_USED = """
import importlib as _importlib
import marshal as _marshal
import threading as _threading
_codes = CODES
_making = _threading.RLock()
def __getattr__(name):
    if name in _codes:
        with _making:
            if name not in globals():
                exec(_marshal.loads(_codes[name]), globals())
        return globals()[name]
    for home in () if name.startswith("__") else HOMES:
        try:
            return getattr(_importlib.import_module(f"{__package__}.{home}"), name)
        except AttributeError:
            continue
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
def __dir__():
    return sorted({*globals(), *_codes})
"""


def used_names(code: CodeType) -> set[str]:
    """The names of variables and attributes in code, without those that only an annotation has."""
    inner = [used_names(one) for one in code.co_consts if isinstance(one, CodeType)]
    return {*code.co_names}.union(*inner)


def _completed(globals_of: Callable[[type], dict[str, Any] | None]) -> Callable[[type], dict[str, Any] | None]:
    """The SDK resolves the types of a class with what its module and those of its bases have; here also with what they make when it is
    used."""

    def completed(cls: type) -> dict[str, Any] | None:
        found = globals_of(cls)
        names = [base.__module__ for base in cls.__mro__ if base.__module__.partition(".")[0] == SDK]
        modules = [sys.modules[name] for name in names if name in sys.modules]
        if found is None or not modules:
            return found
        for _, _, getter in _types._py_properties(cls):  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType, reportUnknownVariableType]
            text: object = getattr(getter.fget, "__annotations__", {}).get("return")  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
            for name in _NAMES.findall(text) if isinstance(text, str) else ():
                module = None if name in found else next((one for one in modules if hasattr(one, name)), None)
                if module is not None:
                    found[name] = getattr(module, name)
        return found

    return completed


@functools.lru_cache(maxsize=8)
def exported(path: Path) -> list[str]:
    """The names that a generated module lists in ``__all__``; ``ImportError`` if it has no list."""
    listed = _EXPORTED.search(path.read_text(encoding="utf-8"))
    if listed is None:
        raise ImportError(f"{path} does not list what it exports, so it is not a module that Pulumi generated")
    return [str(name) for name in ast.literal_eval(listed[1])]


def _own(path: str) -> str:
    """The file of this form of the compiled module; Python's own is left alone."""
    return _COMPILED.sub(f".opt-preflight{_FORM}.pyc", path)
