"""Engine tests run if they are requested and the Pulumi CLI exists; otherwise one line reports that they were skipped.

Tests in folders and files that take seconds each get the marker ``slow``; ``make test-fast`` skips them.
"""

from __future__ import annotations

import shutil
from typing import Any

import pytest

NOT_RUN = pytest.StashKey[str]()
MARKER = "engine"
SLOW = (
    "tests/database/",
    "tests/gateway/",
    "tests/local/",
    "tests/mutation/",
    "tests/open_webui/",
    "tests/preflight/analysis/",
    "tests/preflight/changes/",
    "tests/preflight/conform/",
    "tests/preflight/ready/",
    "tests/preflight/release/",
    "tests/preflight/verify/",
    "tests/proxy/",
    "tests/secrecy/",
    "tests/test_main_program.py",
    "tests/topology/packets/",
)
"""Paths of the slow tests, which run the program many times, or start Envoy, PostgreSQL or an emulated AWS."""
_WORKERS_WORD = "engine tests that did not run"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the marked tests out, and remember why, unless they can run and were asked for."""
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker("slow")
    marked = [item for item in items if item.get_closest_marker(MARKER)]
    if not marked:
        return
    if shutil.which("pulumi") is None:
        reason = "the pulumi command line is not on PATH"
    elif MARKER not in (config.option.markexpr or "") and not any("engine" in argument for argument in config.args):
        reason = "run them with: make test-engine"
    else:
        return
    items[:] = [item for item in items if item not in marked]
    config.hook.pytest_deselected(items=marked)
    config.stash[NOT_RUN] = f"{len(marked)} engine tests skipped: {reason}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the line to the process that prints the summary, where several run the tests (``pytest -n``)."""
    output: dict[str, str] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_WORKERS_WORD] = session.config.stash.get(NOT_RUN, "")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:  # noqa: ANN401 - xdist has no type for it
    """Take the line from whichever process ends; all say the same."""
    if line := getattr(node, "workeroutput", {}).get(_WORKERS_WORD, ""):
        node.config.stash[NOT_RUN] = line


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line where the engine tests did not run."""
    if line := config.stash.get(NOT_RUN, ""):
        terminalreporter.write_line(line, yellow=True)
