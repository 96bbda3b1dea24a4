"""With a provider that does not accept secrets, the engine marks whole lists, and the packs report the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from preflight.sdk.wire import MASK, Wire
from tests.engine import documented
from tests.engine.conftest import STACKS, Deploy
from tests.engine.harness import PACKS, REPOSITORY, Engine, Outcome, by_type

pytestmark = pytest.mark.engine

RULES = "aws:lb/listenerRule:ListenerRule"
UNREADABLE = "not known without the passphrase"


@pytest.fixture(scope="module", params=STACKS)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, Outcome]:
    """An environment of providers without secrets, brought up as the README says; the update said what it said."""
    folder = tmp_path_factory.mktemp("plain") / "engine"
    engine = Engine.create(folder, REPOSITORY, request.param, accepts_secrets=False)
    return engine, engine.documented(documented.deploy_command(request.param), "--yes")


def test_the_engine_marks_the_whole_list(running: tuple[Engine, Outcome]) -> None:
    rules = by_type(running[0].resources(), RULES)
    assert len([rule for rule in rules if "ciphertext" in rule["inputs"]["actions"]]) >= 10


def test_no_pack_refuses_the_deployment(running: tuple[Engine, Outcome]) -> None:
    assert _blocking(running[1]) == set()


def test_a_second_preview_is_empty_and_nothing_is_refused(running: tuple[Engine, Outcome]) -> None:
    engine, _ = running
    outcome = engine.preview(packs=PACKS)
    assert outcome.changes() == {}
    assert _blocking(outcome) == set()


def test_the_packs_say_what_they_say_with_a_provider_that_accepts_secrets(
    running: tuple[Engine, Outcome], deploy: Deploy
) -> None:
    engine, up = running
    assert _said(up) == _said(deploy(engine.stack).up)


@pytest.mark.parametrize("decrypted", [True, False])
def test_the_exported_state_is_not_refused(running: tuple[Engine, Outcome], decrypted: bool) -> None:
    engine, _ = running
    engine.export()
    words = ["policy", "analyze", "--file", str(engine.root / "export.json"), *engine.configured_packs(), "--json"]
    outcome = engine.pulumi(*words, without=() if decrypted else ("PULUMI_CONFIG_PASSPHRASE",))
    events = [json.loads(line) for line in outcome.text.splitlines() if line.startswith("{")]
    outcome = replace(outcome, events=events)
    assert _blocking(outcome) == set()
    unreadable = [event for event in outcome.policy_events() if UNREADABLE in event["message"]]
    assert (unreadable == []) is decrypted
    assert {event["policyPackName"] for event in unreadable} == (
        set() if decrypted else {"ai-interface-guardrails", "ai-interface-parity"}
    )


def test_no_message_holds_the_client_secret(running: tuple[Engine, Outcome], tmp_path: Path) -> None:
    engine = running[0].fork(tmp_path / "fork")
    rules = by_type(engine.resources("--show-secrets"), RULES)
    secrets = {_client_secret(rule["inputs"]) for rule in rules} - {""}
    assert len(secrets) == 1
    assert MASK not in secrets
    said = json.dumps([event["message"] for event in running[1].policy_events()])
    assert not [secret for secret in secrets if secret in said]


def _client_secret(inputs: Wire) -> str:
    actions = inputs["actions"]
    shown = json.loads(actions["plaintext"]) if "plaintext" in actions else actions
    return next((a["authenticateOidc"]["clientSecret"] for a in shown if "authenticateOidc" in a), "")


def _said(outcome: Outcome) -> set[tuple[str, str, str]]:
    return {(e["policyName"], e.get("resourceUrn", ""), e["enforcementLevel"]) for e in outcome.policy_events()}


def _blocking(outcome: Outcome) -> set[str]:
    return {event["message"] for event in outcome.policy_events() if event["enforcementLevel"] == "mandatory"}
