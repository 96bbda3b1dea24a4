"""IAM's evaluation logic: the cases of AWS's documentation, and preflight's answers for every call of both stacks.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html.
"""

from __future__ import annotations

from typing import Any

import pytest

from local.aws.access import Access
from local.aws.iam import MalformedPolicyError, Policies, Policy, Principal, Request, decide
from local.stack import Stack
from preflight.conform.iam import evaluator, uses
from preflight.conform.iam.graph import Graph
from preflight.recording.recorder import Recording
from tests.local.aws.world import STACKS, bootstrap, stack

ROLE = Principal(arn="arn:aws:iam::123456789012:role/team/reader")
OBJECT = "arn:aws:s3:::bucket/key"
GET = Request("s3:GetObject", OBJECT, ROLE)


def policy(name: str, effect: str, action: str = "s3:*", resource: str = "*", **more: object) -> Policy:
    """A policy of one statement whose Sid is ``S``."""
    return Policy.parse(
        name, {"Statement": {"Sid": "S", "Effect": effect, "Action": action, "Resource": resource, **more}}
    )


def naming(principal: object, effect: str = "Allow", **more: object) -> Policy:
    """A bucket policy for this principal."""
    return policy("bucket policy B", effect, "s3:GetObject", OBJECT, Principal=principal, **more)


ALLOW, DENY = policy("role policy A", "Allow"), policy("role policy D", "Deny")
NONE = policy("permissions boundary", "Allow", "ec2:*")
ROOT = {"AWS": "arn:aws:iam::123456789012:root"}
CASES: list[tuple[str, Policies, bool, str]] = [
    ("implicit deny", Policies(), False, "no statement of role reader's policies allows it"),
    ("identity policy", Policies([ALLOW]), True, "allowed by statement S of role policy A"),
    ("explicit deny wins", Policies([ALLOW, DENY]), False, "explicit deny by statement S of role policy D"),
    ("a bucket policy denies", Policies([ALLOW], resource=[naming("*", "Deny")]), False, "statement S of bucket policy B"),
    ("a bucket policy that names the role", Policies(resource=[naming({"AWS": ROLE.arn})]), True, "bucket policy B"),
    ("a bucket policy that names the account", Policies(resource=[naming(ROOT)]), False, "role reader's policies"),
    ("another role", Policies(resource=[naming({"AWS": f"{ROLE.arn}s"})]), False, "role reader's policies"),
    ("a boundary without the action", Policies([ALLOW], NONE), False, "no statement of permissions boundary allows it"),
    ("a boundary grants nothing", Policies([], ALLOW), False, "role reader's policies"),
    ("a boundary bounds a bucket policy's grant", Policies([], NONE, [naming({"AWS": ROLE.arn})]), False, "boundary"),
    ("a boundary denies", Policies([ALLOW], policy("the boundary", "Deny")), False, "explicit deny by statement S of the b"),
    ("an endpoint without the action", Policies([ALLOW], endpoint=NONE), False, "no statement of permissions boundary"),
    ("an endpoint denies", Policies([ALLOW], endpoint=DENY), False, "explicit deny"),
    ("an endpoint grants nothing", Policies([], endpoint=ALLOW), False, "role reader's policies"),
    ("a key that says nothing", Policies([ALLOW], resource_decides=True), False, "no policy of the resource allows it"),
    ("a key that names the account", Policies([ALLOW], resource=[naming(ROOT)], resource_decides=True), True, "policy A"),
    ("not the others", Policies([ALLOW], resource=[policy("B", "Deny", NotPrincipal={"AWS": ROLE.arn})]), True, "policy A"),
    ("all but others", Policies([ALLOW], resource=[policy("B", "Deny", NotPrincipal=ROOT | {"AWS": "x"})]), False, "of B"),
]  # fmt: skip


@pytest.mark.parametrize(("policies", "allowed", "cause"), [one[1:] for one in CASES], ids=[one[0] for one in CASES])
def test_the_documented_outcome_and_the_deciding_statement(policies: Policies, *, allowed: bool, cause: str) -> None:
    answer = decide(GET, policies)
    assert (answer.allowed, cause in answer.cause) == (allowed, True), answer.cause


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ({"Action": "S3:getobject", "Resource": "*"}, True),
        ({"Action": ["s3:Get*", "s3:List*"], "Resource": "arn:aws:s3:::bucket/*"}, True),
        ({"Action": "s3:GetObject?", "Resource": "*"}, False),
        ({"NotAction": "iam:*", "Resource": "*"}, True),
        ({"NotAction": "s3:*", "Resource": "*"}, False),
        ({"Action": "*", "NotResource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"]}, False),
        ({"Action": "*", "NotResource": "arn:aws:s3:::other/*"}, True),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket"}, False),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::BUCKET/key"}, False),
    ],
)
def test_actions_in_any_case_and_resources_in_theirs(statement: dict[str, Any], *, allowed: bool) -> None:
    parsed = Policy.parse("p", {"Statement": [{"Effect": "Allow", **statement}]})
    assert decide(GET, Policies([parsed])).allowed is allowed


def test_a_service_is_allowed_by_the_resource_alone() -> None:
    service = Request("s3:GetObject", OBJECT, Principal(service="logging.s3.amazonaws.com"))
    grant = naming({"Service": "logging.s3.amazonaws.com"}, Condition={"StringEquals": {"aws:SourceAccount": "1"}})
    assert not decide(service, Policies([ALLOW]))
    refused = decide(service, Policies(resource=[grant]))
    assert "StringEquals aws:SourceAccount 1, the request does not contain the key" in refused.cause
    known = Request(service.action, OBJECT, service.principal, {"aws:sourceaccount": ("1",)})
    assert decide(known, Policies(resource=[grant]))


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ({"Effect": "Allow", "Action": "*", "Resource": "*", "Conditions": {}}, "Conditions"),
        ({"Effect": "allow", "Action": "*", "Resource": "*"}, "Allow or Deny"),
        ({"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"}, "both Action and NotAction"),
        ({"Effect": "Allow", "Resource": "*"}, "no action"),
    ],
)
def test_a_document_that_aws_refuses_is_an_error(statement: dict[str, Any], what: str) -> None:
    with pytest.raises(MalformedPolicyError, match=what):
        Policy.parse("policy P", {"Statement": [statement]})


def recording(of: Stack) -> Recording:
    return of.recording


@pytest.mark.parametrize("name", STACKS)
def test_preflight_and_the_twin_agree_on_every_call_of_every_deployed_role(name: str) -> None:
    graph = Graph.of(recording(stack(name)), recording(bootstrap(name)))
    access = Access(stack(name), bootstrap(name))
    calls = list(uses.of_graph(graph))
    for use in calls:
        principal = Principal(arn=use.role)
        own = {
            "aws:principalarn": (use.role,),
            "aws:principalaccount": (principal.account,),
            "aws:sourcevpce": ("vpce-1",),
        }
        request = Request(use.action, use.arn, principal, {**own, **use.context})
        role = access.role(use.role)
        documents = [[one.document for policy in role.identity for one in policy.statements]]
        documents += [[one.document for one in role.boundary.statements]] if role.boundary else []
        asked = evaluator.Request(
            action=use.action,
            resource=use.arn,
            principal=use.role,
            context={key: list(values) for key, values in request.context.items()},
        )
        ours = decide(request, Policies(role.identity, role.boundary))
        assert ours.allowed is evaluator.allowed(asked, *documents), ours.cause
    assert len(calls) > 50
