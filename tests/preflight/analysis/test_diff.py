"""Between two commits of one environment no name is left out: parity leaves names out, because two environments differ there."""

from __future__ import annotations

import pytest

from preflight.analysis.diff import changes
from preflight.recording.recorder import record
from preflight.review.changed import review
from tests.preflight.changes.edits import EDITS, Edit
from tests.preflight.changes.leaves import NOTHING_AT_AWS
from tests.preflight.changes.planning import STACK, config, program, running

NAMES = (
    *("owner.", "domain.", "network.cidrBlock", "identity.issuer", "identity.clientId", "identity.clientSecretName"),
    *(
        "identity.authorizationEndpoint",
        "identity.tokenEndpoint",
        "identity.userInfoEndpoint",
        "identity.endSessionEndpoint",
    ),
)
"""Settings whose values parity leaves out, because they name the environment itself."""
CHOSEN = [edit for edit in EDITS if edit.key.startswith(NAMES) and edit.key not in NOTHING_AT_AWS]


def sentences(edit: Edit) -> list[str]:
    """What ``diff`` says about the edit."""
    edited = record(program, stack=STACK, config=config({**edit.running, **edit.changes}))
    found = review(running(edit.running), edited)
    return [*(text for topic in found.topics for text in topic.texts), *found.resources]


@pytest.mark.parametrize("edit", CHOSEN, ids=lambda edit: edit.title)
def test_a_name_that_changes_is_a_change(edit: Edit) -> None:
    assert sentences(edit)


def test_the_change_shows_both_values() -> None:
    (edit,) = [one for one in CHOSEN if one.title == "identity.clientId"]
    (before,) = {
        rule.inputs["actions"][0]["authenticateOidc"]["clientId"]
        for rule in running(edit.running).of_type("aws:lb/listenerRule:ListenerRule")
        if "authenticateOidc" in rule.inputs["actions"][0]
    }
    assert any(f"{before} → {edit.to}" in text for text in sentences(edit))


def test_another_secret_is_named_and_not_shown() -> None:
    (edit,) = [one for one in CHOSEN if one.title == "identity.clientSecretName"]
    (said,) = [text for text in sentences(edit) if text.endswith(": another secret value")]
    assert said.startswith("actions[0].authenticateOidc.clientSecret of lb.ListenerRule ")


def test_the_same_change_to_many_resources_is_one_sentence() -> None:
    (edit,) = [one for one in CHOSEN if one.title == "owner.team"]
    (tags,) = [text for text in sentences(edit) if text.startswith("tags.owner of ")]
    assert tags.endswith(f" → {edit.to}")


def test_no_change_is_no_sentence() -> None:
    assert changes(STACK, running(), running()) == ()
