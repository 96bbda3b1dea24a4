"""Recipients of alarms in the settings become subscriptions, and the URL of a pager is in no output, plan or message."""

from __future__ import annotations

import json
from functools import cache

import pytest

from preflight.conform import values
from preflight.recording.recorder import Recording
from preflight.sdk.wire import SECRET, is_signed, unwrap
from tests.once import main_program
from tests.preflight.conform.graphs import RECIPIENTS, environment
from tests.settings.stack_files import as_the_engine_passes_it

SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"


@cache
def staging(*, preview: bool) -> Recording:
    config = as_the_engine_passes_it("staging")
    owner = {**json.loads(config["ai-interface:owner"]), "subscriptions": RECIPIENTS}
    return main_program(
        "staging",
        {**config, "ai-interface:owner": json.dumps(owner)},
        preview=preview,
    )


@pytest.mark.parametrize("preview", [False, True])
def test_each_recipient_gets_its_severities(preview: bool) -> None:
    recording = staging(preview=preview)
    found = {one.name: (one.inputs["protocol"], one.inputs["endpoint"]) for one in recording.of_type(SUBSCRIPTION)}
    contact = json.loads(as_the_engine_passes_it("staging")["ai-interface:owner"])["contact"]
    protocol, endpoint = found.pop("operations-alarms-to-pager")

    assert found == {
        "operations-alarms-email": ("email", contact),
        "operations-alarms-to-channel": ("email", "channel@example.com"),
        "operations-tickets-email": ("email", contact),
        "operations-tickets-to-channel": ("email", "channel@example.com"),
    }
    assert protocol == "https"
    assert is_signed(endpoint, SECRET)


def test_the_url_is_read_from_the_named_secret_and_appears_nowhere_else() -> None:
    recording = staging(preview=False)
    (pager,) = [one for one in recording.of_type(SUBSCRIPTION) if one.inputs["protocol"] == "https"]
    url = unwrap(pager.inputs["endpoint"])
    elsewhere = [(one.inputs, one.outputs) for one in recording.resources if one is not pager]

    assert url
    assert str(url) not in str(elsewhere)
    assert str(url) not in str({**pager.inputs, "endpoint": ""})


def test_aws_accepts_the_subscriptions() -> None:
    recording = staging(preview=False)
    assert [one for one in values.findings(recording) if "topicSubscription" in one.urn] == []


def test_a_slack_channel_reads_both_topics_and_may_do_nothing() -> None:
    recording = staging(preview=False)
    (channel,) = recording.of_type("aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration")
    (role,) = [
        one for one in recording.of_type("aws:iam/role:Role") if one.outputs["arn"] == channel.inputs["iamRoleArn"]
    ]
    topics = {one.name: one.outputs["arn"] for one in recording.of_type("aws:sns/topic:Topic")}

    assert set(channel.inputs["snsTopicArns"]) == {topics["operations-alarms"], topics["operations-tickets"]}
    assert channel.inputs["guardrailPolicyArns"] == ["arn:aws:iam::aws:policy/AWSDenyAll"]
    assert channel.inputs["userAuthorizationRequired"] is True
    attached = [
        one for one in recording.of_type("aws:iam/rolePolicy:RolePolicy") if one.inputs["role"] == role.outputs["name"]
    ]
    assert (attached, role.inputs.get("managedPolicyArns")) == ([], None)


def test_only_the_publishers_use_the_key_for_the_topics_of_a_channel() -> None:
    """SNS decrypts a message itself before it delivers it, so a channel adds no statement to the topics' key or policy."""
    with_channel, without = staging(preview=False), environment("staging")
    for type_ in ("aws:kms/key:Key", "aws:sns/topicPolicy:TopicPolicy"):
        written = [
            [one.inputs["policy"] for one in recording.of_type(type_) if one.name.startswith("operations-")]
            for recording in (with_channel, without)
        ]
        assert written[0] == written[1]
        assert "chatbot" not in str(written)
