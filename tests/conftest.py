"""Engine tests run if they are requested and the Pulumi CLI exists; otherwise one line reports that they were skipped.

Tests in folders and files that take seconds each get the marker ``slow``; ``make test-fast`` skips them.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
from typing import Any

import pytest

NOT_RUN = pytest.StashKey[str]()
MARKER = "engine"
SLOW = (
    "tests/preflight/changes/",
    "tests/preflight/release/",
    "tests/preflight/review/",
    "tests/local/twin/",
    "tests/preflight/analysis/",
    "tests/preflight/conform/",
    "tests/topology/packets/",
    "tests/local/",
    "tests/preflight/ready/",
    "tests/preflight/cost/",
    "tests/preflight/runbook/",
    "tests/preflight/verify/",
    "tests/database/",
    "tests/mutation/",
    "tests/proxy/",
    "tests/preflight/sdk/",
    "tests/secrecy/",
    "tests/bootstrap/test_copy_into_ecr.py",
    "tests/bootstrap/test_copy_without_a_program.py",
    "tests/gateway/",
    "tests/open_webui/",
    "tests/test_main_program.py",
)
"""Paths of the slow tests, which run the program many times, or start Envoy, PostgreSQL or an emulated AWS.

Sorted by the time that a file takes, longest first. Tests start in this order (``--no-loadscope-reorder`` in the Makefile), so
that no processor waits at the end for another one's long file."""
# The programs that tests start, often on copies of this project, compile its modules once instead of at each start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
_GARBAGE_THRESHOLDS = (20_000, 10, 10)
_WORKERS_WORD = "engine tests that did not run"


def pytest_configure(config: pytest.Config) -> None:
    """Let the processes of one run share what they record, record as ``preflight`` does, and look for garbage less often.

    Recording the program makes a million objects that live until its end: with Python's thresholds, half of the time goes into
    looking through them, and through all test modules, for cycles.
    """
    gc.set_threshold(*_GARBAGE_THRESHOLDS)
    if not config.getoption("numprocesses", None):
        from preflight.sdk import imports, lighter  # noqa: PLC0415 - the same

        imports.install()
        lighter.install()
    if getattr(config, "workerinput", None) is not None:
        from tests import once  # noqa: PLC0415 - it imports the SDK, which the process that starts the others does not need

        once.share_in(config)


def pytest_collection_finish() -> None:
    """Leave what has been imported out of every later search for garbage: it lives until the end."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the marked tests out, and remember why, unless they can run and were asked for."""
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker("slow")
    items.sort(key=lambda item: next((n for n, path in enumerate(SLOW) if item.nodeid.startswith(path)), len(SLOW)))
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
