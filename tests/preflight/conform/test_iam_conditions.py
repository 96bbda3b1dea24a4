"""Condition operators: the cases of AWS's documentation, each with the outcome that it states.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html,
.../reference_policies_condition-single-vs-multi-valued-context-keys.html and .../reference_policies_variables.html.
"""

from __future__ import annotations

from typing import Any

import pytest

from preflight.conform.iam.conditions import MalformedPolicyError, filled, unmet

ARN = "arn:aws:sns:eu-west-1:444455556666:topic"
CASES: list[tuple[str, dict[str, Any], dict[str, tuple[str, ...]], bool]] = [
    ("equal", {"StringEquals": {"aws:PrincipalTag/job": "iamuser-admin"}}, {"aws:principaltag/job": ("iamuser-admin",)}, True),
    ("other case", {"StringEquals": {"k": "A"}}, {"k": ("a",)}, False),
    ("any case", {"StringEqualsIgnoreCase": {"K": "A"}}, {"k": ("a",)}, True),
    ("one of several values", {"StringEquals": {"k": ["a", "b"]}}, {"k": ("b",)}, True),
    ("two keys of one operator", {"StringEquals": {"k": "a", "l": "b"}}, {"k": ("a",)}, False),
    ("two operators", {"StringEquals": {"k": "a"}, "StringLike": {"l": "b*"}}, {"k": ("a",), "l": ("bc",)}, True),
    ("absent", {"StringEquals": {"k": "a"}}, {}, False),
    ("absent, negated", {"StringNotEquals": {"k": "a"}}, {}, True),
    ("none of several", {"StringNotEquals": {"k": ["a", "b"]}}, {"k": ("b",)}, False),
    ("absent, if it exists", {"StringEqualsIfExists": {"ec2:InstanceType": ["t1.*"]}}, {}, True),
    ("present, if it exists", {"StringLikeIfExists": {"k": ["t1.*"]}}, {"k": ("m5.large",)}, False),
    ("wildcard", {"StringLike": {"s3:prefix": ["home/*"]}}, {"s3:prefix": ("home/me",)}, True),
    ("one character", {"StringLike": {"k": "a?c"}}, {"k": ("abbc",)}, False),
    ("a star is a star", {"StringEquals": {"k": "a*"}}, {"k": ("ab",)}, False),
    ("null, present", {"Null": {"k": "true"}}, {"k": ("a",)}, False),
    ("null, absent", {"Null": {"aws:TokenIssueTime": "true"}}, {}, True),
    ("not null", {"Null": {"k": "false"}}, {"k": ("a",)}, True),
    ("bool", {"Bool": {"aws:SecureTransport": "false"}}, {"aws:securetransport": ("false",)}, True),
    ("bool of JSON", {"Bool": {"aws:SecureTransport": False}}, {"aws:securetransport": ("true",)}, False),
    ("numeric", {"NumericLessThanEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": ("10",)}, True),
    ("numeric, too large", {"NumericLessThanEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": ("11",)}, False),
    ("numeric, not text", {"NumericEquals": {"k": "10"}}, {"k": ("10.0",)}, True),
    ("no number", {"NumericGreaterThan": {"k": "10"}}, {"k": ("many",)}, False),
    ("date", {"DateGreaterThan": {"aws:CurrentTime": "2020-04-01T00:00:00Z"}}, {"aws:currenttime": ("2026-11-29T00:00:00Z",)}, True),
    ("date as seconds", {"DateLessThan": {"aws:EpochTime": "1585699200"}}, {"aws:epochtime": ("1585699199",)}, True),
    ("address", {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"aws:sourceip": ("203.0.113.9",)}, True),
    ("other address", {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"aws:sourceip": ("203.0.114.9",)}, False),
    ("not the address", {"NotIpAddress": {"aws:VpcSourceIp": ["10.0.0.0/8"]}}, {"aws:vpcsourceip": ("10.30.1.1",)}, False),
    ("ARN", {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:*:444455556666:*"}}, {"aws:sourcearn": (ARN,)}, True),
    ("ARN, a star over a colon", {"ArnLike": {"aws:SourceArn": "arn:aws:*:topic"}}, {"aws:sourcearn": (ARN,)}, False),
    ("string, a star over a colon", {"StringLike": {"aws:SourceArn": "arn:aws:*:topic"}}, {"aws:sourcearn": (ARN,)}, True),
    ("binary", {"BinaryEquals": {"k": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="}}, {"k": ("QmluYXJ5VmFsdWVJbkJhc2U2NA==",)}, True),
    ("all values", {"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:tagkeys": ("a", "b")}, True),
    ("not all values", {"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}, {"aws:tagkeys": ("a", "b")}, False),
    ("all of none", {"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}, {}, True),
    ("any value", {"ForAnyValue:StringEquals": {"aws:TagKeys": ["b", "c"]}}, {"aws:tagkeys": ("a", "b")}, True),
    ("any of none", {"ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}}, {}, False),
    ("any, negated, of none", {"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a"]}}, {}, False),
    ("any, negated", {"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a"]}}, {"aws:tagkeys": ("a", "b")}, True),
    ("variable", {"StringLike": {"s3:prefix": ["${aws:PrincipalTag/team}/*"]}}, {"s3:prefix": ("ai/x",), "aws:principaltag/team": ("ai",)}, True),
    ("variable that is absent", {"StringEquals": {"k": "${aws:username}"}}, {"k": ("${aws:username}",)}, False),
    ("variable with a default", {"StringEquals": {"k": "${aws:PrincipalTag/team, 'company-wide'}"}}, {"k": ("company-wide",)}, True),
    ("literal star", {"StringLike": {"k": "a${*}"}}, {"k": ("ab",)}, False),
    ("literal star, there", {"StringLike": {"k": "a${*}"}}, {"k": ("a*",)}, True),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "context", "matches"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_a_condition_matches_as_documented(
    condition: dict[str, Any], context: dict[str, tuple[str, ...]], *, matches: bool
) -> None:
    assert (not list(unmet(condition, context))) is matches


def test_what_is_not_met_is_reported_with_the_value_of_the_request() -> None:
    condition = {"StringEquals": {"aws:SourceVpce": ["vpce-1", "vpce-2", "vpce-3"]}}
    assert list(unmet(condition, {"aws:sourcevpce": ("vpce-9",)})) == [
        "StringEquals aws:SourceVpce vpce-1, vpce-2 or one of 1 others, the request contains vpce-9"
    ]
    assert list(unmet(condition, {})) == [
        "StringEquals aws:SourceVpce vpce-1, vpce-2 or one of 1 others, the request does not contain the key"
    ]


def test_an_operator_that_iam_does_not_have_is_an_error() -> None:
    with pytest.raises(MalformedPolicyError, match="StringEqual"):
        list(unmet({"StringEqual": {"k": "a"}}, {"k": ("a",)}))


def test_a_star_in_a_value_of_the_request_is_no_wildcard_of_a_variable() -> None:
    assert filled("home/${aws:userid}/*", {"aws:userid": ("*",)}) != "home/*/*"
