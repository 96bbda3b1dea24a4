"""The operators and elements that bootstrap's roles use, and the combination of policies, boundary and key policy."""

from __future__ import annotations

from typing import Any

import pytest

from preflight.conform.iam.account import Role
from preflight.conform.iam.conditions import MalformedPolicyError
from preflight.conform.iam.evaluator import Request, allowed
from preflight.conform.iam.reference import existing, find, matching

ROLE = "arn:aws:iam::111122223333:role/deploy"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/one"
NEITHER = {"aws:TagKeys": ["environment", "project"]}


def allow(action: str = "kms:UntagResource", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - statement elements
    """A statement that allows an action on anything."""
    return {"Effect": "Allow", "Action": [action], "Resource": ["*"], **more}


def untag(*keys: str) -> Request:
    """A request that removes tags; without keys, one that names none."""
    context = {"aws:tagkeys": list(keys)} if keys else {}
    return Request(action="kms:UntagResource", resource=KEY, principal=ROLE, context=context)


@pytest.mark.parametrize(
    ("condition", "request_", "expected"),
    [
        ({"ForAllValues:StringNotEquals": NEITHER}, untag("owner"), True),
        ({"ForAllValues:StringNotEquals": NEITHER}, untag("owner", "project"), False),
        ({"ForAllValues:StringNotEquals": NEITHER}, untag("Project"), True),
        ({"ForAllValues:StringNotEqualsIgnoreCase": NEITHER}, untag("Project"), False),
        ({"ForAllValues:StringNotEqualsIgnoreCase": NEITHER}, untag(), True),
        ({"ForAnyValue:StringEquals": NEITHER}, untag("owner", "project"), True),
        ({"ForAnyValue:StringEquals": NEITHER}, untag("owner"), False),
        ({"ForAnyValue:StringEquals": NEITHER}, untag(), False),
        ({"ForAnyValue:StringNotEquals": NEITHER}, untag("owner", "project"), True),
        ({"ForAnyValue:StringNotEquals": NEITHER}, untag(), False),
        ({"StringNotEquals": NEITHER}, untag("owner", "project"), False),
        ({"StringEqualsIgnoreCase": NEITHER}, untag("PROJECT"), True),
        ({"StringNotEqualsIfExists": NEITHER}, untag(), True),
        ({"Null": {"aws:TagKeys": ["true"]}}, untag(), True),
        ({"Null": {"aws:TagKeys": ["true"]}}, untag("owner"), False),
        ({"Null": {"aws:TagKeys": ["false"]}}, untag("owner"), True),
    ],
)
def test_an_operator_matches_as_iam_matches(condition: dict[str, Any], request_: Request, expected: bool) -> None:
    assert allowed(request_, [allow(Condition=condition)]) is expected


def test_a_denial_that_leaves_resources_out_denies_the_others() -> None:
    deny = {"Effect": "Deny", "Action": ["kms:*"], "NotResource": [KEY]}
    assert allowed(untag("owner"), [allow(), deny])
    assert not allowed(Request(action="kms:UntagResource", resource=f"{KEY}2", principal=ROLE), [allow(), deny])


@pytest.mark.parametrize("operator", ["ForSomeValues:StringEquals", "StringResembles"])
def test_an_operator_that_iam_does_not_have_is_an_error(operator: str) -> None:
    with pytest.raises(MalformedPolicyError, match=operator):
        allowed(untag("owner"), [allow(Condition={operator: {"aws:TagKeys": ["a"]}})])


NAMED = allow(Principal={"AWS": [ROLE]})
DELEGATED = allow("kms:*", Principal={"AWS": ["arn:aws:iam::111122223333:root"]})
DENIED = {**allow(), "Effect": "Deny"}


@pytest.mark.parametrize(
    ("identity", "boundary", "own", "expected"),
    [
        ((allow(),), None, (), True),
        ((allow(),), (allow("kms:*"),), (), True),
        ((allow(),), (allow("s3:*"),), (), False),
        ((allow(),), (), (), False),
        ((), (allow("kms:*"),), (NAMED,), True),
        ((), (allow("s3:*"),), (NAMED,), False),
        ((), (allow("kms:*"),), (DELEGATED,), False),
        ((allow(),), (allow("kms:*"),), (DELEGATED,), True),
        ((DENIED,), (allow("kms:*"),), (NAMED,), False),
        ((allow(),), (allow("kms:*"), DENIED), (NAMED,), False),
        ((allow(),), None, ({**DENIED, "Principal": "*"},), False),
    ],
)
def test_a_role_may_what_its_policies_or_the_keys_allow_within_its_boundary(
    identity: tuple[dict[str, Any], ...],
    boundary: tuple[dict[str, Any], ...] | None,
    own: tuple[dict[str, Any], ...],
    expected: bool,
) -> None:
    role = Role("deploy", ROLE, {"own": identity}, boundary)
    assert role.allows("kms:UntagResource", KEY, {"aws:tagkeys": ("owner",)}, own) is expected


def test_a_key_that_aws_does_not_give_an_action_is_not_in_its_requests() -> None:
    assert existing("kms:TagResource").populates("aws:RequestTag/owner")
    assert existing("kms:TagResource").populates("aws:ResourceTag/owner")
    assert not existing("kms:PutKeyPolicy").populates("aws:RequestTag/owner")
    assert not existing("ec2:DescribeVpcs").populates("aws:ResourceTag/owner")
    assert existing("kms:Decrypt").populates("kms:EncryptionContext:SecretARN")
    assert existing("iam:ListRoles").populates("aws:RequestedRegion")


def test_the_reference_knows_actions_in_any_case_and_no_others() -> None:
    found = find("elasticloadbalancing:setwebacl")
    assert found is not None
    assert found.name == "elasticloadbalancing:SetWebAcl"
    assert find("backup-storage:Mount") is None
    assert find("nothing:Here") is None
    assert matching("kms:*KeyRotation") == ("kms:DisableKeyRotation", "kms:EnableKeyRotation")
    with pytest.raises(LookupError, match="IAM has no action s3:DeleteBucketCors"):
        existing("s3:DeleteBucketCors")
