"""One policy in the terminal, the version, and the length of a clean report."""

from __future__ import annotations

import tomllib

import pytest

from policies.guardrails.renamed import renamed
from policies.guardrails.rules import RULES
from policies.parity.rules import RULES as PARITY
from preflight.__main__ import main
from preflight.findings import Environment, Finding, Report, Seen, Verdict
from preflight.report.output import render
from tests.settings.stack_files import ROOT


@pytest.mark.parametrize("name", sorted(rule.name for rule in (*RULES, *PARITY)))
def test_every_policy_is_explained_with_its_fix_and_level(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", name]) == 0
    text = capsys.readouterr().out
    (rule,) = (one for one in (*RULES, *PARITY) if one.name == name)
    assert text.startswith(f"{name}\n\n{rule.description.splitlines()[0]}")
    assert f"fix        {rule.remediation}" in text
    assert all(control in text for control in rule.controls)


def test_an_earlier_id_is_explained_under_the_current_one(capsys: pytest.CaptureFixture[str]) -> None:
    former, present = next(iter(renamed().items()))
    assert main(["explain", former]) == 0
    assert capsys.readouterr().out.startswith(f"{present}\n")


def test_an_id_that_no_policy_has_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "elb-listener-use-tls"]) == 2
    assert "the nearest: elb-listeners-use-tls" in capsys.readouterr().err


def test_the_version_is_the_one_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert (ended.value.code, capsys.readouterr().out) == (0, f"preflight {declared}\n")


LATER = Finding(
    "prod",
    "p",
    Verdict.NOT_PROVEN,
    "iam.RolePolicy x.policy",
    mandatory=False,
    seen=Seen.PREVIEW,
    urn="urn:pulumi:prod::p::t::x",
)
REPORT = Report("p", (Environment("prod", 1, 1, 0, 0, 0, ""),), (), (LATER,), None, (), (), 0.0)


def test_values_of_a_first_preview_are_counted_in_one_line_and_listed_on_request() -> None:
    short, long = (render(REPORT, "text", terminal=False, verbose=verbose) for verbose in (False, True))
    assert "1 value is not known yet (--verbose lists them)" in short
    assert LATER.headline not in short
    assert LATER.headline in long


@pytest.mark.parametrize(("color", "escapes"), [(True, True), (False, False), (None, True)])
def test_a_terminal_may_ask_for_no_color(color: bool | None, escapes: bool) -> None:
    failing = Report("p", REPORT.environments, (), (Finding("prod", "p", Verdict.VIOLATED, "x"),), None, (), (), 0.0)
    assert ("\033[" in render(failing, "text", terminal=True, color=color)) is escapes
