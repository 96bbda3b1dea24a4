"""One findings model: made of what policies report, merged from both runs, and the same in every format."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree as Xml

import pytest

from policies.guardrails.details import Details
from preflight.commands.console import FORMATS
from preflight.findings import (
    Environment,
    Finding,
    Parity,
    Report,
    Rule,
    Seen,
    Verdict,
    grouped,
    merge,
    summarize,
)  # fmt: skip
from preflight.pulumi.protocol import Diagnostic
from preflight.pulumi.reported import from_diagnostic
from preflight.report.comment import LONGEST
from preflight.report.data import as_json, as_junit, as_markdown, as_sarif
from preflight.report.output import RENDERERS, render
from preflight.report.text import text
from tests.preflight.sarif import validate_sarif

DETAILS = Details(
    verdict="violated",
    headline="vpc.SecurityGroupIngressRule open.cidrIpv4 admits the internet",
    resource="vpc.SecurityGroupIngressRule open",
    property="cidrIpv4",
    found="0.0.0.0/1",
    wanted="the edge's security group",
    fix="name the group",
    witness="internet → open → task",
)
EXCEPTED = replace(DETAILS, excepted_until="2027-05-01", excepted_because="we know", excepted_by="platform")
RULE = Rule("vpc-open-ingress", "guardrails", "Nothing internal admits the internet.", "Name the group.", "critical")


def diagnostic(
    details: Details | None = DETAILS, enforcement: str = "mandatory", stack: str = "prod", message: str = ""
) -> Diagnostic:
    urn = f"urn:pulumi:{stack}::shop::aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule::open"
    return Diagnostic(
        "guardrails", "vpc-open-ingress", urn, message, RULE.description, enforcement, "critical", details
    )


def finding(
    details: Details | None = DETAILS,
    *,
    preview: bool = False,
    stack: str = "prod",
    enforcement: str = "mandatory",
    message: str = "",
) -> Finding:
    said = diagnostic(details, enforcement, stack, message)
    return from_diagnostic(said, stack, {"vpc-open-ingress": True}, preview=preview)


def report(*findings: Finding) -> Report:
    found = tuple(merge(findings))
    environments = tuple(summarize(name, 10, [RULE], found) for name in ("staging", "prod"))
    return Report("shop", environments, (RULE,), found, Parity("equal"), seconds=1.23)


def test_a_policys_report_becomes_the_parts_of_a_finding() -> None:
    found = finding()
    assert (found.verdict, found.headline) == (
        Verdict.VIOLATED, "vpc.SecurityGroupIngressRule open.cidrIpv4 admits the internet",
    )  # fmt: skip
    assert (found.found, found.wanted, found.fix) == ("0.0.0.0/1", "the edge's security group", "name the group")
    assert found.witness == "internet → open → task"
    assert (found.resource, found.property_path) == ("vpc.SecurityGroupIngressRule open", "cidrIpv4")
    assert found.fails


def test_the_text_of_a_foreign_pack_is_a_violation_with_its_first_line() -> None:
    found = finding(None, message="Buckets must be private.\nSee the handbook.")
    assert (found.verdict, found.headline, found.fails) == (Verdict.VIOLATED, "Buckets must be private.", True)
    assert found.found == "See the handbook."


def test_a_text_that_looks_like_a_report_is_not_read_as_one() -> None:
    text = "not proven: x\nfix: y\nexcepted until 2027-05-01: r (owner: o)"
    found = finding(None, message=text)
    assert (found.verdict, found.headline, found.fix, found.exemption) == (
        Verdict.VIOLATED, "not proven: x", "", None,
    )  # fmt: skip


def test_an_exception_is_read_and_does_not_fail_the_check() -> None:
    found = finding(EXCEPTED, enforcement="advisory")
    assert found.exemption is not None
    assert (found.exemption.expires, found.exemption.reason, found.exemption.owner) == (
        "2027-05-01",
        "we know",
        "platform",
    )
    assert not found.fails


def test_a_policy_that_only_advises_is_counted_as_advice_and_not_as_proven() -> None:
    rules = [Rule(name, "pack", "") for name in ("one", "two")]
    advice = replace(finding(enforcement="advisory"), rule="one", environment="prod")
    counted = summarize("prod", 1, rules, [advice])
    assert (counted.proven, counted.violated, counted.advised) == (1, 0, 1)
    later = replace(advice, verdict=Verdict.NOT_PROVEN, seen=Seen.PREVIEW)
    assert summarize("prod", 1, rules, [later]).advised == 0
    both = summarize("prod", 1, rules, [advice, replace(advice, mandatory=True)])
    assert (both.violated, both.advised) == (1, 0)


def test_advice_does_not_fail_the_check() -> None:
    assert report(finding(enforcement="advisory")).exit_code == 0


def test_a_policy_that_the_sdk_could_not_run_is_not_proven_and_fails() -> None:
    found = finding(
        None, message="can't run policy 'vpc-open-ingress' from policy pack 'x' during preview", enforcement="advisory"
    )
    assert (found.verdict, found.fails) == (Verdict.NOT_PROVEN, True)


def test_what_both_runs_say_is_said_once() -> None:
    (found,) = merge([finding(), finding(preview=True)])
    assert found.seen is Seen.BOTH


@pytest.mark.parametrize(("preview", "seen"), [(False, Seen.KNOWN), (True, Seen.PREVIEW)])
def test_what_one_run_says_keeps_that_run(preview: bool, seen: Seen) -> None:
    (found,) = merge([finding(preview=preview)])
    assert found.seen is seen


def test_a_violation_with_known_values_that_a_preview_cannot_prove_stays_a_violation() -> None:
    unknown = replace(DETAILS, verdict="not proven", found="not known yet")
    (found,) = merge([finding(), finding(unknown, preview=True)])
    assert (found.verdict, found.found) == (Verdict.VIOLATED, "0.0.0.0/1")


def test_the_same_finding_in_two_environments_is_shown_once_with_both() -> None:
    found = merge([finding(stack="prod"), finding(stack="staging")])
    assert [environments for _, environments in grouped(found)] == [("prod", "staging")]


def test_an_environment_counts_each_policy_once_by_its_worst_finding() -> None:
    other = replace(finding(), headline="another", urn="urn:pulumi:prod::shop::x:y:z::other")
    assert summarize("prod", 5, [RULE], [finding(), other]) == Environment("prod", 5, 0, 1, 0, 0, "")
    assert summarize("staging", 5, [RULE], [finding()]) == Environment("staging", 5, 1, 0, 0, 0, "")


def _first_result(sarif: str) -> str:
    return json.loads(sarif)["runs"][0]["results"][0]["message"]["text"]


def _first_failure(junit: str) -> str:
    failure = Xml.fromstring(junit).find(".//failure")  # noqa: S314 - our own output
    assert failure is not None
    return f"{failure.get('message')} {failure.text}"


STATED: dict[str, Callable[[str], str]] = {
    "text": str,
    "json": lambda content: json.loads(content)["findings"][0]["headline"],
    "markdown": str,
    "sarif": _first_result,
    "junit": _first_failure,
}
"""Every output format → how its statement of a report's only finding is read."""


