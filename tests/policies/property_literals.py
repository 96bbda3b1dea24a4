"""The property names that guardrails read, as literals in their source, and the resource types each module is about."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from tests.policies.sdk_schema import has, has_within, tokens

ROOT = Path(__file__).parents[2] / "policies/guardrails"
KIND = re.compile(r"[a-z][a-z0-9]*\.[A-Z][A-Za-z0-9]+")
"""A resource type in the short form that the guardrails use."""
_PATH = re.compile(r"[a-z]\w*(\[[^\]]*\])?(\.\w+(\[[^\]]*\])?)*")
_CAMEL = re.compile(r"[a-z]+[A-Z]\w*(\.\w+)*|[a-z]\w*(\.[a-z]\w*)*\.[a-z]+[A-Z]\w*")
_HOLE = "\0"
_READERS = {
    "value": 0, "items": 0, "declares": 0, "get": 0, "referenced": 1, "of": 1, "hop": 1, "violated": 1, "not_proven": 1,
    "expect": 1, "expect_value": 1, "expect_reference": 2, "document": 1, "referring": 2, "buckets_of": 2,
    "undecided": 1, "Gap": 1, "add": 2, "described": 1,
}  # fmt: skip
"""Functions that take the path of a property, and which of their arguments it is."""


@dataclass(frozen=True, order=True)
class Literal:
    """A property name in the source of a module; ``rooted`` if it begins at the resource."""

    module: str
    line: int
    path: str
    rooted: bool = True

    def declared_by(self, kinds: frozenset[str]) -> bool:
        """Whether one of these resource types has the property."""
        return any((self.rooted and has(kind, self.path)) or has_within(kind, self.path) for kind in kinds)


def modules() -> list[str]:
    """Every module of the guardrails, below the pack."""
    paths = (path.relative_to(ROOT).with_suffix("") for path in sorted(ROOT.rglob("*.py")))
    return [".".join(path.parts) for path in paths if path.name not in ("__init__", "__main__")]


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))


@cache
def kind_literals(module: str) -> tuple[tuple[int, str], ...]:
    """Every literal of a module that looks like a resource type."""
    texts = ((node.lineno, node.value) for node in ast.walk(_tree(module)) if isinstance(node, ast.Constant))
    return tuple((line, text) for line, text in texts if isinstance(text, str) and KIND.fullmatch(text))


@cache
def kinds_of(module: str) -> frozenset[str]:
    """The resource types that a module names, in its own literals or in tables that it imports."""
    values = vars(importlib.import_module(f"policies.guardrails.{module}"))
    named = {text for name, value in values.items() if not name.startswith("__") for text in _texts(value)}
    return frozenset(text for text in named | {text for _, text in kind_literals(module)} if text in tokens())


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in cast("dict[Any, Any]", value).items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, tuple | list | set | frozenset):
        for item in cast("tuple[Any, ...]", value):
            yield from _texts(item)


@cache
def literals(module: str) -> tuple[Literal, ...]:
    """The property names of a module: where one is read or reported, and every word in camel case."""
    tree = _tree(module)
    variables = _read_by_name(tree)
    found: set[Literal] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found |= {Literal(module, node.lineno, *path) for path in _read(node)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _CAMEL.fullmatch(node.value):
            found.add(Literal(module, node.lineno, node.value))
        elif isinstance(node, ast.For | ast.comprehension) and getattr(node.target, "id", None) in variables:
            words = (item for item in ast.walk(node.iter) if isinstance(item, ast.Constant))
            found |= {Literal(module, item.lineno, item.value) for item in words if isinstance(item.value, str)}
    return tuple(sorted(item for item in found if not KIND.fullmatch(item.path)))


def _read(call: ast.Call) -> Iterator[tuple[str, bool]]:
    """The path that a call reads, with indexes left out; the part after a variable when it begins with one."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    place = _READERS.get(name)
    if place is None or len(call.args) <= place:
        return
    argument = call.args[place]
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        text = argument.value
    elif isinstance(argument, ast.JoinedStr):
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else _HOLE for part in argument.values)
        text = text.replace(f"[{_HOLE}]", "")
    else:
        return
    rooted = not text.startswith(_HOLE)
    known = text.lstrip(f"{_HOLE}.").partition(_HOLE)[0].rstrip(".[")
    if _PATH.fullmatch(known):
        yield re.sub(r"\[[^\]]*\]", "", known), rooted


def _read_by_name(tree: ast.Module) -> frozenset[str]:
    """The variables that are the path of a read somewhere in the module."""
    found: set[str] = set()
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("value", "items", "referenced"):
            arguments = call.args[_READERS[call.func.attr] : _READERS[call.func.attr] + 1]
            found |= {item.id for item in arguments if isinstance(item, ast.Name)}
    return frozenset(found)


@dataclass(frozen=True)
class Join:
    """The keys by which a reference is looked up, and the resource types that it may name."""

    module: str
    line: int
    kinds: frozenset[str]
    keys: tuple[str, ...]


@cache
def joins(module: str) -> tuple[Join, ...]:
    """Every look-up of a module whose types and keys are constants."""
    found: list[Join] = []
    scope = vars(importlib.import_module(f"policies.guardrails.{module}"))
    for call in (node for node in ast.walk(_tree(module)) if isinstance(node, ast.Call)):
        if not isinstance(call.func, ast.Attribute) or call.func.attr != "referenced":
            continue
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        given |= dict(zip(("types", "keys"), call.args[2:4], strict=False))
        values = [_constant(given[name], scope) for name in ("types", "keys") if name in given]
        if len(values) == len(("types", "keys")) and all(isinstance(value, tuple | list) for value in values):
            found.append(Join(module, call.lineno, frozenset(values[0]), tuple(values[1])))
    return tuple(found)


def _constant(node: ast.expr, scope: dict[str, Any]) -> Any:  # noqa: ANN401 - whatever the source says
    """The value of an expression of module constants, or ``None`` if it depends on something else."""
    names = {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}
    if names - scope.keys() or any(isinstance(item, ast.Call | ast.Attribute) for item in ast.walk(node)):
        return None
    return eval(compile(ast.Expression(node), "<types>", "eval"), dict(scope))  # noqa: S307 - our own source
