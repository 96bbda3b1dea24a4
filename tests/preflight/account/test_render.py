"""A result in every format: the same lines, and the exit code for them."""

from __future__ import annotations

import json
from xml.etree import ElementTree as Xml

import pytest

from preflight.account.lines import Answer, Group, Status
from preflight.account.render import FORMATS, WIDTH

GROUP = Group("quotas")
OK = GROUP.ok("VPCs per Region", "quota 5, in use 1, the stack needs 1")
MISSING = GROUP.missing(
    "Fargate", "quota 6, the stack needs 8 | <at most>", "aws service-quotas request-service-quota-increase"
)
UNKNOWN = Group("names").cannot_tell(
    "aliases", "the credentials are not allowed to make this call", "allow kms:ListAliases"
)


def _answer(*lines: object, strict: bool = False) -> Answer:
    return Answer("ready", "staging", "111122223333", "eu-west-1", tuple(lines), strict)  # type: ignore[arg-type]


ALL = _answer(OK, MISSING, UNKNOWN)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (_answer(OK), 0),
        (_answer(OK, MISSING), 1),
        (_answer(OK, UNKNOWN), 0),
        (_answer(OK, UNKNOWN, strict=True), 1),
        (_answer(), 0),
    ],
)
def test_missing_fails_and_unknown_fails_only_when_strict(answer: Answer, code: int) -> None:
    assert answer.exit_code == code


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_every_line_and_is_the_same_twice(name: str) -> None:
    said = FORMATS[name](ALL)
    assert said == FORMATS[name](ALL)
    for piece in ("VPCs per Region", "Fargate", "aliases", "kms:ListAliases", "request-service-quota-increase"):
        assert piece in said


def test_text_has_the_fix_below_what_is_not_ok_and_counts_at_the_end() -> None:
    lines = FORMATS["text"](ALL).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert [line.strip() for line in lines if "fix: " in line] == [f"fix: {MISSING.fix}", f"fix: {UNKNOWN.fix}"]
    assert lines[-1] == "1 ok, 1 missing, 1 cannot tell"


def test_json_has_counts_and_exit_code() -> None:
    content = json.loads(FORMATS["json"](ALL))
    assert content["counts"] == {"ok": 1, "missing": 1, "cannot tell": 1}
    assert content["exitCode"] == 1
    assert [line["status"] for line in content["lines"]] == ["ok", "missing", "cannot tell"]


def test_markdown_has_what_is_missing_first_and_lets_no_text_become_a_cell_or_a_tag() -> None:
    rows = FORMATS["markdown"](ALL).splitlines()[4:]
    assert [row.split(" | ")[0] for row in rows] == ["| missing", "| cannot tell", "| ok"]
    assert "\\| &lt;at most&gt;" in rows[0]


@pytest.mark.parametrize(("strict", "failures", "skipped"), [(False, 1, 1), (True, 2, 0)])
def test_junit_fails_missing_lines_and_skips_unknown_ones(strict: bool, failures: int, skipped: int) -> None:
    root = Xml.fromstring(FORMATS["junit"](_answer(OK, MISSING, UNKNOWN, strict=strict)))  # noqa: S314 - our own
    assert len(root.findall(".//failure")) == failures
    assert len(root.findall(".//skipped")) == skipped
    assert {suite.get("name"): suite.get("tests") for suite in root.findall("testsuite")} == {
        "quotas": "2",
        "names": "1",
    }


def test_a_line_that_is_not_ok_says_what_to_do() -> None:
    assert [line for line in ALL.lines if (line.status is Status.OK) == bool(line.fix)] == []
