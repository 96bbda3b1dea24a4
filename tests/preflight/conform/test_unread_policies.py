"""A policy that cannot be evaluated is reported as not proven with its resource and statement; every operator of IAM can be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from preflight.conform import permissions, reach
from preflight.conform.iam.unread import BUCKET, ENDPOINT, KEY, POLICY, ROLE_POLICY
from preflight.findings import Verdict
from preflight.recording.recorder import Recording
from tests.preflight.conform.graphs import account, environment, with_input

TLS = {"NumericLessThan": {"s3:TlsVersion": "1.2"}}
"""As AWS writes it: https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html."""


def planted(recording: Recording, token: str, **elements: Any) -> Recording:  # noqa: ANN401 - statement elements
    """The recording with one more statement in the policy of the first resource of a type."""
    document = json.loads(recording.of_type(token)[0].inputs["policy"])
    denied = {"Sid": "Planted", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", **elements}
    text = json.dumps({**document, "Statement": [*document["Statement"], denied]})
    return with_input(recording, token, ("policy",), text)


@pytest.mark.parametrize("token", [BUCKET, ENDPOINT, ROLE_POLICY])
def test_aws_s_own_statement_about_tls_versions_is_evaluated(token: str) -> None:
    recording = planted(environment("staging"), token, Condition=TLS)
    assert reach.findings(recording) == []
    assert permissions.findings(recording, account("staging")) == []


@pytest.mark.parametrize("elements", [{"Condition": {"StringResembles": {"a": "b"}}}, {"NotAction": "s3:GetObject"}])
@pytest.mark.parametrize(
    ("token", "checks"),
    [
        (BUCKET, ["reach"]),
        (ENDPOINT, ["permissions", "reach"]),
        (KEY, ["permissions"]),
        (ROLE_POLICY, ["permissions", "reach"]),
    ],
)
def test_a_statement_that_cannot_be_evaluated_is_named(token: str, checks: list[str], elements: dict[str, Any]) -> None:
    recording = planted(environment("staging"), token, **elements)
    found = [*permissions.findings(recording, account("staging")), *reach.findings(recording)]

    assert [one.rule for one in found] == [f"conform-{check}" for check in checks]
    for one in found:
        resource = recording.of_type(token)[0]
        assert (one.urn, one.verdict) == (resource.urn, Verdict.NOT_PROVEN)
        assert f"{token} {resource.name}: statement Planted" in one.headline
        assert ("StringResembles" in one.found) or ("NotAction" in one.found)


def test_a_policy_of_bootstrap_is_named_too() -> None:
    bootstrap = planted(account("staging"), POLICY, Condition={"StringResembles": {"a": "b"}})
    (one,) = permissions.findings(environment("staging"), bootstrap)
    assert one.headline.startswith(f"{POLICY} ")
    assert "the condition operator StringResembles" in one.found
