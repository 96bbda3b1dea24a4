"""The import contracts hold, no file is too long, and no import cycle exists."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import grimp
import networkx as nx
import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("assembly", "bootstrap", "components", "local", "policies", "preflight", "releases", "settings")
LONGEST_LINES = 400
IN_THE_TASK = {frozenset({"components.prepare.database", "components.prepare.image"})}
"""Written into the task definition as one program; each is imported inside the function that needs it."""


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
