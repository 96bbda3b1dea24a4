"""The database and the uploaded files survive the destruction and restoration of an environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.conftest import Deployed
from tests.engine.echo.deletion import CLUSTER, SNAPSHOT
from tests.engine.harness import Engine, by_type, only
from tests.engine.takedown import allow_deletion

pytestmark = pytest.mark.engine

FROM_SNAPSHOT = "ai-interface:data.database.snapshotIdentifier"
PASSWORDS = ("masterPassword", "masterPasswordWo")


def _snapshots(engine: Engine) -> list[str]:
    return [entry["id"] for entry in engine.cloud.live() if entry["type"] == SNAPSHOT]


def test_the_state_holds_no_master_password_and_only_the_name_of_the_secret_that_does(deployed: Deployed) -> None:
    cluster = only(by_type(deployed.engine.resources("--show-secrets"), CLUSTER))
    given = [key for key in PASSWORDS if cluster["inputs"].get(key) or cluster["outputs"].get(key)]
    secret = only(cluster["outputs"]["masterUserSecrets"])
    assert given == []
    assert cluster["inputs"]["manageMasterUserPassword"] is True
    assert secret["secretArn"].startswith("arn:aws:secretsmanager:")
    assert set(secret) == {"kmsKeyId", "secretArn", "secretStatus"}


def test_an_environment_comes_back_from_its_final_snapshot(staging: Deployed, tmp_path: Path) -> None:
    engine = staging.fork(tmp_path)
    allow_deletion(engine)
    engine.destroy()
    snapshot = only(_snapshots(engine))
    engine.set("ai-interface:allowDeletion", "false")
    engine.set(FROM_SNAPSHOT, snapshot)
    engine.up()
    cluster = only(by_type(engine.resources(), CLUSTER))
    assert [r["urn"] for r in engine.resources()] == [r["urn"] for r in staging.engine.resources()]
    assert cluster["inputs"]["snapshotIdentifier"] == snapshot
    assert cluster["inputs"]["deletionProtection"] is True
    assert cluster["inputs"]["finalSnapshotIdentifier"] != snapshot
    assert engine.preview().changes() == {}