def test_the_command_line_offers_the_formats_that_are_rendered_and_each_has_a_case_here() -> None:
    assert set(FORMATS) == {"text", *RENDERERS}
    assert set(STATED) == set(FORMATS), "add the new format to STATED, and a test of what is special about it"


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_states_the_finding(name: str) -> None:
    assert DETAILS.headline in STATED[name](render(report(finding()), name, terminal=False))


def test_a_terminal_gets_colour_and_time_and_a_pipe_gets_neither() -> None:
    found = report(finding())
    assert "\033[31m" in text(found, terminal=True)
    assert "1.2 s" in text(found, terminal=True)
    assert "\033" not in text(found, terminal=False)
    assert "1.2 s" not in text(found, terminal=False)


def test_json_is_the_whole_report_without_the_time() -> None:
    content = json.loads(as_json(report(finding())))
    assert content["findings"][0]["rule"] == "vpc-open-ingress"
    assert "seconds" not in content


def test_markdown_escapes_what_policies_and_programs_say() -> None:
    content = as_markdown(report(finding(replace(DETAILS, found="<img src=x> | `code`"))))
    assert "&lt;img src=x&gt; \\| \\`code\\`" in content
    assert content.startswith("<!-- ai-interface preflight -->\n### shop preflight: 1 finding to act on")


def test_markdown_fits_into_a_comment() -> None:
    many = [replace(finding(), urn=f"urn:pulumi:prod::shop::t::{n}", headline=f"{n} " + "x" * 500) for n in range(300)]
    assert len(as_markdown(report(*many)).encode()) < LONGEST


def test_sarif_points_at_the_line_and_suppresses_exceptions() -> None:
    located = replace(finding(), source_file="components/edge/component.py", source_line=120)
    excepted = finding(EXCEPTED, stack="staging", enforcement="advisory")
    log = json.loads(as_sarif(report(located, excepted)))
    validate_sarif(log)
    results = log["runs"][0]["results"]
    place = results[0]["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("components/edge/component.py", 120)
    assert [("suppressions" in r, r["level"]) for r in results] == [(False, "error"), (True, "note")]


def test_junit_fails_the_case_of_the_policy() -> None:
    root = Xml.fromstring(as_junit(report(finding())))  # noqa: S314 - our own output
    prod = next(suite for suite in root if suite.get("name") == "prod")
    failure = prod.find("testcase/failure")
    assert failure is not None
    assert prod.get("failures") == "1"
    assert "fix: name the group" in (failure.text or "")
