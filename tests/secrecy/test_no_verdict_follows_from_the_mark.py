"""Both packs report the same for the real stacks at every position of the marks, and nothing wrong without the values.

The real stacks are recorded as the program registers them; the marks are then moved as the engine moves them.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import cast

import pytest

from policies.guardrails.analyzer import Analyzer
from policies.parity import evaluate, server
from policies.parity.normalize import SECRET as MASKED
from policies.parity.normalize import Normalizer
from preflight.analysis.check import Recordings
from preflight.pulumi.analyzer import AnalyzerClient, Diagnostic
from preflight.pulumi.project import Project
from preflight.pulumi.protocol import stack_request
from preflight.recording.recorder import RecordedResource
from preflight.sdk.wire import SECRET, Json, Wire, is_signed, unwrap
from tests import once
from tests.own_pack import own_configuration
from tests.secrecy import marks

ROOT = Path(__file__).resolve().parents[2]
PROJECT = Project.load(ROOT)
STACKS = ("staging", "prod")
PACKS = ("guardrails", "parity")
RULES = "aws:lb/listenerRule:ListenerRule"
UNREADABLE = "not known without the passphrase"


@cache
def recordings() -> Recordings:
    return once.recordings(*STACKS)


def resources(stack: str, how: marks.Marks) -> list[RecordedResource]:
    return marks.marked(recordings()[stack, False].resources, how)


@pytest.fixture(scope="module")
def packs() -> Iterator[dict[tuple[str, str], AnalyzerClient]]:
    with ExitStack() as stopping:
        yield {
            (pack, stack): stopping.enter_context(
                AnalyzerClient.start(
                    ROOT / "policies" / pack, project=PROJECT.name, stack=stack, config=own_configuration()
                )
            )
            for pack in PACKS
            for stack in STACKS
        }


Packs = dict[tuple[str, str], AnalyzerClient]


def verdicts(said: Iterable[Diagnostic]) -> set[tuple[str, str, str, str]]:
    """Policy, resource, level and headline of a finding."""
    return {(each.policy, each.urn, each.enforcement, each.message.partition("\n")[0]) for each in said}


def secret_texts(value: Json, *, inside: bool = False) -> Iterator[str]:
    if is_signed(value, SECRET):
        yield from secret_texts(unwrap(value), inside=True)
    elif isinstance(value, dict):
        for item in cast("Wire", value).values():
            yield from secret_texts(item, inside=inside)
    elif isinstance(value, list):
        for item in cast("list[Json]", value):
            yield from secret_texts(item, inside=inside)
    elif inside and isinstance(value, str) and len(value) >= 12:
        yield value


def test_the_engine_would_mark_whole_lists_of_the_real_stacks() -> None:
    """Or the tests below would prove nothing."""
    rules = [each for each in resources("prod", marks.lifted) if each.type == RULES]
    whole = [each for each in rules if is_signed(each.outputs["actions"], SECRET)]
    before = [each for each in resources("prod", marks.at_the_leaf) if each.type == RULES]
    assert len(whole) == len([each for each in before if marks.holds_secret(each.outputs["actions"])])
    assert len(whole) >= 10
    assert not any(is_signed(each.outputs["actions"], SECRET) for each in before)


def test_lifting_keeps_every_value_and_loses_no_secret() -> None:
    for stack in STACKS:
        before, after = resources(stack, marks.at_the_leaf), resources(stack, marks.lifted)
        assert [unwrap(each.outputs) for each in before] == [unwrap(each.outputs) for each in after]
        assert set(secret_texts([each.outputs for each in before])) <= set(
            secret_texts([each.outputs for each in after])
        )


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("pack", PACKS)
def test_no_verdict_changes_with_the_place_of_the_mark(packs: Packs, pack: str, stack: str) -> None:
    running = packs[pack, stack]
    expected = verdicts(running.check(resources(stack, marks.at_the_leaf)))
    assert verdicts(running.check(resources(stack, marks.lifted))) == expected
    assert {level for _, _, level, _ in expected} <= {"advisory"}


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("how", [marks.blinded, marks.blinded_lists])
@pytest.mark.parametrize("pack", PACKS)
def test_without_the_passphrase_nothing_false_is_said(packs: Packs, pack: str, how: marks.Marks, stack: str) -> None:
    running = packs[pack, stack]
    expected = verdicts(running.check(resources(stack, marks.at_the_leaf)))
    said = running.check(resources(stack, how))
    blocking = {each.message for each in said if each.enforcement == "mandatory"}
    assert blocking == set()
    assert expected <= verdicts(said)
    if how is marks.blinded_lists:
        assert any(UNREADABLE in each.message for each in said), "a property that was not checked passed"


@pytest.mark.parametrize("how", [marks.at_the_leaf, marks.lifted, marks.blinded, marks.blinded_lists])
@pytest.mark.parametrize("pack", PACKS)
def test_nothing_said_holds_a_secret(packs: Packs, pack: str, how: marks.Marks) -> None:
    said = json.dumps([str(each) for each in packs[pack, "prod"].check(resources("prod", how))])
    found = [
        text
        for text in secret_texts([each.outputs for each in resources("prod", marks.at_the_leaf)])
        if json.dumps(text)[1:-1] in said
    ]
    assert len(found) == 0, "a message contains a secret"


def blocked(changed: list[RecordedResource]) -> list[str]:
    """What the parity pack refuses, asked without a process."""
    allowed = evaluate.declarations(dt.datetime.now(dt.UTC).date())
    pack = server.pack(evaluate.committed_shapes(), allowed)
    answer = Analyzer(pack).AnalyzeStack(stack_request(changed), None)
    return sorted(each.message for each in answer.diagnostics if each.policyName != "parity-of-unknown-values")


def with_action(how: marks.Marks, place: str, value: Json) -> list[RecordedResource]:
    """Prod with one value of the first page rule's sign-in changed, and then the marks moved."""
    changed = copy.deepcopy(resources("prod", marks.at_the_leaf))
    rule = next(each for each in changed if each.type == RULES and marks.holds_secret(each.outputs["actions"]))
    for side in (rule.inputs, rule.outputs):
        side["actions"][0]["authenticateOidc"][place] = value
    return marks.marked(changed, how)


def test_a_pack_that_masks_whole_lists_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert blocked(resources("prod", marks.lifted)) == []

    def whole(_self: Normalizer, _inner: Json) -> str:
        return MASKED

    monkeypatch.setattr(Normalizer, "_secret", whole)
    assert len(blocked(resources("prod", marks.lifted))) > 0
    assert blocked(resources("prod", marks.at_the_leaf)) == []


@pytest.mark.parametrize("how", [marks.at_the_leaf, marks.lifted])
def test_a_difference_beside_a_secret_is_found(how: marks.Marks) -> None:
    (said,) = blocked(with_action(how, "sessionTimeout", 86399))
    assert "authenticateOidc.sessionTimeout differs" in said


def test_a_difference_under_the_mark_is_not_printed() -> None:
    (said,) = blocked(with_action(marks.lifted, "scope", "openid canary-scope"))
    assert "authenticateOidc.scope differs" in said
    assert "canary-scope" not in said


def test_a_secret_that_lost_its_mark_is_found_and_not_printed() -> None:
    said = "\n".join(blocked(with_action(marks.at_the_leaf, "clientSecret", "canary-client-secret")))
    assert "authenticateOidc.clientSecret differs" in said
    assert "a value that is not secret" in said
    assert "canary-client-secret" not in said
