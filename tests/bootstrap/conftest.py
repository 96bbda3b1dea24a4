"""The world in which images are copied."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.copy_images import repository_name
from releases.manifest import IMAGES
from tests.bootstrap.copy_world import ACCOUNT, KEY_ID, REGION, SECRET_KEY, World, project
from tests.bootstrap.ecr import LEAST_PART, Ecr
from tests.bootstrap.publisher import publisher
from tests.preflight.account.loopback import Cloud


def _no_wait(_: float) -> None:
    return


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("moto.ecr.models.DEFAULT_LAYER_PART_SIZE", LEAST_PART)
    monkeypatch.setattr("time.sleep", _no_wait)
    monkeypatch.setenv("PATH", "")
    ecr = Ecr(Cloud(ACCOUNT), REGION)
    values = {"ACCESS_KEY_ID": KEY_ID, "SECRET_ACCESS_KEY": SECRET_KEY, "ENDPOINT_URL": ecr.cloud.url}
    for name, value in values.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    try:
        ecr.create(*map(repository_name, IMAGES))
        ecr.cloud.asked.clear()
        with publisher() as it:
            yield World(tmp_path, it, ecr, project(tmp_path, it))
    finally:
        ecr.stop()
