"""Changes of tags: those of a deployment are allowed, those that would move a key or a secret are not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from preflight.conform import permissions
from preflight.conform.iam import account as accounts
from preflight.conform.iam import owners
from preflight.conform.iam.graph import KEY, SECRET, Graph
from preflight.findings import Finding
from preflight.recording.recorder import Recording
from tests.preflight.conform.graphs import STACKS, bootstrap_for, program


def changed_bootstrap(stack: str, sid: str, change: Callable[[dict[str, Any]], None]) -> Recording:
    """The bootstrap recording with one statement of one policy changed."""
    recording = bootstrap_for(stack)
    resources = list(recording.resources)
    hits = 0
    for place, resource in enumerate(resources):
        if resource.type != "aws:iam/policy:Policy":
            continue
        document = json.loads(resource.inputs["policy"])
        for statement in document["Statement"]:
            if statement["Sid"] == sid:
                change(statement)
                hits += 1
        resources[place] = replace(resource, inputs={**resource.inputs, "policy": json.dumps(document)})
    assert hits, sid
    return replace(recording, resources=resources)


def changed_keys(stack: str, sid: str, change: Callable[[dict[str, Any]], None]) -> Recording:
    """The program's recording with one statement of every key's own policy changed."""
    recording = program(stack)
    resources = list(recording.resources)
    for place, resource in enumerate(resources):
        if resource.type == KEY:
            document = json.loads(resource.inputs["policy"])
            (statement,) = [s for s in document["Statement"] if s["Sid"] == sid]
            change(statement)
            resources[place] = replace(resource, inputs={**resource.inputs, "policy": json.dumps(document)})
    return replace(recording, resources=resources)


def headlines(found: list[Finding]) -> str:
    """The headlines of the findings, one per line."""
    return "\n".join(finding.headline for finding in found)


@pytest.mark.parametrize("stack", STACKS)
def test_a_grant_that_asks_for_all_tags_in_every_request_refuses_a_change_of_the_owner(stack: str) -> None:
    def as_it_was(statement: dict[str, Any]) -> None:
        condition = statement["Condition"]
        condition["StringEquals"] = {**condition.pop("StringEqualsIfExists"), **condition.get("StringEquals", {})}

    found = permissions.findings(program(stack), changed_bootstrap(stack, "ChangeTagsOfOwnSecrets", as_it_was))
    assert "may not call secretsmanager:TagResource for its tag, update (change of the tag owner alone)" in headlines(
        found
    )
    found = permissions.findings(changed_keys(stack, "DeploymentChangesOtherTags", as_it_was), bootstrap_for(stack))
    assert "may not call kms:TagResource for its tag, update (change of the tag owner alone)" in headlines(found)
    assert {finding.urn.rpartition("::")[2] for finding in found} <= {"operations-key", "state-key"}


def test_a_key_that_only_its_tags_open_is_not_usable_right_after_it_was_made() -> None:
    def by_tags(statement: dict[str, Any]) -> None:
        tagged = {"aws:ResourceTag/environment": ["prod"], "aws:ResourceTag/project": ["ai-interface"]}
        statement["Condition"] = {**statement.get("Condition", {}), "StringEquals": tagged}

    found = headlines(
        permissions.findings(changed_keys("prod", "DeploymentEncryptsByServices", by_tags), bootstrap_for("prod"))
    )
    assert "may not call kms:CreateGrant for its create (while the new resource's tags are not effective yet)" in found
    assert "rds/cluster:Cluster" in found
    found = headlines(
        permissions.findings(changed_keys("prod", "DeploymentKeepsTheKey", by_tags), bootstrap_for("prod"))
    )
    assert "may not call kms:EnableKeyRotation for its create (while the new" in found
    assert "may not call kms:CreateAlias for its create (while the new" in found


def test_a_value_cannot_be_put_into_a_new_secret_that_is_granted_by_its_tags_only() -> None:
    def by_tags(statement: dict[str, Any]) -> None:
        statement["Condition"]["StringEquals"] = statement["Condition"].pop("StringEqualsIfExists")

    found = headlines(permissions.findings(program("prod"), changed_bootstrap("prod", "FillNewSecrets", by_tags)))
    assert "may not call secretsmanager:PutSecretValue for its create (while the new resource's tags are not" in found
    assert "may not call secretsmanager:GetSecretValue for its create (while the new resource's tags are not" in found


def _anything(statement: dict[str, Any]) -> None:
    statement.pop("Condition", None)


def _any_tag_on_own(statement: dict[str, Any]) -> None:
    statement["Condition"].pop("StringEqualsIfExists")


def _exact_case(statement: dict[str, Any]) -> None:
    condition = statement["Condition"]
    condition["ForAllValues:StringNotEquals"] = condition.pop("ForAllValues:StringNotEqualsIgnoreCase")


@pytest.mark.parametrize(
    ("sid", "change", "expected"),
    [
        ("ChangeTagsOfOwnSecrets", _anything, "may call secretsmanager:TagResource where it takes over a resource of"),
        ("ChangeTagsOfOwnSecrets", _any_tag_on_own, "secretsmanager:TagResource where it gives the resource another e"),
        ("RemoveTagsOfOwnSecrets", _anything, "secretsmanager:UntagResource where it removes the tag environment"),
        ("RemoveTagsOfOwnSecrets", _exact_case, "secretsmanager:UntagResource where it removes the tag Environment"),
        (
            "KeepOwnSecrets",
            _anything,
            "secretsmanager:DeleteSecret where it is about a resource of ai-interface another",
        ),
        (
            "FillNewSecrets",
            _anything,
            "secretsmanager:GetSecretValue where it is about a resource of ai-interface another",
        ),
        ("CreateTaggedSecrets", _any_tag_on_own, "secretsmanager:TagResource where it takes over a resource of"),
        ("CreateTaggedKeys", _any_tag_on_own, "kms:TagResource where it takes over a resource of ai-interface another"),
        ("DecryptOwnSecrets", _anything, "kms:Decrypt where it is about a resource of ai-interface another"),
    ],
)
def test_a_grant_without_its_condition_lets_an_environment_take_anothers(
    sid: str, change: Callable[[dict[str, Any]], None], expected: str
) -> None:
    assert expected in headlines(permissions.findings(program("prod"), changed_bootstrap("prod", sid, change)))


@pytest.mark.parametrize(
    ("sid", "change", "expected"),
    [
        ("DeploymentChangesOtherTags", _anything, "kms:TagResource where it gives the resource another project"),
        ("DeploymentRemovesOtherTags", _anything, "kms:UntagResource where it removes the tag project"),
        ("DeploymentRemovesOtherTags", _exact_case, "kms:UntagResource where it removes the tag Project"),
    ],
)
def test_a_key_policy_without_its_condition_gives_the_key_away(
    sid: str, change: Callable[[dict[str, Any]], None], expected: str
) -> None:
    assert expected in headlines(permissions.findings(changed_keys("prod", sid, change), bootstrap_for("prod")))


@pytest.mark.parametrize("stack", STACKS)
def test_every_key_and_secret_is_tried_in_every_way(stack: str) -> None:
    recording = program(stack)
    graph = Graph.of(recording, bootstrap_for(stack))
    known = [need for need in permissions.all_needs(graph) if isinstance(need, permissions.Need)]
    tried = [(t.need.resource.name, t.need.action, t.need.situation) for t in owners.trespasses(graph, known)]
    kept = {r.name for r in recording.resources if r.type in (KEY, SECRET)}
    assert {name for name, _, _ in tried} == kept
    for name in kept:
        whats = {what for other, _, what in tried if other == name}
        assert {
            "removes the tag environment",
            "removes the tag Project",
            "gives the resource another environment",
        } <= whats
        assert "takes over a resource of ai-interface another" in whats


def test_the_condition_of_one_environments_roles_is_not_met_by_anothers_tags() -> None:
    """Both environments in one account: staging's role about prod's real keys and secrets, including tags and
    policies."""
    staging = accounts.of(bootstrap_for("staging"), "staging").deploy
    graph = Graph.of(program("prod"), bootstrap_for("prod"))
    writes = [
        need
        for need in permissions.all_needs(graph)
        if isinstance(need, permissions.Need)
        and need.resource.type in (KEY, SECRET)
        and need.operation in ("update", "tag", "delete")
        and not need.action.partition(":")[2].startswith(("Describe", "Get", "List"))
    ]
    assert len(writes) > 20
    assert [need.action for need in writes if permissions.allowed(staging, graph, need)] == []


def test_changes_leave_the_recordings_as_they_are() -> None:
    before = copy.deepcopy([r.inputs for r in bootstrap_for("prod").resources])
    changed_bootstrap("prod", "FillNewSecrets", _anything)
    assert [r.inputs for r in bootstrap_for("prod").resources] == before
