"""Recovery from interruptions: a violation, a refused change, a failing provider, a killed engine."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from preflight.sdk.wire import Wire
from tests.engine import exposure
from tests.engine.conftest import Deployed
from tests.engine.harness import PACKS, REPOSITORY, Engine, custom, name_of, stop

pytestmark = pytest.mark.engine

LAST = "service-service"
MIDDLE = "edge-balancer"
WAIT_SECONDS = 300
SETTLE_SECONDS = 3


def _new(root: Path) -> Engine:
    return Engine.create(root / "engine", REPOSITORY, "staging")


def _assert_complete(engine: Engine, like: Deployed) -> None:
    """The environment has the same resources as an undisturbed one, and the cloud has no others."""
    resources = engine.resources()
    assert [r["urn"] for r in resources] == [r["urn"] for r in like.engine.resources()]
    assert sorted(e["id"] for e in engine.cloud.live()) == sorted(r["id"] for r in custom(resources))


@pytest.mark.parametrize("operation", ["preview", "up"])
def test_an_exposure_in_a_running_stack_is_refused_before_anything_is_touched(
    staging: Deployed, tmp_path: Path, operation: str
) -> None:
    engine = staging.fork(tmp_path)
    exposure.open_the_task_port(engine)
    refused = engine.pulumi(*engine.operation(operation, packs=PACKS), code=1)
    blocking = {e["policyName"] for e in refused.policy_events() if e["enforcementLevel"] == "mandatory"}
    assert exposure.POLICY in blocking
    assert engine.cloud.operations("create", "update", "delete") == []


def test_an_exposure_in_a_new_environment_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    engine = _new(tmp_path)
    exposure.open_the_task_port(engine)
    refused = engine.up(packs=PACKS, code=1)
    blocking = {e["policyName"] for e in refused.policy_events() if e["enforcementLevel"] == "mandatory"}
    assert exposure.POLICY in blocking
    assert engine.cloud.live() == []


def test_the_next_update_completes_what_a_failing_provider_left(staging: Deployed, tmp_path: Path) -> None:
    engine = _new(tmp_path)
    engine.cloud.tell("create", MIDDLE, fail="AWS: service unavailable")
    failed = engine.up(code=1)
    left = [name_of(r["urn"]) for r in engine.resources()]
    engine.cloud.behave()
    engine.up()
    assert "service unavailable" in failed.text
    assert MIDDLE not in left
    assert "network-vpc" in left
    _assert_complete(engine, staging)


def test_the_next_update_repeats_what_failed_and_nothing_else(staging: Deployed, tmp_path: Path) -> None:
    engine = staging.fork(tmp_path)
    engine.set("ai-interface:capacity.cpuUnits", "4096")
    engine.set("ai-interface:capacity.memoryMebibytes", "16384")
    engine.cloud.tell("update", LAST, fail="AWS: the service did not become stable")
    engine.up(code=1)
    first = [(e["operation"], e["name"]) for e in engine.cloud.operations("create", "update", "delete")]
    engine.cloud.behave()
    engine.cloud.forget_operations()
    engine.up()
    second = [(e["operation"], e["name"]) for e in engine.cloud.operations("create", "update", "delete")]
    assert first == [("create", "service-task")]
    assert second == [("update", LAST), ("delete", "service-task")]


def test_a_killed_update_is_recovered_as_the_readme_says(staging: Deployed, tmp_path: Path) -> None:
    engine = _new(tmp_path)
    engine.cloud.tell("created", MIDDLE, seconds=5, times=1)
    _kill_once_it_waits(engine, "slow created")
    engine.pulumi("cancel", "--yes", engine.stack, code=None)
    pending = [name_of(urn) for urn in _pending(engine)]
    engine.cloud.behave()
    _adopt(engine)
    engine.up()
    assert MIDDLE in pending
    _assert_complete(engine, staging)


def test_an_update_that_is_asked_to_stop_leaves_nothing_unknown(staging: Deployed, tmp_path: Path) -> None:
    engine = _new(tmp_path)
    engine.cloud.tell("create", MIDDLE, seconds=5, times=1)
    process = engine.start(*engine.operation("up"))
    _wait_for(engine, "slow create")
    os.kill(process.pid, signal.SIGINT)
    text, _ = process.communicate(timeout=WAIT_SECONDS)
    pending = _pending(engine)
    engine.cloud.behave()
    engine.up()
    assert process.returncode != 0, text
    assert pending == []
    _assert_complete(engine, staging)


def _kill_once_it_waits(engine: Engine, operation: str) -> None:
    process = engine.start(*engine.operation("up"))
    try:
        _wait_for(engine, operation)
    finally:
        stop(process)
    done = -1
    while done != (done := len(engine.cloud.operations())):  # AWS finishes what it has begun
        time.sleep(SETTLE_SECONDS)


def _wait_for(engine: Engine, operation: str) -> None:
    """Wait until the provider is executing ``operation``."""
    give_up = time.monotonic() + WAIT_SECONDS
    while not engine.cloud.operations(operation):
        assert time.monotonic() < give_up, f"no {operation} within {WAIT_SECONDS} s"
        time.sleep(0.1)


def _pending(engine: Engine) -> list[str]:
    """The URNs of pending creations."""
    operations: list[Wire] = engine.export()["deployment"].get("pending_operations", [])
    return sorted(operation["resource"]["urn"] for operation in operations if operation["type"] == "creating")


def _adopt(engine: Engine) -> None:
    """Import the resources that AWS created but the state lacks, and clear the others, as in the runbook."""
    made = {(name_of(entry["urn"]), entry["type"]): entry["id"] for entry in engine.cloud.live()}
    pending = {name_of(urn) for urn in _pending(engine)}
    path = engine.root / "import.json"
    engine.preview("--import-file", str(path))
    entries: Wire = json.loads(path.read_text())
    wanted: list[Wire] = []
    for entry in entries["resources"]:
        name = entry.get("logicalName") or entry["name"]  # the file's own names are unique, logical ones are not
        if name in pending and (name, entry["type"]) in made:
            wanted.append({**entry, "id": made[name, entry["type"]]})
    path.write_text(json.dumps({**entries, "resources": wanted}))
    imported = ("--file", str(path), "--yes", "--protect=false", "--generate-code=false")
    engine.pulumi("import", "--stack", engine.stack, *imported)
    engine.refresh("--clear-pending-creates")
