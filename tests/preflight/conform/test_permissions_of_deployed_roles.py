"""The roles of tasks, logs, monitoring and backups: their policies and the boundary allow their calls."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from preflight.conform import permissions
from preflight.conform.iam import account as accounts
from preflight.conform.iam import uses
from preflight.conform.iam.account import DeploymentAccount, Role
from preflight.conform.iam.conditions import like
from preflight.conform.iam.graph import Graph
from tests.preflight.conform.graphs import STACKS, bootstrap_for, program


@cache
def setting(stack: str) -> tuple[DeploymentAccount, Graph]:
    """The account's roles and the program's graph."""
    return accounts.of(bootstrap_for(stack), stack), Graph.of(program(stack), bootstrap_for(stack))


def calls(stack: str) -> list[uses.Use]:
    """Every call of every deployed role."""
    return list(uses.of_graph(setting(stack)[1]))


@pytest.mark.parametrize("stack", STACKS)
def test_every_deployed_role_is_used_for_something(stack: str) -> None:
    known, graph = setting(stack)
    assert {use.role for use in calls(stack)} == set(permissions.deployed(known, graph))
    assert len(calls(stack)) > 100


def services(stack: str, role: str) -> set[str]:
    """The services that a role calls."""
    return {use.action.partition(":")[0] for use in calls(stack) if f"/{role}-" in use.role}


def test_the_tasks_roles_are_used_for_what_the_design_says() -> None:
    assert services("prod", "workload-task") == {"bedrock", "kms", "rds-db", "s3"}
    assert services("prod", "workload-execution") == {"ecr", "kms", "logs", "secretsmanager"}
    assert services("prod", "state-backup") == {"backup", "cloudwatch", "events", "kms", "rds", "s3", "tag"}


def without_actions(document: accounts.Statements, action: str) -> accounts.Statements:
    """Statements that no longer allow an action; one that names nothing else is gone."""
    kept: list[dict[str, Any]] = []
    for statement in document:
        left = [a for a in statement["Action"] if statement["Effect"] != "Allow" or not like(a.lower(), action.lower())]
        kept += [{**statement, "Action": left}] if left else []
    return tuple(kept)


@pytest.mark.parametrize("stack", STACKS)
def test_each_action_that_is_taken_from_the_boundary_is_found(stack: str) -> None:
    known, graph = setting(stack)
    needed = {use.action for use in calls(stack)}
    for action in sorted(needed):
        narrower = replace(known, workload_boundary=without_actions(known.workload_boundary, action))
        found = permissions.unfit(narrower, graph)
        assert any(f"may not call {action}" in f.headline and "its boundary" in f.found for f in found), action
    assert len(needed) > 50


@pytest.mark.parametrize("stack", STACKS)
def test_each_action_that_is_taken_from_a_role_is_found(stack: str) -> None:
    known, graph = setting(stack)
    roles = permissions.deployed(known, graph)
    for use in calls(stack):
        role = roles[use.role]
        documents = {name: without_actions(document, use.action) for name, document in role.documents.items()}
        assert permissions.use_allowed(role, graph, use), use.action
        assert not permissions.use_allowed(Role(role.name, role.arn, documents, role.boundary), graph, use), use.action


def test_a_role_with_another_boundary_may_do_nothing() -> None:
    known, graph = setting("prod")
    other = replace(known, workload_boundary_arn=f"{known.workload_boundary_arn}-other")
    assert len(permissions.unfit(other, graph)) > 50


def test_a_secret_of_another_environment_is_outside_the_boundary() -> None:
    known, graph = setting("prod")
    tagged: dict[str, Any] = {"aws:resourcetag/environment": ("staging",), "aws:resourcetag/project": ("ai-interface",)}
    arn = graph.arn("secretsmanager", "secret:state-cache-url-1a2b3c4-AbCdEf")
    (execution,) = [r for r in permissions.deployed(known, graph).values() if r.name == "workload-execution"]
    anything = replace(execution, documents={"all": json.loads('[{"Effect":"Allow","Action":["*"],"Resource":["*"]}]')})
    assert not anything.allows("secretsmanager:GetSecretValue", arn, tagged)
    assert anything.allows("secretsmanager:GetSecretValue", arn, {**tagged, "aws:resourcetag/environment": ("prod",)})
