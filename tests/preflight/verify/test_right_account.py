"""In a correct account nothing is missing, and exactly the declared calls are made."""

from __future__ import annotations

import json
import re

import pytest

from preflight.account.lines import Status
from preflight.verify.calls import CALLS, policy
from preflight.verify.command import account_lines
from preflight.verify.parts import PARTS
from tests.preflight.ready.test_calls import iam_actions
from tests.preflight.verify.right_account import World
from tests.settings.stack_files import ROOT

READING = ("check_", "describe_", "get_", "list_")


def test_a_right_account_has_nothing_to_say_and_every_declared_call_is_made(world: World) -> None:
    context = world.context()
    found = account_lines(context)
    assert [(line.subject, line.found) for line in found if line.status is not Status.OK] == []
    assert {part.name for part in PARTS} < {line.group for line in found}
    assert context.account.made == set(CALLS)


@pytest.mark.parametrize("call", sorted(CALLS), ids="-".join)
def test_a_call_reads_and_needs_an_action_that_iam_knows_as_reading(call: tuple[str, str]) -> None:
    assert {iam_actions()[action.lower()] for action in CALLS[call]} <= {"List", "Read"}
    assert call[1].startswith(READING)


def test_the_document_has_the_policy(world: World) -> None:
    assert world.stack.region
    text = (ROOT / "docs" / "verify.md").read_text(encoding="utf-8")
    (written,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    assert json.loads(written) == json.loads(policy())
