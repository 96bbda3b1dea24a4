"""Whatever becomes unknown, no policy stumbles, and what was compliant is never called violated for it."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from policies.guardrails.analyzer import Analyzer
from policies.guardrails.profiles import Profile
from policies.guardrails.rule import Rule
from policies.guardrails.rules import RULES
from policies.guardrails.server import pack
from policies.guardrails.topology.graph.values import Value, as_list, as_mapping
from preflight.pulumi.protocol import resource_request, stack_request
from tests.policies.cases import ALL
from tests.policies.wire import UNKNOWN, Case

Resources = tuple[dict[str, Any], ...]
COMPLIANT = [case for case in ALL if not case.expected and not case.what.startswith("not applicable")]
NOWHERE = "urn:pulumi:test::project::other:index:Thing::elsewhere"
"""What the unknown value comes from: no resource of the stack, so nothing can be concluded from it."""
BY_NAME = {rule.name: rule for rule in RULES}

# What only has to be there: an unknown that the program declares is there.
PRESENCE_COUNTS = (
    "authToken",
    "block",
    "cookies",
    "kmsKey",
    "kmsMasterKeyId",
    "permissionsBoundary",
    "queryString",
    "replicationSourceIdentifier",
    "ruleLabels",
    "shop",  # a dimension: its name says which metric it is
    "subnetIds",
    "uriPath",
    "userGroupIds",
)
# Where an absent value is worse than an unknown one, for the reason given.
ABSENCE_IS_WORSE = {
    "vpc-open-ingress": "addresses that are not known yet are left to the proof over the whole stack",
    "stack-sensitive-values-are-secret": "a value gets its mark when it is known",
}


def variants(case: Case) -> Iterator[tuple[str, Resources, Resources]]:
    """Each place of the case's resources: where it is, the resources with it unknown, and without it."""
    for index, resource in enumerate(case.resources):
        for place in _places(resource["inputs"], ()):
            unknown, absent = copy.deepcopy(resource), copy.deepcopy(resource)
            _holder(unknown, place)[place[-1]] = UNKNOWN
            del _holder(absent, place)[place[-1]]
            unknown["property_dependencies"] = {**unknown["property_dependencies"], place[0]: (NOWHERE,)}
            before, after = case.resources[:index], case.resources[index + 1 :]
            label = f"{resource['name']}.{'.'.join(map(str, place))}"
            yield label, (*before, unknown, *after), (*before, absent, *after)


def _holder(resource: dict[str, Any], place: tuple[Any, ...]) -> Value:
    holder: Value = resource["inputs"]
    for step in place[:-1]:
        holder = holder[step]
    return holder


def _places(value: Value, before: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    items: list[tuple[Any, Any]] = [*(as_mapping(value) or {}).items(), *enumerate(as_list(value) or [])]
    for key, item in items:
        if item is not None:
            yield (*before, key)
            yield from _places(item, (*before, key))


def _only_has_to_be_there(label: str) -> bool:
    last = label.rpartition(".")[2]
    return last.isdigit() or last in PRESENCE_COUNTS


@cache
def _analyzer(name: str) -> Analyzer:
    """An analyzer outside of a preview: it keeps nothing from one request to the next."""
    return Analyzer(pack(dt.date(2030, 1, 1), (BY_NAME[name],), Profile.AI_INTERFACE))


def reported(rule: Rule, resources: Resources) -> list[str]:
    analyzer = _analyzer(rule.name)
    if rule.is_stack:
        return [item.message for item in analyzer.AnalyzeStack(stack_request(resources), None).diagnostics]
    answers = [analyzer.Analyze(resource_request(resource, {}), None) for resource in resources]
    return [item.message for answer in answers for item in answer.diagnostics]


_with_unknowns: dict[int, list[tuple[str, Resources, list[str]]]] = {}


def with_unknowns(case: Case) -> list[tuple[str, Resources, list[str]]]:
    """Each place of a case: where it is, the resources without it, and what is reported when it is unknown. Both tests ask for it."""
    if id(case) not in _with_unknowns:
        rule = BY_NAME[case.policy]
        _with_unknowns[id(case)] = [
            (label, absent, reported(rule, unknown)) for label, unknown, absent in variants(case)
        ]
    return _with_unknowns[id(case)]


@pytest.mark.parametrize("case", COMPLIANT, ids=str)
def test_an_unknown_value_is_judged_without_stumbling(case: Case) -> None:
    found = [message for _, _, messages in with_unknowns(case) for message in messages]
    assert [message for message in found if "could not be checked" in message] == []


@pytest.mark.parametrize("case", [case for case in COMPLIANT if case.policy not in ABSENCE_IS_WORSE], ids=str)
def test_an_unknown_value_never_passes_where_an_absent_one_does_not(case: Case) -> None:
    rule = BY_NAME[case.policy]
    passed = [
        label
        for label, absent, messages in with_unknowns(case)
        if not _only_has_to_be_there(label) and not messages and reported(rule, absent)
    ]
    assert passed == []
