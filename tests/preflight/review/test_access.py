"""What becomes reachable, for whom and from where: the same requests traced through a small stack before and after an edit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from policies.guardrails.topology.graph.verdicts import Verdict
from policies.guardrails.topology.reachability.evaluation import reachability
from preflight.recording.recorder import RecordedResource, Recording
from preflight.review import access, exposure, permissions
from preflight.review.side import Side
from tests.settings.stack_files import Values
from tests.topology.builders import OIDC, Inputs, Ref, Stack, compliant, forward
from tests.topology.planting import Plant
from tests.topology.plants import PLANTS

OFFICE = "203.0.113.0/24"
HOST = {"hostHeader": {"values": ["chat.example.test"]}}


def side(stack: Stack) -> Side:
    """The stack as a side of a change."""
    common: Values = {"parent": "", "custom": True, "dependencies": (), "protect": False, "provider": ""}
    common |= {"source_file": "", "source_line": 0}
    resources = [RecordedResource(**{**common, **one}) for one in stack.recorded(known=True)]
    return Side(Recording("x", "test", preview=False, resources=resources))


def said(change: Callable[[Stack], object], base: Callable[[Stack], object] | None = None) -> list[str]:
    """The sentences about a change of the compliant stack."""
    before, after = compliant(), compliant()
    for stack in (before, after) if base is not None else ():
        assert base is not None
        base(stack)
    change(after)
    return list(access.sentences(side(before), side(after)))


def rule(stack: Stack, name: str, path: str, *, first: list[Inputs] | None = None, source: str = "") -> None:
    conditions: list[Inputs] = [HOST, {"pathPattern": {"values": [path]}}]
    conditions += [{"sourceIp": {"values": [source]}}] if source else []
    stack.add(
        "lb.ListenerRule", name, listenerArn=Ref("https", "arn"), priority=5, conditions=conditions,
        actions=[*(first or []), forward()],
    )  # fmt: skip


def test_nothing_is_said_of_the_same_stack() -> None:
    assert said(lambda _: None) == []


def test_a_path_without_a_log_in_names_path_client_and_network() -> None:
    assert said(lambda stack: rule(stack, "office", "/v1/*", source=OFFICE)) == [
        f"/v1/* becomes reachable without a log-in from {OFFICE} (before: 401 by pages)"
    ]


def test_a_path_without_a_log_in_from_everywhere_names_no_network() -> None:
    assert said(lambda stack: rule(stack, "open", "/v1/*")) == [
        "/v1/* becomes reachable without a log-in (before: 401 by pages)"
    ]


def test_a_rule_that_no_longer_logs_people_in_opens_what_it_forwards() -> None:
    def open_(stack: Stack) -> None:
        stack["pages"]["actions"] = [forward()]

    assert said(open_) == ["/* becomes reachable without a log-in (before: 401 by pages)"]


def test_a_path_that_is_blocked_is_no_longer_reachable() -> None:
    def block(stack: Stack) -> None:
        refused = {"type": "fixed-response", "fixedResponse": {"statusCode": "404"}}
        rule(stack, "blocked", "/admin*")
        stack["blocked"]["actions"] = [refused]

    # Without a proxy, every user who can log in is served.
    assert said(block) == [
        "/admin* is no longer reachable for people who can log in but are not allowed (now: 404 by blocked)",
        "/admin* is no longer reachable for allowed people (now: 404 by blocked)",
    ]


def test_a_network_that_may_no_longer_connect_is_named() -> None:
    def narrow(stack: Stack) -> None:
        stack["edge-in"]["cidrIpv4"] = OFFICE

    found = said(narrow)
    assert found
    assert all(f"from {access.ELSEWHERE}" in text for text in found)
    assert any(text.startswith("/* is no longer reachable for allowed people") for text in found)


def test_a_path_that_is_only_moved_to_another_rule_is_no_change() -> None:
    def move(stack: Stack) -> None:
        rule(stack, "api", "/api/*", first=[OIDC])

    assert said(move, base=lambda stack: rule(stack, "other", "/api/*", first=[OIDC])) == []


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_everything_that_becomes_exposed_is_said(plant: Plant) -> None:
    """Every planted exposure of the corpus, and that it is gone when the edit is taken back."""
    stack = compliant()
    plant.change(stack)
    opened = side(stack)
    findings = [
        one for one in reachability(opened.graph).exposures if one.verdict is Verdict.VIOLATED and not one.latent
    ]
    exposed = {one.resource for one in findings}
    before = side(compliant())
    told = [text for text in exposure.sentences(before, opened) if " can be reached from the internet" in text]
    assert exposed <= {text.partition(" can be reached")[0] for text in told}
    taken_back = "\n".join(exposure.sentences(opened, before))
    assert all(f"no longer: {text}" in taken_back for text in told)


POLICY = '{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": {action}, "Resource": "{resource}"{more}}}]}}'


def granted(action: str, resource: str, more: str = "") -> Side:
    stack = Stack()
    stack.add("iam.Role", "task", assumeRolePolicy="{}")
    text = POLICY.format(action=action, resource=resource, more=more)
    stack.add("iam.RolePolicy", "policy", role=Ref("task", "id"), policy=text)
    return side(stack)


ONE = granted('["s3:GetObject"]', "arn:aws:s3:::a/*")


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (ONE, []),
        (granted('"s3:Get*"', "arn:aws:s3:::a/*"), ["role task may now s3:Get* on arn:aws:s3:::a/*"]),
        (granted('["s3:getobject"]', "arn:aws:s3:::a/x"), ["role task may no longer s3:GetObject on arn:aws:s3:::a/*"]),
        (granted('["s3:GetObject"]', "*"), ["role task may now s3:GetObject on every resource"]),
        (
            granted('["s3:GetObject", "s3:PutObject"]', "arn:aws:s3:::a/*"),
            ["role task may now s3:PutObject on arn:aws:s3:::a/*"],
        ),
        (
            granted(
                '["s3:GetObject"]', "arn:aws:s3:::a/*", ', "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}'
            ),
            ["role task may no longer s3:GetObject on arn:aws:s3:::a/*"],
        ),
    ],
)
def test_a_permission_is_gained_only_if_nothing_granted_it_before(after: Side, expected: list[str]) -> None:
    assert list(permissions.sentences(ONE, after)) == expected
    mirrored = [
        text.replace("may now", "MAY").replace("may no longer", "may now").replace("MAY", "may no longer")
        for text in expected
    ]
    assert [text for text in permissions.sentences(after, ONE) if text in mirrored] == mirrored


def test_a_denial_that_is_gone_is_a_gain() -> None:
    denied = '{"Statement": [{"Effect": "Deny", "Action": "kms:*", "Resource": "*"}, {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}'
    before, after = Stack(), Stack()
    for stack, text in (
        (before, denied),
        (after, denied.replace('{"Effect": "Deny", "Action": "kms:*", "Resource": "*"}, ', "")),
    ):
        stack.add("iam.Role", "task", assumeRolePolicy="{}")
        stack.add("iam.RolePolicy", "policy", role=Ref("task", "id"), policy=text)
    assert list(permissions.sentences(side(before), side(after))) == [
        "role task is no longer denied kms:* on every resource"
    ]
