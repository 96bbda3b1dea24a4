"""Failures that no metric shows: the event that AWS sends matches one rule, whose target is one topic."""

from __future__ import annotations

from typing import Any

import pytest
from moto.events.models import EventPattern

from local.stack import Resource, Stack
from tests.components.monitoring.test_changes import USER, event, from_console, person, vault_name
from tests.local.test_failures import DOCUMENT, PAGES, TICKETS, anchor
from tests.preflight.conform.graphs import program

RULE, TARGET, TOPIC = (
    "aws:cloudwatch/eventRule:EventRule",
    "aws:cloudwatch/eventTarget:EventTarget",
    "aws:sns/topic:Topic",
)


def stack() -> Stack:
    return Stack.of(program("staging"))


def of_service(source: str, kind: str, resources: list[str], **detail: object) -> dict[str, Any]:
    """An event of a service itself."""
    return {"source": source, "detail-type": kind, "resources": resources, "detail": detail}


def backup(state: str) -> dict[str, Any]:
    (vault,) = stack().all("aws:backup/vault:Vault")
    return of_service(
        "aws.backup", "Backup Job State Change", [], backupVaultArn=vault["arn"], state=state, resourceArn="arn"
    )


def restore_test(status: str) -> dict[str, Any]:
    (plan,) = stack().all("aws:backup/restoreTestingPlan:RestoreTestingPlan")
    return of_service(
        "aws.backup",
        "Restore Job State Change",
        [],
        restoreJobId="1",
        restoreTestingPlanArn=plan["arn"],
        resourceType="Aurora",
        status=status,
    )


def deployment(name: str) -> dict[str, Any]:
    (service,) = stack().all("aws:ecs/service:Service")
    # ECS names a service by its ARN, which is its id.
    return of_service("aws.ecs", "ECS Deployment State Change", [service.id], eventName=name, reason="x")


EVENTS: list[tuple[str, dict[str, Any], str, bool]] = [
    ("A backup fails", backup("FAILED"), "backup-failed", False),
    ("A restore test fails", restore_test("FAILED"), "restore-test-failed", False),
    ("A deployment fails and is rolled back", deployment("SERVICE_DEPLOYMENT_FAILED"), "deployment-failed", False),
    ("The policy of a key is changed", event("kms", "PutKeyPolicy", person(), keyId="k"), "keys-changed", True),
    (
        "A person reads a secret",
        event("secretsmanager", "GetSecretValue", USER, read=True, secretId="ai-interface/staging/oidc-client-secret"),
        "secrets-read",
        True,
    ),
    (
        "A backup is deleted",
        event("backup", "DeleteRecoveryPoint", person(), backupVaultName=vault_name()),
        "backups-deleted",
        True,
    ),
    (
        "Someone changes the service in the console",
        from_console(event("ecs", "UpdateService", person(), cluster="x")),
        "console-change",
        False,
    ),
]
"""Failure, event, the rule that sends its message, and whether that is a page."""


def matching(found: dict[str, Any]) -> list[Resource]:
    return [
        rule
        for rule in stack().all(RULE)
        if EventPattern.load(str(rule["eventPattern"])).matches_event(found)  # type: ignore[arg-type]
    ]


@pytest.mark.parametrize(("name", "found", "raises", "page"), EVENTS, ids=[one[0] for one in EVENTS])
def test_an_event_raises_the_one_message_that_the_list_names(
    name: str, found: dict[str, Any], raises: str, page: bool
) -> None:
    (rule,) = matching(found)
    assert rule.name.endswith(raises), name
    (target,) = [one for one in stack().all(TARGET) if one["rule"] == rule["name"]]
    (topic,) = [one for one in stack().all(TOPIC) if one["arn"] == target["arn"]]
    assert topic.name == (PAGES if page else TICKETS)
    line = f"| {name} | [`{raises}`](runbook.md#{anchor(raises)}) | {'page' if page else 'ticket'} |"
    assert line in DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize("found", [backup("COMPLETED"), deployment("SERVICE_DEPLOYMENT_COMPLETED")])
def test_success_raises_nothing(found: dict[str, Any]) -> None:
    assert matching(found) == []
