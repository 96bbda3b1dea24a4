"""``getPolicyDocument`` is computed as the provider computes it; the documents are those of the provider's documentation."""

from __future__ import annotations

import json
from typing import cast

import pulumi_aws as aws
import pytest

from preflight.errors import FakeError
from preflight.fakes.policy_document import policy_document
from preflight.fakes.values import Site
from preflight.recording.recorder import record
from preflight.sdk.unknown import text
from preflight.sdk.wire import Json, Wire

S3, EC2 = {"sid": "SidToOverride", "actions": ["s3:*"], "resources": ["*"]}, {"actions": ["ec2:*"], "resources": ["*"]}
OVERRIDE = {
    "sid": "SidToOverride",
    "actions": ["s3:*"],
    "resources": ["arn:aws:s3:::somebucket", "arn:aws:s3:::somebucket/*"],
}


def document(*statements: Wire, **others: Json) -> str:
    return policy_document(Site(), {"statements": list(statements), **others})["json"]


def in_order(value: Json) -> Json:
    return sorted(cast("list[str]", value), reverse=True) if isinstance(value, list) else value


def only(text_: str) -> Wire:
    (statement,) = json.loads(text_)["Statement"]
    return statement


def test_a_document_has_the_providers_layout() -> None:
    assert document(EC2, policyId="id") == (
        '{\n  "Version": "2012-10-17",\n  "Id": "id",\n  "Statement": [\n    {\n      "Effect": "Allow",\n'
        '      "Action": "ec2:*",\n      "Resource": "*"\n    }\n  ]\n}'
    )
    assert policy_document(Site(), {"statements": [{"effect": "Deny", "actions": ["a:b", "a:a", "a:b"]}]})[
        "minifiedJson"
    ] == ('{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["a:b","a:a"]}]}')
    assert document() == '{\n  "Version": "2012-10-17"\n}'


def test_a_document_that_overrides_replaces_the_statement_with_its_sid() -> None:
    merged = json.loads(document(EC2, S3, overridePolicyDocuments=[document(OVERRIDE)]))["Statement"]
    assert [statement["Action"] for statement in merged] == ["ec2:*", "s3:*"]
    assert merged[1]["Resource"] == ["arn:aws:s3:::somebucket/*", "arn:aws:s3:::somebucket"]
    merged = json.loads(document(OVERRIDE, sourcePolicyDocuments=[document(EC2, S3)]))["Statement"]
    assert [statement["Resource"] for statement in merged] == [
        "*",
        ["arn:aws:s3:::somebucket/*", "arn:aws:s3:::somebucket"],
    ]


@pytest.mark.parametrize(
    ("principals", "expected"),
    [
        ([("*", ["*"])], "*"),
        ([("AWS", ["*"])], {"AWS": "*"}),
        ([("AWS", ["1", "2"]), ("AWS", ["3"]), ("Service", ["x"])], {"AWS": ["2", "1", "3"], "Service": "x"}),
        ([("AWS", ["1"]), ("AWS", ["3"])], {"AWS": ["1", "3"]}),
    ],
)
def test_principals(principals: list[tuple[str, list[str]]], expected: Json) -> None:
    given = [{"type": kind, "identifiers": names} for kind, names in principals]
    made = document({"actions": ["sts:AssumeRole"], "principals": given})
    assert only(made)["Principal"] == expected
    again = only(document(sourcePolicyDocuments=[made]))["Principal"]  # sorted, as the provider does with what it reads
    assert again == (expected if expected == "*" else {key: in_order(value) for key, value in expected.items()})


def test_conditions_keep_their_order_and_variables_are_those_of_iam() -> None:
    conditions = [
        {"test": "StringLike", "variable": "s3:prefix", "values": ["home/", "home/&{aws:username}/"]},
        {"test": "StringEquals", "variable": "aws:PrincipalTag/a", "values": ["<b>"]},
        {"test": "StringLike", "variable": "s3:prefix", "values": [""]},
    ]
    made = document({"actions": ["s3:ListBucket"], "conditions": conditions, "resources": ["arn:aws:s3:::&{x}"]})
    assert only(made)["Condition"] == {
        "StringEquals": {"aws:PrincipalTag/a": "<b>"},
        "StringLike": {"s3:prefix": ["home/", "home/${aws:username}/", ""]},
    }
    assert only(made)["Resource"] == "arn:aws:s3:::${x}"
    assert "\\u003cb\\u003e" in made


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"version": "2012"}, "version is '2012'; allowed: 2008-10-17, 2012-10-17"),
        ({"statements": [{"effect": "allow"}]}, "effect is 'allow'; allowed: Allow, Deny"),
        ({"statements": [S3, S3]}, "statements: duplicate Sid"),
        ({"sourcePolicyDocuments": [document(S3), document(S3)]}, "source document 1: duplicate Sid"),
        ({"sourcePolicyDocuments": ["[]"]}, "merging source document 0"),
        ({"overridePolicyDocuments": ["x"]}, "merging override document 0"),
        ({"version": "2008-10-17", "statements": [{"resources": ["&{x}"]}]}, "has a variable"),
    ],
)
def test_what_the_provider_refuses_is_refused(arguments: Wire, message: str) -> None:
    with pytest.raises(FakeError, match=message.replace("[", r"\[")):
        policy_document(Site(), arguments)


def test_a_document_from_an_unknown_one_is_unknown() -> None:
    assert document(EC2, sourcePolicyDocuments=[text("policy")]) == text("policy")


def test_a_program_gets_the_document_in_both_modes() -> None:
    def program() -> None:
        made = aws.iam.get_policy_document(statements=[aws.iam.GetPolicyDocumentStatementArgs(actions=["s3:Get*"])])
        aws.iam.Policy("p", policy=made.json)

    for preview in (False, True):
        (policy,) = record(program, preview=preview).of_type("aws:iam/policy:Policy")
        assert only(policy.inputs["policy"]) == {"Effect": "Allow", "Action": "s3:Get*"}
