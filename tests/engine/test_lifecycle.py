"""The life cycle of both real environments: preview, up, no change, changes, refresh, destroy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from preflight.sdk.wire import Wire
from tests.engine.conftest import Deployed
from tests.engine.echo.deletion import SNAPSHOT
from tests.engine.echo.replacement import TABLE
from tests.engine.edits import STRONGER_GUARDRAIL
from tests.engine.harness import Engine, by_type, custom, name_of, only
from tests.engine.takedown import UPLOADS, allow_deletion, empty_uploads, uploads

pytestmark = pytest.mark.engine

FLOW_LOG_DAYS = "ai-interface:retention.flowLogDays"
CPU = "ai-interface:capacity.cpuUnits"
RELEASE = "ai-interface:release"
GUARDRAIL = "aws:bedrock/guardrail:Guardrail"
GUARDRAIL_VERSION = "aws:bedrock/guardrailVersion:GuardrailVersion"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
SERVICE = "aws:ecs/service:Service"
SCHEDULE = "aws:scheduler/schedule:Schedule"
LIFTED = [
    ("update", "aws:lb/loadBalancer:LoadBalancer", ("enableDeletionProtection",)),
    ("update", "aws:rds/cluster:Cluster", ("deletionProtection",)),
    (
        "update",
        "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation",
        ("mutationProtection",),
    ),
    ("update", "aws:s3/bucket:Bucket", ("forceDestroy",)),
    ("update", "aws:s3/bucket:Bucket", ("forceDestroy",)),
]
"""What changes once deletion is allowed: docs/runbook.md names them."""
KEPT = {
    "aws:backup/vault:Vault",
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration",
    "aws:ecs/taskDefinition:TaskDefinition",
    "aws:kms/key:Key",
    SNAPSHOT,
}
"""Resources that remain of a destroyed environment, for the reasons in docs/runbook.md."""


def _changed(engine: Engine) -> list[tuple[str, str, tuple[str, ...]]]:
    """The operations on the cloud: operation, type, changed inputs."""
    entries = engine.cloud.operations("create", "update", "delete")
    return sorted((e["operation"], e["type"], tuple(e.get("changed", ()))) for e in entries)


def test_the_first_preview_creates_everything_and_touches_nothing(deployed: Deployed) -> None:
    assert set(deployed.first_preview.steps().values()) == {"create"}
    assert deployed.touched_by_preview == 0


def test_up_does_what_the_first_preview_said(deployed: Deployed) -> None:
    assert deployed.up.changes() == deployed.first_preview.changes()
    assert deployed.up.steps() == deployed.first_preview.steps()


def test_a_second_preview_changes_nothing(deployed: Deployed) -> None:
    assert deployed.second_preview.changes() == {}


def test_a_changed_property_updates_that_property_and_nothing_else(deployed: Deployed, tmp_path: Path) -> None:
    engine = deployed.fork(tmp_path)
    engine.set(FLOW_LOG_DAYS, "365")
    preview = engine.preview()
    engine.up()
    groups = [e["name"] for e in engine.cloud.operations("update")]
    assert _changed(engine) == [("update", "aws:cloudwatch/logGroup:LogGroup", ("retentionInDays",))] * len(groups)
    assert {name.partition("-")[0] for name in groups} == {"network"}
    assert preview.changes() == {"update": len(groups)}


def test_a_release_touches_the_task_definitions_and_the_service_only(deployed: Deployed, tmp_path: Path) -> None:
    engine = deployed.fork(tmp_path)
    engine.set(RELEASE, _other_release(deployed.engine))
    engine.up()
    done = [(e["operation"], e["type"]) for e in engine.cloud.operations("create", "update", "delete")]
    assert [one for one in done if one != ("update", TASK)] == [("create", TASK), ("update", SERVICE), ("delete", TASK)]
    assert _changed(engine)[2:] == [
        ("update", SERVICE, ("tags", "taskDefinition")),
        ("update", TASK, ("tags",)),  # the synthetic chat's, which names the release
    ]


def test_a_release_with_another_guardrail_touches_the_guardrail_besides(staging: Deployed, tmp_path: Path) -> None:
    engine = staging.fork(tmp_path)
    STRONGER_GUARDRAIL.apply(engine.project)
    _make_release(engine, "2031.1.1")
    engine.set(RELEASE, "2031.1.1")
    engine.up()
    assert _changed(engine) == [
        ("create", GUARDRAIL_VERSION, ()),
        ("create", TASK, ()),
        ("create", TASK, ()),  # the synthetic chat's, which its schedule starts
        ("delete", GUARDRAIL_VERSION, ()),
        ("delete", TASK, ()),
        ("delete", TASK, ()),
        ("update", GUARDRAIL, ("contentPolicyConfig",)),
        ("update", SERVICE, ("tags", "taskDefinition")),
        ("update", SCHEDULE, ("target",)),
    ]


def test_a_replacement_is_said_before_it_happens(deployed: Deployed, tmp_path: Path) -> None:
    engine = deployed.fork(tmp_path)
    engine.set(CPU, "4096")
    engine.set("ai-interface:capacity.memoryMebibytes", "16384")
    preview = engine.preview()
    said = {name_of(urn) for urn, op in preview.steps().items() if op in ("create-replacement", "replace")}
    up = engine.up()
    replaced = [e["name"] for e in engine.cloud.operations("create")]
    assert (said, replaced) == ({"service-task"}, ["service-task"])
    assert preview.changes() == up.changes()


def test_a_refresh_without_drift_finds_nothing(deployed: Deployed, tmp_path: Path) -> None:
    assert deployed.fork(tmp_path).refresh().changes() == {}


def test_a_change_made_by_hand_is_seen_and_put_back(deployed: Deployed, tmp_path: Path) -> None:
    engine = deployed.fork(tmp_path)
    balancer = only([entry for entry in engine.cloud.live() if entry["type"].endswith(":LoadBalancer")])
    wanted = balancer["inputs"]["idleTimeout"]
    _by_hand(engine, balancer, "idleTimeout", 4000)
    refreshed = engine.refresh()
    engine.up()
    assert refreshed.changes() == {"update": 1}
    assert _changed(engine) == [("update", "aws:lb/loadBalancer:LoadBalancer", ("idleTimeout",))]
    assert only(by_type(engine.resources(), "aws:lb/loadBalancer:LoadBalancer"))["outputs"]["idleTimeout"] == wanted


def test_a_resource_deleted_by_hand_is_seen_and_made_again(deployed: Deployed, tmp_path: Path) -> None:
    engine = deployed.fork(tmp_path)
    alarm = next(entry for entry in engine.cloud.live() if entry["type"].endswith(":MetricAlarm"))
    engine.cloud.remove(alarm["type"], alarm["id"])
    refreshed = engine.refresh()
    engine.up()
    assert refreshed.changes() == {"delete": 1}
    assert _changed(engine)[0] == ("create", alarm["type"], ())


def test_a_protected_environment_is_not_destroyed(deployed: Deployed, tmp_path: Path) -> None:
    engine = deployed.fork(tmp_path)
    before = len(engine.cloud.live())
    refused = engine.destroy(code=1)
    assert "protect" in refused.text.lower()
    assert len(engine.cloud.live()) == before


def test_an_environment_is_destroyed_to_zero_once_deletion_is_allowed(deployed: Deployed, tmp_path: Path) -> None:
    engine = deployed.fork(tmp_path)
    engine.cloud.fill(uploads(engine), "a file")
    allowed = allow_deletion(engine)
    lifted = _changed(engine)
    stopped = engine.destroy(code=1)
    empty_uploads(engine)
    engine.destroy()
    assert set(allowed.changes()) == {"update"}
    assert lifted == LIFTED
    assert f"{UPLOADS}: " in stopped.text
    assert "is not empty: a file" in stopped.text
    assert engine.resources() == []
    assert {entry["type"] for entry in engine.cloud.live()} == KEPT


def _other_release(engine: Engine) -> str:
    """A release that does not run here."""
    task = only([one for one in by_type(engine.resources(), TASK) if name_of(one["urn"]) == "service-task"])
    known = sorted(path.stem for path in (engine.project / "releases").glob("20*.yaml"))
    running = json.dumps(task["inputs"]["tags"])
    return next(version for version in reversed(known) if version not in running)


def _make_release(engine: Engine, version: str) -> None:
    """A release with the current prompts, created with the command."""
    people = {
        "--built-by": "@example/ai-platform",
        "--reviewed-by": "@example/ai-model-reviewers",
        "--prompt-reviewed-by": "@example/ai-prompt-reviewers",
        "--approved-by": "@example/ai-release-managers",
    }
    words = [sys.executable, "-m", "preflight", "release", "new", version]
    words += [word for pair in people.items() for word in pair]
    done = subprocess.run(words, cwd=engine.project, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr


def _by_hand(engine: Engine, entry: Wire, name: str, value: int) -> None:
    inputs, outputs = {**entry["inputs"], name: value}, {**entry["outputs"], name: value}
    engine.cloud.put(entry["type"], entry["id"], inputs, outputs, entry["urn"])


def test_every_registered_type_has_its_replacement_rules(deployed: Deployed) -> None:
    registered = {resource["type"] for resource in custom(deployed.engine.resources())}
    assert registered - set(TABLE) == set()
