"""A new kind of upstream is refused by the type checker or by a test wherever it is not handled.

``isinstance`` skips a kind that it does not name, and nothing reports that. ``settings/upstreams.py`` has functions that
match every kind instead: ``server_of``, ``bedrock_region``, ``internet_host``, ``calls_gateway``.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from typing import get_args

import pytest

from settings.upstreams import Upstream
from settings.values import Section
from tests.settings.stack_files import ROOT

KINDS: dict[str, type[Section]] = {kind.__name__: kind for kind in get_args(get_args(Upstream)[0])}
"""Name of the class → the class, for every kind."""
PACKAGES = ("assembly", "components", "preflight", "releases", "settings")
BY_FIELD = {
    ("assembly/tools.py", "model_servers"): "endpoint_service",
    ("preflight/ready/wanted.py", "destinations"): "destination_regions",
    ("preflight/ready/wanted.py", "mantle_models"): "signing_service",
}
"""File and function → the field that it reads. It may ask with ``isinstance`` for the kinds with this field, and has to ask
for all of them."""


def asked(node: ast.AST, function: str = "") -> Iterator[tuple[str, frozenset[str]]]:
    """Function and named kinds of each ``isinstance`` that names a kind of upstream, or a union of kinds by its own name."""
    for child in ast.iter_child_nodes(node):
        yield from asked(child, child.name if isinstance(child, ast.FunctionDef) else function)
        match child:
            case ast.Call(func=ast.Name(id="isinstance"), args=[_, classes]):
                names = {n.id for n in ast.walk(classes) if isinstance(n, ast.Name)}
                names |= {n.attr for n in ast.walk(classes) if isinstance(n, ast.Attribute)}
                if kinds := {name for name in names if name.endswith("Upstream")}:
                    yield function, frozenset(kinds)
            case _:
                pass


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, str], frozenset[str]]:
    """File and function → the kinds that it asks for."""
    kinds: defaultdict[tuple[str, str], frozenset[str]] = defaultdict(frozenset)
    for path in (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))):
        for function, named in asked(ast.parse(path.read_text(encoding="utf-8"))):
            kinds[path.relative_to(ROOT).as_posix(), function] |= named
    return dict(kinds)


def test_no_code_skips_the_kinds_that_it_does_not_name(found: dict[tuple[str, str], frozenset[str]]) -> None:
    assert all(name.endswith("Upstream") for name in KINDS), "asked finds a kind by the end of its name"
    skipping = {place: sorted(kinds) for place, kinds in found.items() if place not in BY_FIELD}
    assert skipping == {}, "use a function of settings/upstreams.py that matches every kind, or match with assert_never"
    assert set(BY_FIELD) <= set(found), "a place in BY_FIELD asks for no kind any more"


@pytest.mark.parametrize(("place", "field"), BY_FIELD.items(), ids=[function for _, function in BY_FIELD])
def test_who_reads_a_field_asks_for_every_kind_with_it(
    found: dict[tuple[str, str], frozenset[str]], place: tuple[str, str], field: str
) -> None:
    having = {name for name, kind in KINDS.items() if field in kind.model_fields}
    assert found[place] == having, f"{':'.join(place)} reads {field}"


@pytest.mark.parametrize("classes", ["PrivateUpstream", "upstreams.PrivateUpstream | str", "(str, PrivateUpstream)"])
def test_every_spelling_of_the_question_is_found(classes: str) -> None:
    source = f"def reads(one):\n    return [x for x in one if isinstance(x, {classes})]\n"
    assert list(asked(ast.parse(source))) == [("reads", frozenset({"PrivateUpstream"}))]
