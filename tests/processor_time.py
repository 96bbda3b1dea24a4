"""Name what the tests' processor time is spent on: ``pytest -p tests.processor_time``.

Wall time says little on a machine that others use too. This counts the processor time of the process that runs the tests and
of the programs that it starts, once they have ended: a server that several tests share counts where it is stopped.
"""

from __future__ import annotations

import resource
import time
from collections import defaultdict
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, cast

import pytest

_TEST, _FIXTURE = "processor seconds", "processor seconds of "
_LISTED = 60
_LEAST = 0.05
"""Seconds of a fixture that are worth naming."""


@dataclass(slots=True)
class _Total:
    processor: float = 0
    wall: float = 0
    times: int = 0


_totals: dict[str, defaultdict[str, _Total]] = {title: defaultdict(_Total) for title in ("files", "fixtures", "tests")}
_began = pytest.StashKey[tuple[float, float]]()


def _now() -> tuple[float, float]:
    """Processor and wall time in seconds."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used), time.monotonic()


def _since(before: tuple[float, float]) -> tuple[float, float]:
    now = _now()
    return now[0] - before[0], now[1] - before[1]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Remember when the test begins."""
    item.stash[_began] = _now()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Count a fixture apart; the test that asked for it first contains it too."""
    before = _now()
    try:
        return (yield)
    finally:
        spent = _since(before)
        if spent[0] > _LEAST:
            item = cast("pytest.Item", getattr(request, "_pyfuncitem"))  # noqa: B009 - pytest names it nowhere else
            item.user_properties.append((f"{_FIXTURE}{fixturedef.baseid}::{fixturedef.argname}", spent))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Hand the sums to the process that prints them."""
    if call.when == "teardown":
        item.user_properties.append((_TEST, _since(item.stash[_began])))
    return (yield)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up."""
    for name, value in report.user_properties if report.when == "teardown" else ():
        if name.startswith(_FIXTURE):
            _add("fixtures", name.removeprefix(_FIXTURE), value)
        elif name == _TEST:
            _add("files", report.nodeid.partition("::")[0], value)
            _add("tests", report.nodeid, value)


def _add(title: str, name: str, value: object) -> None:
    processor, wall = cast("tuple[float, float]", value)
    total = _totals[title][name]
    total.processor, total.wall, total.times = total.processor + processor, total.wall + wall, total.times + 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what took most."""
    for title, totals in _totals.items():
        if totals:
            together = sum(total.processor for total in totals.values())
            terminalreporter.section(f"processor time of {title}, together {together:.0f} s")
        for name, total in sorted(totals.items(), key=lambda item: (-item[1].processor, item[0]))[:_LISTED]:
            terminalreporter.write_line(
                f"{total.processor:7.1f} s, {total.wall:7.1f} s of wall, {total.times:4} times  {name}"
            )
