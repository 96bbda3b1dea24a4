"""Each statement of both stacks that lets a task work, taken away in turn: a call is refused, and its cause names what.

The calls are all that a task of the interface or of the synthetic chat makes; a statement without which all of them still
work has a reason in ``UNFELT``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from local.aws.access import ENDPOINT, KEY, MANAGED, ROLE, ROLE_POLICY, Access
from local.aws.iam import Decision, Policy, Principal, Request
from local.aws.s3 import Buckets
from local.aws.secrets import Secrets
from local.stack import Resource, Stack
from local.task.services import TASK_DEFINITION, task_definition
from preflight.conform.iam import reference
from preflight.conform.iam.conditions import listed
from tests.local.aws.calls import Task
from tests.local.aws.world import STACKS, bootstrap, stack

DOCUMENTS = {ENDPOINT: "policy", KEY: "policy", MANAGED: "policy", ROLE: "assumeRolePolicy", ROLE_POLICY: "policy"}
ROLES = ("executionRoleArn", "taskRoleArn")
UNFELT = {
    "CopyOwnState": "the boundary's part for backups",
    "DecryptOwnSecrets": "the boundary's part for bootstrap's shared key; UseOwnKeys allows the stack's own",
    "FindWhatToCopy": "the boundary's part for backups",
    "UseKeysOfCopiesInOtherRegions": "the boundary's part for copies of backups in another region",
    "MeasureOwnDatabases": "the boundary's part for enhanced monitoring",
    "RestoreBucketsInTests": "the boundary's part for restore tests",
    "RestoreCopiesInTests": "the boundary's part for restore tests",
    "StartScheduledTasks": "the boundary's part for the schedule of the synthetic chat",
    "HandOwnRolesToScheduledTasks": "the boundary's part for the schedule of the synthetic chat",
    "DeploymentEncryptsByServices": "the deployment's",
    "DeploymentKeepsTheKey": "the deployment's",
    "DeploymentChangesOtherTags": "the deployment's",
    "DeploymentRemovesOtherTags": "the deployment's",
    "LogGroupsOfThisAccount": "CloudWatch Logs' own, for what it stores",
    "MessagesToTheAlarmTopic": "an alarm's",
    "EventsToTheAlarmTopic": "an event's",
    "EphemeralStorageDataKeys": "Fargate's, for its disks",
    "EphemeralStorageGrants": "Fargate's, for its disks",
    "endpoints-ecr-dkr Login": "ECR's API alone answers GetAuthorizationToken, behind its other endpoint",
    "endpoints-ecr-dkr SyntheticLogin": "likewise, for the synthetic chat",
}


@cache
def stores(name: str) -> tuple[Secrets, Buckets]:
    access = Access(stack(name), bootstrap(name))
    return Secrets(access), Buckets(access)


def tasks(access: Access, *kept: *tuple[Secrets, Buckets]) -> list[Task]:
    """One task of each task definition: the interface's, then the synthetic chat's."""
    own = task_definition(access.stack)
    (chat,) = [one for one in access.stack.all(TASK_DEFINITION) if one.id != own.id]
    return [Task(access, *kept, one) for one in (own, chat)]


def of_the_tasks(name: str) -> Iterator[tuple[Stack, Resource]]:
    """The stack and the resource of every document that affects the permissions of a task."""
    own, account = stack(name), bootstrap(name)
    roles = {str(one[key]) for one in own.all(TASK_DEFINITION) for key in ROLES}
    found = [one for one in own.all(ROLE) if one["arn"] in roles]
    yield from ((own, one) for one in found)
    yield from ((own, one) for one in own.all(ROLE_POLICY) if one["role"] in {role.id for role in found})
    yield from ((own, one) for type_ in (ENDPOINT, KEY) for one in own.all(type_))
    bounds = {role["permissionsBoundary"] for role in found}
    yield from ((account, one) for one in account.all(MANAGED) if one["arn"] in bounds)


def statements(name: str) -> Iterator[tuple[Stack, Resource, Mapping[str, Any]]]:
    for owner, resource in of_the_tasks(name):
        for statement in resource.document(DOCUMENTS[resource.type])["Statement"]:
            yield owner, resource, statement


def without(owner: Stack, resource: Resource, statement: Mapping[str, Any]) -> Stack:
    """The stack with one statement less in a document."""
    document = resource.document(DOCUMENTS[resource.type])
    left = [one for one in document["Statement"] if one != statement]
    return owner.changed(resource, **{DOCUMENTS[resource.type]: json.dumps({**document, "Statement": left})})


def access_without(name: str, owner: Stack, resource: Resource, statement: Mapping[str, Any]) -> Access:
    changed = without(owner, resource, statement)
    own = owner is stack(name)
    return Access(changed if own else stack(name), bootstrap(name) if own else changed)


@pytest.mark.parametrize("name", STACKS)
def test_a_task_of_the_stack_makes_every_call(name: str) -> None:
    for task, least in zip(tasks(Access(stack(name), bootstrap(name)), *stores(name)), (40, 20), strict=True):
        outcomes = task.outcomes()
        assert {call: cause for call, cause in outcomes.items() if cause} == {}
        assert len(outcomes) > least


@pytest.mark.parametrize("name", STACKS)
def test_without_any_one_statement_a_call_is_refused_and_the_cause_names_the_policy(name: str) -> None:
    felt = 0
    for owner, resource, statement in statements(name):
        if statement["Effect"] != "Allow":
            continue
        prefixes = frozenset(action.partition(":")[0] for action in listed(statement["Action"]))
        made = tasks(access_without(name, owner, resource, statement), *stores(name))
        causes = [cause for task in made for cause in task.outcomes(prefixes).values() if cause]
        unfelt = {statement["Sid"], f"{resource.name} {statement['Sid']}"} & set(UNFELT)
        assert bool(causes) is not bool(unfelt), (resource.name, statement["Sid"], causes)
        role = next((one.name for one in owner.all(ROLE) if one.id == resource.get("role")), resource.name)
        named = "permissions boundary" if resource.type == MANAGED else role
        assert all("no statement of" in cause and named in cause for cause in causes), causes
        felt += bool(causes)
    assert felt > 20


@pytest.mark.parametrize("name", STACKS)
def test_a_disabled_key_stops_what_it_encrypts_and_is_named(name: str) -> None:
    for key in stack(name).all(KEY):
        access = Access(stack(name).changed(key, isEnabled=False), bootstrap(name))
        outcomes = Task(access, *stores(name)).outcomes(frozenset({"kms"}))
        causes = [cause for cause in outcomes.values() if cause]
        assert causes
        assert all(f"key {key.name} is disabled: isEnabled is False" in cause for cause in causes), causes


@pytest.mark.parametrize("name", STACKS)
def test_every_condition_key_of_a_request_is_one_that_aws_gives_to_its_action(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, set[str]] = {}
    decide = Access.decide

    def remember(self: Access, request: Request, endpoint: Policy | None = None) -> Decision:
        asked.setdefault(request.action, set()).update(request.context)
        return decide(self, request, endpoint)

    monkeypatch.setattr(Access, "decide", remember)
    Task(Access(stack(name), bootstrap(name)), *stores(name)).outcomes()
    assert len(asked) > 20
    for action, keys in asked.items():
        known = reference.existing(action)
        # Keys that every request has are documented elsewhere; a resource's tags are not among them.
        own = {key for key in keys if not key.startswith("aws:") or key.startswith("aws:resourcetag/")}
        assert {key for key in own if not known.populates(key)} == set(), action


DENIED: Mapping[str, Mapping[str, object]] = {
    "RefuseOtherGuardrails": {
        "action": "bedrock:InvokeModel",
        "resource": "{model}",
        "context": {"bedrock:guardrailidentifier": ("arn:aws:bedrock:eu-west-1:1:guardrail/other:1",)},
    },
    "RefuseDraftGuardrails": {
        "action": "bedrock:InvokeModelWithResponseStream",
        "resource": "{model}",
        "context": {"bedrock:guardrailidentifier": ("{guardrail}:DRAFT",)},
    },
    "RefuseBearerTokens": {"action": "bedrock:CallWithBearerToken", "resource": "*", "context": {}},
}
"""The Deny statements of roles and endpoints, and a request that only they refuse."""


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize("sid", DENIED)
def test_every_deny_refuses_its_request_and_without_it_no_longer_does(name: str, sid: str) -> None:
    found = [(o, r, s) for o, r, s in statements(name) if s["Sid"] == sid]
    assert found, sid
    for owner, resource, statement in found:
        request, endpoint = asked(name, sid, resource.get("role")), resource if resource.type == ENDPOINT else None
        before = Access(stack(name), bootstrap(name))
        refused = before.decide(request, before.endpoint(endpoint) if endpoint else None)
        assert "explicit deny" in refused.cause
        assert sid in refused.cause
        after = access_without(name, owner, resource, statement)
        policy = after.endpoint(after.stack.by_arn(endpoint.id)) if endpoint else None
        kind = "endpoint policy" if endpoint else "role policy"
        assert f"{sid} of {kind}" not in after.decide(request, policy).cause


def asked(name: str, sid: str, role_id: object) -> Request:
    """The request of the role with that id, or of the interface's task role."""
    own = stack(name)
    given = DENIED[sid]
    model = (
        "arn:aws:bedrock:eu-west-1::foundation-model/" + Task(Access(own, bootstrap(name)), *stores(name)).models()[0]
    )
    guardrail = str(own.one("aws:bedrock/guardrail:Guardrail")["guardrailArn"])
    arn = next((one["arn"] for one in own.all(ROLE) if one.id == role_id), task_definition(own)["taskRoleArn"])
    role = Principal(arn=str(arn))
    base = {"aws:principalarn": (role.arn,), "aws:principalaccount": (role.account,)}
    context: Any = given["context"]
    filled = {key: tuple(one.format(guardrail=guardrail) for one in values) for key, values in context.items()}
    return Request(str(given["action"]), str(given["resource"]).format(model=model), role, {**base, **filled})


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize(
    ("sid", "context"),
    [("ObjectsOnlyByTheEndpoint", {"aws:sourcevpce": ()}), ("OnlyByTls", {"aws:securetransport": ("false",)})],
)
def test_the_bucket_policy_refuses_what_comes_another_way(
    name: str, sid: str, context: dict[str, tuple[str, ...]]
) -> None:
    access = Access(stack(name), bootstrap(name))
    task = Task(access, *stores(name))
    role = Principal(arn=str(task.task["taskRoleArn"]))
    (endpoint,) = [one for one in access.stack.all(ENDPOINT) if one["vpcEndpointType"] == "Gateway"]
    usual = {
        "aws:principalarn": (role.arn,),
        "aws:principalaccount": (role.account,),
        "aws:resourceaccount": (role.account,),
        "aws:sourcevpce": (endpoint.id,),
        "aws:securetransport": ("true",),
    }
    resource = f"arn:aws:s3:::{task.bucket}/file"
    assert access.decide(Request("s3:PutObject", resource, role, usual))
    refused = access.decide(Request("s3:PutObject", resource, role, {**usual, **context}))
    assert not refused
    assert f"explicit deny by statement {sid} of bucket policy" in refused.cause
