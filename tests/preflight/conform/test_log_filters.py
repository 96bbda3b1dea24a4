"""Metric filters name fields that their log has, and filter patterns are evaluated as CloudWatch Logs documents them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from preflight.conform.filter_patterns import FilterPatternError, fields_of, matches, published
from preflight.conform.log_filters import FILTER, findings
from tests.preflight.conform.changed_graphs import edited
from tests.preflight.conform.graphs import EXTERNAL, GATEWAY, STACKS, program

NAME = "proxy-log-ModelCalls"
ABSENT = "no line of the log has the field"


Edit = Callable[[dict[str, Any]], None]


def with_other(**inputs: object) -> Edit:
    """The filter with other inputs."""
    return lambda inputs_of_filter: inputs_of_filter.update(inputs)


def in_the_metric(**inputs: object) -> Edit:
    """The same for the metric that it counts into."""
    return lambda inputs_of_filter: inputs_of_filter["metricTransformation"].update(inputs)


def reported(edit: Edit) -> list[tuple[str, str]]:
    return [
        (one.headline.removeprefix(f"{NAME}."), one.found)
        for one in findings(edited(program("staging"), FILTER, edit, NAME))
    ]


@pytest.mark.parametrize("case", [*STACKS, GATEWAY, EXTERNAL])
def test_every_filter_can_count(case: str) -> None:
    assert program(case).of_type(FILTER)
    assert findings(program(case)) == []


@pytest.mark.parametrize(
    ("edit", "headline", "found"),
    [
        (with_other(pattern='{ $.sides = "models" }'), f"pattern: {ABSENT}", "sides"),
        (with_other(pattern="{ $.side = models }"), "pattern: it is not readable", "not readable from"),
        (
            in_the_metric(value="$.latency"),
            f"metricTransformation.value: {ABSENT}",
            "latency",
        ),
        (
            in_the_metric(dimensions={"Model": "$.model"}),
            f"metricTransformation.dimensions: {ABSENT}",
            "model",
        ),
        (
            with_other(logGroupName="/ai-interface/staging/interface"),
            "logGroupName: the format of the lines is not known",
            "/interface",
        ),
    ],
)
def test_a_filter_that_never_counts_is_reported(edit: Edit, headline: str, found: str) -> None:
    ((said, what),) = reported(edit)
    assert said == headline
    assert found in what


LINE = {
    "side": "models",
    "status": 503,
    "detail": "reset{x}",
    "flags": "UH",
    "refused": None,
    "of": {"a": 1},
    "ok": True,
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ('{ $.side = "models" }', True),
        ('{ $.side != "models" }', False),
        ('{ $.side = "mod*" }', True),
        ('{ $.side = "*els" }', True),
        ('{ $.side = "odel" }', False),
        ("{ $.status >= 500 && $.status < 504 }", True),
        ("{ $.status = 200 || $.status = 503 }", True),
        ("{ $.status = 503 && ($.of.a = 2 || $.of.a = 1) }", True),
        # And binds more than or.
        ('{ $.side = "models" || $.status = 1 && $.status = 2 }', True),
        ("{ $.absent = 1 }", False),
        ("{ $.absent != 1 }", False),
        ('{ $.refused != "x" }', False),
        ('{ $.status = "503" }', False),
        ("{ $.ok = 1 }", False),
        ('{ $.detail = "reset*" }', True),
        ('{ $.detail = "reset{x}" }', True),
    ],
)
def test_a_pattern(pattern: str, expected: bool) -> None:
    assert matches(pattern, LINE) is expected


@pytest.mark.parametrize(
    "pattern",
    ["ERROR", "{ }", "{ $.a }", "{ $.a = }", "{ $.a > \"x\" }", "{ ($.a = 1 }", "{ $.a = 1 $.b = 2 }", "{ $.a = %x% }", "{ 1 = 1 }"],
)  # fmt: skip
def test_what_is_not_supported_is_refused(pattern: str) -> None:
    with pytest.raises(FilterPatternError):
        matches(pattern, LINE)


def test_lines_that_are_no_objects_match_nothing() -> None:
    assert [matches("{ $.a = 1 }", text) for text in ("", "ERROR", "[1]", '{"a": 1}')] == [False, False, False, True]


def test_the_value_is_a_constant_or_a_number_of_the_line() -> None:
    values = ("1", "$.status", "$.side", "$.absent", "$.of.a")
    assert [published({"value": value}, LINE) for value in values] == [1.0, 503.0, None, None, 1.0]
    assert fields_of('{ $.a = "$.b" && $.c.d > 1 }') == ["a", "c.d"]
