"""In a complete account every line is ok and describes what was found."""

from __future__ import annotations

from preflight.account.lines import Status
from preflight.ready.parts import PARTS
from tests.preflight.ready.world import World


def _not_ok(world: World) -> list[tuple[str, str, str]]:
    answer = world.ready()
    assert {line.group for line in answer.lines} == {part.name for part in PARTS}
    assert answer.exit_code == 0
    return [(line.group, line.subject, line.found) for line in answer.lines if line.status is not Status.OK]


def test_the_account_of_the_committed_staging_is_silent(staging: World) -> None:
    assert _not_ok(staging) == []


def test_an_account_with_existing_network_certificate_machine_clients_and_state_bucket_is_silent(
    elsewhere: World,
) -> None:
    assert _not_ok(elsewhere) == []


def test_no_line_has_two_meanings(elsewhere: World) -> None:
    lines = elsewhere.ready().lines
    assert len({(line.group, line.subject) for line in lines}) == len(lines)


def test_the_value_of_the_client_secret_is_neither_asked_for_nor_shown(staging: World) -> None:
    staging.cloud.asked.clear()
    answer = staging.ready()
    asked = {call.operation for call in staging.cloud.asked}
    assert "DescribeSecret" in asked
    assert "GetSecretValue" not in asked
    assert "planted-client-secret" not in str(answer)
