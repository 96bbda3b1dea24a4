"""The roles may make every call of the commands that run with them, and calls that AWS allows on everything only are allowed so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import Any

import pytest

from preflight.conform import permissions
from preflight.conform.iam import account as accounts
from preflight.conform.iam import evaluator, needs, reference
from preflight.conform.iam.account import Role
from preflight.conform.iam.graph import Graph
from preflight.verify.calls import CALLS
from tests.bootstrap.test_role_documents import BUILT
from tests.preflight.conform.graphs import STACKS, bootstrap_for, program

COMPOSITE = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
NEEDS_NO_PERMISSION = {"sts:GetCallerIdentity"}
"""https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"""
REGION, ROLE = "eu-west-1", "arn:aws:iam::111122223333:role/one"
NARROW = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:ai-interface staging *"


@cache
def documented_on_everything(service: str) -> frozenset[str]:
    """The actions of which AWS documents that a narrower resource than ``*`` does not allow them, from botocore's models."""
    session: Any = import_module("botocore.session")
    model: Any = session.get_session().get_service_model(service)
    found: set[str] = set()
    for name in model.operation_names:
        text = re.sub("<[^>]+>", "", str(model.operation_model(name).documentation or ""))
        found |= set(re.findall(r"with the (\S+:\w+) permission that is scoped to \*", text))
    return frozenset(found)


def allowed(document: str, action: str, resource: str) -> bool:
    """Whether an identity policy allows a call."""
    context = {"aws:requestedregion": [REGION]}
    request = evaluator.Request(action=action, resource=resource, principal=ROLE, context=context)
    return evaluator.allowed(request, json.loads(document)["Statement"])


def refused(document: str) -> set[str]:
    """The actions of ``verify`` that an identity policy does not allow. Where IAM has a resource for the action, any of that
    kind; on everything where AWS demands it."""
    found: set[str] = set()
    for action in sorted({action for actions in CALLS.values() for action in actions} - NEEDS_NO_PERMISSION):
        everywhere = action in documented_on_everything("cloudwatch")
        kinds = reference.existing(action).resource_types
        resource = "*" if everywhere or not kinds else f"arn:aws:{action.partition(':')[0]}:{REGION}:111122223333:one"
        if not allowed(document, action, resource):
            found.add(action)
    return found


def with_resource(document: str, action: str, resource: str) -> str:
    """The policy with the action on another resource only."""
    whole = json.loads(document)
    for statement in whole["Statement"]:
        statement["Action"] = [one for one in statement["Action"] if one != action]
    whole["Statement"].append({"Sid": "Narrow", "Effect": "Allow", "Action": [action], "Resource": [resource]})
    return json.dumps(whole)


@pytest.mark.parametrize("name", ["preview", "deploy-read"])
def test_the_role_of_verify_may_make_every_call_that_it_declares(name: str) -> None:
    assert refused(BUILT[name]) == set()


def test_each_call_that_is_taken_away_is_found() -> None:
    for action in sorted({action for actions in CALLS.values() for action in actions} - NEEDS_NO_PERMISSION):
        whole = json.loads(BUILT["preview"])
        for statement in whole["Statement"]:
            statement["Action"] = [
                one for one in statement["Action"] if not evaluator.like(one.lower(), action.lower())
            ]
        assert action in refused(json.dumps({**whole, "Statement": [s for s in whole["Statement"] if s["Action"]]}))


def test_alarms_that_are_described_by_name_only_hide_the_composite_ones() -> None:
    """The policy allows the call, so ``verify`` would report every composite alarm as missing."""
    narrow = with_resource(BUILT["preview"], "cloudwatch:DescribeAlarms", NARROW)

    assert allowed(narrow, "cloudwatch:DescribeAlarms", NARROW.replace("*", "no-tasks"))
    assert refused(narrow) == {"cloudwatch:DescribeAlarms"}


def test_the_table_has_what_aws_documents() -> None:
    called = {action for pairs in _needed("staging") for action in pairs}
    documented = documented_on_everything("cloudwatch")

    assert documented & called == set(needs.ON_EVERYTHING[COMPOSITE])
    assert len(documented) >= 3


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("action", needs.ON_EVERYTHING[COMPOSITE])
def test_a_narrower_permission_for_composite_alarms_is_found_in_the_role(stack: str, action: str) -> None:
    graph = Graph.of(program(stack), bootstrap_for(stack))
    role = accounts_of(stack)
    asked = [one for one in permissions.all_needs(graph) if isinstance(one, needs.Need)]

    found = permissions.refused(narrowed(role, action), graph, asked)

    assert permissions.refused(role, graph, asked) == []
    assert {one.urn.split("$")[-1].split("::")[0] for one in found} == {COMPOSITE}
    assert all(action in one.headline for one in found)


def accounts_of(stack: str) -> Role:
    """The environment's deploy role."""
    return accounts.of(bootstrap_for(stack), program(stack).stack).deploy


def narrowed(role: Role, action: str) -> Role:
    """The role with the action on alarms by name only."""
    documents: dict[str, tuple[Mapping[str, Any], ...]] = {
        name: tuple({**s, "Action": left} for s in document if (left := [a for a in s["Action"] if a != action]))
        for name, document in role.documents.items()
    }
    narrow = {"Effect": "Allow", "Action": [action], "Resource": ["arn:aws:cloudwatch:*:*:alarm:*"]}
    return replace(role, documents={**documents, "narrow": (narrow,)})


def _needed(stack: str) -> Iterator[set[str]]:
    graph = Graph.of(program(stack), bootstrap_for(stack))
    for resource in graph.recording.of_type(COMPOSITE):
        yield {name for names in needs.actions(resource, graph).values() for name in names}
