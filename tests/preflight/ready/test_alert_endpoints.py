"""The secret with a pager's URL has to exist with a value before a deployment; the value itself is never asked for."""

from __future__ import annotations

from dataclasses import replace

from preflight.account.lines import Line, Status
from settings.alerts import HttpsSubscription
from tests.preflight.ready.world import World

PAGER = "ai-interface/staging/alert-pager"


def with_pager(world: World) -> None:
    """Adds a pager to the recipients of staging."""
    settings = world.wanted.settings
    values = {"kind": "https", "name": "pager", "severity": "page", "urlSecret": PAGER}
    recipients = (HttpsSubscription.model_validate(values),)
    owner = settings.owner.model_copy(update={"subscriptions": recipients})
    world.wanted = replace(world.wanted, settings=settings.model_copy(update={"owner": owner}))


def reported(world: World) -> Line:
    found = [line for line in world.ready().lines if line.subject == PAGER]
    return found[0]


def test_a_pagers_secret_is_looked_for_and_its_value_is_not_read(staging: World) -> None:
    with_pager(staging)
    missing = reported(staging)
    assert (missing.status, missing.found) == (Status.MISSING, "does not exist")
    assert "alertEndpoints of staging in bootstrap/" in missing.fix

    tags = [{"Key": "environment", "Value": "staging"}, {"Key": "project", "Value": "ai-interface"}]
    secrets = staging.client("secretsmanager")
    secrets.create_secret(Name=PAGER, Tags=tags)
    empty = reported(staging)
    assert (empty.status, empty.found) == (Status.MISSING, "has no value yet")
    assert f"put-secret-value --secret-id {PAGER}" in empty.fix

    secrets.put_secret_value(SecretId=PAGER, SecretString="https://planted.example.com/key")
    staging.cloud.asked.clear()
    assert reported(staging).status is Status.OK
    assert "GetSecretValue" not in {call.operation for call in staging.cloud.asked}
    secrets.delete_secret(SecretId=PAGER, ForceDeleteWithoutRecovery=True)
