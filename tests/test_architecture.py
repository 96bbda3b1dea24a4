"""Which package may import which, how long a file may be, that no import is circular, and that a name means one thing."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import grimp
import networkx as nx
import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("assembly", "bootstrap", "components", "local", "policies", "preflight", "releases", "settings")
LONGEST_LINES = 400
IN_THE_TASK = {frozenset({"components.prepare.database", "components.prepare.image"})}
"""Written into the task definition as one program; each is imported inside the function that needs it."""


SHARED_NAMES = {
    ("components", "Application"): "components/prepare/image.py",
    ("components", "Database"): "components/prepare/database.py",
    ("components", "Statement"): "components/prepare/schema.py",
}
"""Package and class → a file whose class may have the name of another: ``prepare`` is a program that runs in the task,
and its source is part of the task definition, so renaming one of its classes replaces every task."""


def test_the_contracts_of_pyproject_hold() -> None:
    """``[tool.importlinter]`` has them; this is what ``lint-imports`` prints where one is broken."""
    linted = subprocess.run(  # noqa: S603 - the linter of this environment
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    report = linted.stdout[linted.stdout.find("Contracts") :]
    assert linted.returncode == 0, report
    assert "0 broken" in report


def test_no_module_is_imported_in_a_circle() -> None:
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    imports = nx.DiGraph(
        (module, imported) for module in graph.modules for imported in graph.find_modules_directly_imported_by(module)
    )
    circles = {frozenset(found) for found in nx.strongly_connected_components(imports) if len(found) > 1}
    assert circles == IN_THE_TASK


@pytest.mark.parametrize("package", [*PACKAGES, "tests", "benchmarks"])
def test_no_file_is_longer_than_a_reader_holds_in_mind(package: str) -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / package).rglob("*.py")
    }
    assert lengths
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_LINES} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_public_class_name_means_one_thing_in_a_package(package: str) -> None:
    defined: dict[str, list[str]] = defaultdict(list)
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                defined[node.name].append(path.relative_to(ROOT).as_posix())
    twice = {name: files for name, files in defined.items() if len(files) > 1}
    excused = {name for name, files in twice.items() if SHARED_NAMES.get((package, name)) in files and len(files) == 2}
    assert excused == {name for owner, name in SHARED_NAMES if owner == package}, "a name in SHARED_NAMES is not shared"
    assert {name: files for name, files in twice.items() if name not in excused} == {}
