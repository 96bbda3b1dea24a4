"""Declared differences are allowed for a time; what is undeclared, backwards, stale or expired is a finding."""

from __future__ import annotations

import datetime as dt

import pytest

from policies.guardrails.rule import Level
from policies.parity import evaluate
from policies.parity.declarations import AllowedDifferences, read
from policies.parity.rules import DECLARATIONS, ORDER, PROPERTIES, RESOURCES, UNKNOWN
from tests.parity.stacks import change, committed, prod, shape, staging, without

TODAY = dt.date(2026, 11, 24)
ENTRY = {
    "kind": "retention",
    "resource": "Net/cloudwatch.LogGroup/*",
    "property": "retentionInDays",
    "reason": "Prod keeps more.",
    "owner": "platform",
    "expires": "2027-03-01",
}


def declared(**changes: str | None) -> AllowedDifferences:
    entry = {key: value for key, value in {**ENTRY, **changes}.items() if value is not None}
    lines = "\n".join(f"    {key}: {value}" for key, value in entry.items())
    return read(f"environments: [staging, prod]\ndifferences:\n  -\n{lines}\n", TODAY)


NONE = read("environments: [staging, prod]\n", TODAY)
MORE = change(prod(), "logs", retentionInDays=90)
LESS = change(prod(), "logs", retentionInDays=7)


def evaluated(later: list[dict[str, object]], allowed: AllowedDifferences) -> evaluate.ParityResult:
    return evaluate.of_all({"prod": shape(later), "staging": shape(staging())}, allowed)


def test_equal_environments_have_no_finding() -> None:
    found = evaluated(prod(), NONE)
    assert (found.findings, dict(found.declared)) == ([], {})


def test_an_undeclared_difference_names_place_both_values_and_the_fix() -> None:
    (found,) = evaluated(MORE, NONE).findings
    assert found.rule is PROPERTIES
    assert found.finding.urn.startswith("urn:pulumi:prod::")
    assert found.message.splitlines() == [
        "violated: cloudwatch.LogGroup logs.retentionInDays differs",
        "found: staging: 30; prod: 90",
        "wanted: the same, or more in prod as a declared difference",
        "fix: set the same value in every environment, or declare the difference with reason, owner and expiry in "
        "policies/parity/differences.yaml",
    ]


def test_a_declared_difference_is_counted_and_no_finding() -> None:
    found = evaluated(MORE, declared())
    assert (found.findings, dict(found.declared)) == ([], {"retention": 1})


def test_less_in_the_later_environment_is_a_finding_even_when_declared() -> None:
    assert [j.rule for j in evaluated(LESS, declared()).findings] == [ORDER]


def test_a_resource_in_one_environment_only_is_one_finding() -> None:
    (found,) = evaluated(without(prod(), "logs"), NONE).findings
    assert found.rule is RESOURCES
    assert found.message.startswith("violated: cloudwatch.LogGroup logs exists in staging only")


def test_a_stale_declaration_is_a_finding() -> None:
    (found,) = evaluated(prod(), declared()).findings
    assert found.rule is DECLARATIONS
    assert "entry 1 is unused" in found.message


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"expires": "2026-11-24"}, "entry 1 has expired\nfound: 2026-11-24"),
        ({"expires": "2028-01-01"}, "at most 366 days ahead"),
        ({"expires": "soon"}, "entry 1 has no valid expiry date\nfound: soon\nwanted: a date as YYYY-MM-DD"),
        ({"reason": None}, "entry 1 has no reason"),
        ({"owner": None}, "entry 1 has no owner"),
        ({"resource": '"*"'}, "entry 1 is too wide\nfound: *"),
        ({"because": "x"}, "entry 1 has an unknown key\nfound: because"),
    ],
)
def test_a_declaration_that_does_not_hold_is_a_finding_and_allows_nothing(
    changes: dict[str, str], problem: str
) -> None:
    found = evaluated(MORE, declared(**changes)).findings
    assert {j.rule.name for j in found} == {DECLARATIONS.name, PROPERTIES.name}
    assert any(problem in j.message for j in found)


def test_unreadable_declarations_are_a_finding() -> None:
    found = evaluated(prod(), read("differences: [", TODAY)).findings
    assert [j.rule for j in found] == [DECLARATIONS]


def test_a_running_stack_is_held_against_the_other_environments_manifest() -> None:
    both = committed(shape(prod()), shape(staging()))
    assert evaluate.of_running(shape(staging()), both, NONE).findings == []
    drifted = shape(change(staging(), "subnet-eu-west-1a", cidrBlock="10.1.7.0/24"))
    (found,) = evaluate.of_running(drifted, both, NONE).findings
    assert found.message.splitlines()[0] == "violated: ec2.Subnet subnet-{region}a.cidrBlock differs"


def test_what_is_not_known_yet_is_advice_and_names_the_properties() -> None:
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    entries = change(staging(), "reader", policy=unknown)
    (found,) = evaluate.of_running(shape(entries), committed(shape(prod())), NONE).findings
    assert (found.rule, found.level) == (UNKNOWN, Level.ADVISORY)
    assert "unknown: reader.policy" in found.message


def test_a_reference_that_is_not_known_yet_but_wired_to_the_same_resource_is_equal() -> None:
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    entries = change(staging(), "subnet-eu-west-1a", vpcId=unknown)
    assert evaluate.of_running(shape(entries), committed(shape(prod())), NONE).findings == []


def test_any_number_of_environments_is_compared_with_its_neighbours() -> None:
    allowed = read("environments: [dev, staging, prod]\n", TODAY)
    shapes = {"prod": shape(MORE), "staging": shape(staging())}
    dev = shape(staging())
    found = evaluate.of_all({**shapes, "dev": type(dev)("dev", dev.items)}, allowed).findings
    assert [j.message.splitlines()[1] for j in found] == ["found: staging: 30; prod: 90"]


def image(digest: str, release: str) -> dict[str, object]:
    containers = f'[{{"name": "web", "image": "x@sha256:{digest}", "user": "10001"}}]'
    return {"containerDefinitions": containers, "tags": {"release": release}}


def released(earlier: dict[str, object], later: dict[str, object]) -> list[str]:
    sides = change(staging(), "task", **earlier), change(prod(), "task", **later)
    found = evaluate.of_all({"staging": shape(sides[0]), "prod": shape(sides[1])}, NONE).findings
    return [j.message.splitlines()[0] for j in found]


def test_another_release_brings_another_image() -> None:
    assert released(image("b", "2026.11.2"), image("a", "2026.11.1")) == []


def test_the_same_release_is_the_same_image_everywhere() -> None:
    assert released(image("b", "2026.11.1"), image("a", "2026.11.1")) == [
        "violated: ecs.TaskDefinition task.containerDefinitions[web].image differs"
    ]
