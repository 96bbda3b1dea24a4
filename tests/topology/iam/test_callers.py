"""Which values of a condition tie a grant to one account, organization or network, and which claims to one source."""

from __future__ import annotations

import pytest

from policies.guardrails.topology.graph.documents import Document
from policies.guardrails.topology.iam.callers import is_hosted, names_someone, pins
from policies.guardrails.topology.iam.statements import Statement, admits_every_account, service_of, statements
from policies.guardrails.topology.iam.web_identity import is_by_web_identity, missing_claims

PROVIDER = {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}
AUD = {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}
SUB = {"token.actions.githubusercontent.com:sub": "repo:acme/app:*"}


def of(**elements: object) -> Statement:
    (found,) = statements(Document({"Statement": {"Effect": "Allow", **elements}}))
    return found


@pytest.mark.parametrize(
    ("key", "value", "pinned"),
    [
        ("aws:principalarn", "arn:aws:iam::111122223333:role/app-*", True),
        ("aws:principalarn", "arn:aws:iam::*:role/app", False),
        ("aws:principalarn", "arn:aws:iam::????????????:role/app", False),
        ("aws:principalarn", "arn:aws:iam::1111*:role/app", False),
        ("aws:principalarn", "*:role/app", False),
        ("aws:principalarn", "arn:aws:iam::${aws:PrincipalAccount}:role/app", False),
        ("aws:principalarn", "arn:aws:iam::${aws:ResourceAccount}:role/app", True),
        ("aws:principalaccount", "111122223333", True),
        ("aws:principalaccount", "1111*", False),
        ("aws:principalorgid", "o-a1b2c3d4e5", True),
        ("aws:principalorgid", "o-*", False),
        ("aws:principalorgid", "${aws:PrincipalOrgID}", False),
        ("aws:resourceorgid", "${aws:PrincipalOrgID}", True),
        ("aws:principalorgpaths", "o-a1b2c3d4e5/r-ab12/*", True),
        ("aws:principalorgpaths", "o-*/r-ab12/*", False),
        ("aws:userid", "AROAEXAMPLEEXAMPLE12:*", True),
        ("aws:userid", "AROA*:reader", False),
        ("aws:userid", "*:reader", False),
        ("aws:sourcearn", "arn:aws:sns:eu-west-1:111122223333:*", True),
        ("aws:sourcearn", "arn:aws:sns:*:*:alerts", False),
        ("aws:sourcearn", "arn:aws:s3:::uploads-of-acme", True),
        ("aws:sourcearn", "arn:aws:s3:::*", False),
        ("aws:sourcevpce", "vpce-*", False),
        ("aws:sourceip", "198.51.100.0/24", True),
        ("aws:sourceip", "10.0.0.0/8", True),
        ("aws:sourceip", "0.0.0.0/0", False),
        ("aws:sourceip", "128.0.0.0/1", False),
        ("aws:sourceip", "2001:db8::/32", True),
        ("aws:sourceip", "anywhere", False),
    ],
)
def test_a_value_ties_a_request_to_one_account_or_does_not(key: str, value: str, pinned: bool) -> None:
    assert pins(key, value) is pinned


@pytest.mark.parametrize(
    ("claim", "value", "named"),
    [
        ("sub", "repo:acme/app:ref:refs/heads/main", True),
        ("sub", "repo:acme/*", True),
        ("sub", "repo:*/app:*", False),
        ("sub", "repo:acme*", False),
        ("sub", "*", False),
        ("sub", "organization:acme:project:*", True),
        ("sub", "organization:*:project:*", False),
        ("sub", "pulumi:deploy:org:*:project:*", False),
        ("sub", "system:serviceaccount:app:*", True),
        ("sub", "system:serviceaccount:*:api", False),
        ("repository_owner_id", "1234", True),
        ("repository", "acme/*", True),
        ("repository", "*/app", False),
        ("actor", "someone", False),
    ],
)
def test_a_claim_names_one_source_or_does_not(claim: str, value: str, named: bool) -> None:
    assert names_someone(claim, value) is named


@pytest.mark.parametrize(
    "action", ["sts:AssumeRoleWithWebIdentity", "STS:assumerolewithwebidentity", "sts:AssumeRoleWith*", "sts:*"]
)
def test_trust_in_a_provider_is_found_in_any_spelling_of_the_action(action: str) -> None:
    assert is_by_web_identity(of(Action=action, Principal=PROVIDER))


def test_trust_in_a_service_or_in_saml_is_no_trust_in_tokens() -> None:
    assert not is_by_web_identity(of(Action="sts:*", Principal={"Service": "ec2.amazonaws.com"}))
    saml = {"Federated": "arn:aws:iam::111122223333:saml-provider/team"}
    assert not is_by_web_identity(of(Action="sts:AssumeRole*", Principal=saml))


@pytest.mark.parametrize(
    ("condition", "missing"),
    [
        ({"StringEquals": AUD, "StringLike": SUB}, set[str]()),
        ({"StringEquals": AUD, "ForAnyValue:StringLike": SUB}, set[str]()),
        ({"StringLike": SUB}, {"aud"}),
        ({"StringEquals": AUD}, {"sub"}),
        ({"StringEquals": AUD, "StringNotLike": SUB}, {"sub"}),
        ({"StringEquals": AUD, "StringLikeIfExists": SUB}, {"sub"}),
        ({"StringEquals": AUD, "ForAllValues:StringLike": SUB}, {"sub"}),
        ({"StringEquals": AUD, "Null": dict.fromkeys(SUB, "false")}, {"sub"}),
        ({}, {"aud", "sub"}),
    ],
)
def test_only_conditions_that_other_tokens_do_not_meet_count(condition: object, missing: set[str]) -> None:
    found = of(Action="sts:AssumeRoleWithWebIdentity", Principal=PROVIDER, Condition=condition)
    assert set(missing_claims(found)) == missing


@pytest.mark.parametrize(
    ("principal", "service"),
    [
        ("states.amazonaws.com", "states.amazonaws.com"),
        ("states.us-east-1.amazonaws.com", "states.amazonaws.com"),
        ("ec2.amazonaws.com.cn", "ec2.amazonaws.com"),
        ("logs.us-gov-west-1.amazonaws.com", "logs.amazonaws.com"),
        ("delivery.logs.amazonaws.com", "delivery.logs.amazonaws.com"),
        ("arn:aws:iam::111122223333:root", ""),
        ("amazonaws.com.evil.example", ""),
    ],
)
def test_a_service_is_the_same_in_every_region_and_partition(principal: str, service: str) -> None:
    assert service_of(principal) == service


def test_everyone_can_have_an_account_at_a_hosted_provider() -> None:
    assert is_hosted("accounts.google.com")
    assert is_hosted(PROVIDER["Federated"])
    assert not is_hosted("login.acme.example")


@pytest.mark.parametrize(
    ("policy", "admitted"),
    [
        ([{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke"}], True),
        ([{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke",
           "Condition": {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}}], False),
        ([{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke"},
          {"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke",
           "Condition": {"NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"}}}], False),
        ([{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "execute-api:Invoke"}], False),
        ([], False),
    ],
)  # fmt: skip
def test_a_policy_admits_every_account_or_does_not(policy: list[object], admitted: bool) -> None:
    assert admits_every_account(Document({"Statement": policy})) is admitted
