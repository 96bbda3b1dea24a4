"""The one evaluator of IAM statements, held to the rules of IAM's reference for policy elements."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.guardrails.topology.graph.documents import Document, document_at
from policies.guardrails.topology.graph.resources import Resource
from policies.guardrails.topology.graph.values import Secret, Unknown
from policies.guardrails.topology.iam.conditions import conditions
from policies.guardrails.topology.iam.matching import matches, matches_action
from policies.guardrails.topology.iam.statements import (
    Statement,
    denied_to_strangers,
    denies_clear_text,
    grants,
    statements,
)

CALLERS = frozenset({"aws:principalaccount"})
READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}


def of(**elements: object) -> Statement:
    (found,) = statements(Document({"Statement": {"Effect": "Allow", **elements}}))
    return found


def held(value: object) -> Document:
    return document_at(Resource("urn:x", "aws:iam/policy:Policy", "x", properties={"policy": value}), "policy")


@pytest.mark.parametrize("value", [json.dumps({"Statement": READ}), {"Statement": READ}, {"Statement": [READ]}])
def test_a_document_is_text_or_an_object_and_its_secrets_are_read(value: object) -> None:
    for given in (value, Secret(value)):
        (found,) = grants(held(given))
        assert (found.label, found.actions, found.resources) == ("0", ("s3:GetObject",), ("arn:aws:s3:::a/*",))


@pytest.mark.parametrize(
    "value",
    [
        Unknown("policy"),
        Secret(Unknown("policy")),
        {"Statement": [{**READ, "Principal": {"AWS": Unknown("policy.Statement[0].Principal.AWS")}}]},
        {"Statement": [READ, Unknown("policy.Statement[1]")]},
    ],
)
def test_an_unknown_anywhere_leaves_the_document_undecided(value: object) -> None:
    found = held(value)
    assert isinstance(found.unknown, Unknown)
    assert (found.known, statements(found)) == (False, [])


@pytest.mark.parametrize(
    "value", [None, "", "no document", "[", 3, {"Statement": "x"}, {}, '"text"', {"Statement": [1]}]
)
def test_what_is_no_policy_has_no_statements(value: object) -> None:
    assert statements(held(value)) == []
    assert held(value).unreadable is (value in ("no document", "["))


@pytest.mark.parametrize(
    ("pattern", "action", "covered"),
    [
        ("s3:getobject", "s3:GetObject", True),
        ("S3:*", "s3:GetObject", True),
        ("*", "s3:GetObject", True),
        ("s3:Get?bject", "s3:GetObject", True),
        ("s3:Get[Oo]bject", "s3:GetObject", False),
        ("s3:Get", "s3:GetObject", False),
        ("s3:GetObject", "s3:GetObjectAcl", False),
    ],
)
def test_actions_match_case_insensitively(pattern: str, action: str, covered: bool) -> None:
    assert matches_action(pattern, action) is covered
    assert of(Action=pattern).covers(action) is covered
    assert of(NotAction=[pattern]).covers(action) is not covered


def test_resources_match_with_regard_to_case() -> None:
    assert matches("arn:aws:s3:::a/*", "arn:aws:s3:::a/b/c")
    assert not matches("arn:aws:s3:::A/*", "arn:aws:s3:::a/b")
    assert of(Resource="arn:aws:s3:::a/?").covers_resource("arn:aws:s3:::a/b")
    assert not of(NotResource="arn:aws:s3:::a/?").covers_resource("arn:aws:s3:::a/b")
    assert of(NotResource="arn:aws:s3:::a/?").covers_resource("arn:aws:s3:::b/b")


def test_a_statement_without_actions_covers_none() -> None:
    assert not of().covers("s3:GetObject")
    assert not of().covers_resource("arn:aws:s3:::a")


@pytest.mark.parametrize(
    ("principal", "everyone", "every_account", "services"),
    [
        ("*", True, ("*",), ()),
        ({"AWS": "*"}, True, ("*",), ()),
        ({"AWS": ["arn:aws:iam::*:role/x", "arn:aws:iam::111122223333:root"]}, False, ("arn:aws:iam::*:role/x",), ()),
        ({"Service": "logs.amazonaws.com"}, False, (), ("logs.amazonaws.com",)),
    ],
)
def test_who_is_granted_something(
    principal: object, everyone: bool, every_account: tuple[str, ...], services: tuple[str, ...]
) -> None:
    found = of(Principal=principal)
    assert (found.is_for_everyone, found.every_account, found.services) == (everyone, every_account, services)
    assert of(NotPrincipal=principal).not_principals
    assert not of(NotPrincipal=principal).principals


@pytest.mark.parametrize(
    ("operator", "base", "qualifier", "if_exists", "holds_without_key"),
    [
        ("StringEquals", "stringequals", "", False, False),
        ("StringEqualsIfExists", "stringequals", "", True, True),
        ("ForAnyValue:StringLike", "stringlike", "foranyvalue", False, False),
        ("ForAllValues:StringLike", "stringlike", "forallvalues", False, True),
        ("ForAllValues:StringNotLikeIfExists", "stringnotlike", "forallvalues", True, True),
        ("StringNotEquals", "stringnotequals", "", False, True),
        ("NotIpAddress", "notipaddress", "", False, True),
        ("Null", "null", "", False, True),
    ],
)
def test_operators_and_what_passes_without_the_key(
    operator: str, base: str, qualifier: str, if_exists: bool, holds_without_key: bool
) -> None:
    (found,) = conditions({operator: {"AWS:PrincipalAccount": "111122223333"}})
    assert (found.operator, found.qualifier, found.if_exists) == (base, qualifier, if_exists)
    assert (found.key, found.values) == ("aws:principalaccount", ("111122223333",))
    assert found.holds_without_key is holds_without_key
    assert found.bounds is not holds_without_key


@pytest.mark.parametrize(
    ("key", "value", "bounds"),
    [
        ("aws:PrincipalAccount", "*", False),
        ("aws:PrincipalAccount", "1111*", False),
        ("aws:PrincipalArn", "arn:aws:iam::*:role/x", False),
        ("aws:PrincipalArn", "arn:aws:iam::111122223333:role/x-*", True),
        ("aws:SourceVpce", "vpce-*", False),
    ],
)
def test_a_value_that_every_account_has_bounds_nothing(key: str, value: str, bounds: bool) -> None:
    assert bool(of(Condition={"StringLike": {key: value}}).bounding_keys) is bounds


INSECURE: dict[str, Any] = {"Bool": {"aws:SecureTransport": "false"}}
CLEAR_TEXT: dict[str, Any] = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


@pytest.mark.parametrize(
    ("changed", "denied"),
    [
        ({}, True),
        ({"Condition": {"Bool": {"AWS:securetransport": False}}}, True),
        ({"Action": "*"}, True),
        ({"Action": "S3:*"}, True),
        ({"Effect": "Allow"}, False),
        ({"Principal": {"AWS": "arn:aws:iam::111122223333:root"}}, False),
        ({"Condition": {"Bool": {"aws:SecureTransport": ["false", "true"]}}}, False),
        ({"Condition": {**INSECURE, "StringEquals": {"aws:PrincipalAccount": "111122223333"}}}, False),
    ],
)
def test_clear_text_is_denied_to_all_callers_and_under_no_other_condition(
    changed: dict[str, Any], denied: bool
) -> None:
    assert denies_clear_text(of(**{**CLEAR_TEXT, **changed}), "s3:*") is denied


@pytest.mark.parametrize(
    ("changed", "denied"),
    [
        ({}, True),
        ({"Action": ["S3:GET*"]}, True),
        ({"Action": None, "NotAction": "iam:*"}, True),
        ({"Action": "s3:PutObject"}, False),
        ({"Principal": {"AWS": "arn:aws:iam::111122223333:root"}}, False),
        ({"Condition": {"StringEquals": {"aws:PrincipalAccount": "111122223333"}}}, False),
        ({"Condition": {"StringNotEquals": {"aws:PrincipalAccount": "*"}}}, False),
        ({"Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}}, False),
    ],
)
def test_strangers_are_denied_by_a_condition_on_the_caller_alone(changed: dict[str, Any], denied: bool) -> None:
    test = {"StringNotEquals": {"aws:PrincipalAccount": "111122223333"}}
    deny = of(**{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Condition": test, **changed})
    assert denied_to_strangers([deny], CALLERS, ["s3:GetObject"]) is denied
    assert not denied_to_strangers([deny], CALLERS, [])
