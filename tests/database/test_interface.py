"""The real application's containers differ in a test from the recorded ones only as ``interface.py`` lists."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.database import interface
from tests.database.interface import ADDED, REPLACED, Services, Task
from tests.database.stack_database import NEW, StackDatabase
from tests.database.task_dependencies import Cache, Uploads

IMAGE = Path("/elsewhere/open_webui")


def _package(_python: str) -> Path:
    return IMAGE


@pytest.fixture
def task(database: StackDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Task:
    monkeypatch.setattr(interface, "package", _package)
    cache = Cache(6379, tmp_path / "authority", "password")
    uploads = Uploads("http://127.0.0.1:9", database.deployed.environment("interface")["S3_BUCKET_NAME"], "eu-west-1")
    return Task(Services(database, cache, uploads, "http://127.0.0.1:8"), NEW, sys.executable, tmp_path)


SETTINGS_IN_JSON = {"DEFAULT_MODEL_METADATA", "DEFAULT_MODEL_PARAMS", "OPENAI_API_CONFIGS"}
"""Variables in JSON without a path."""


@pytest.mark.parametrize("name", ["interface", "prepare"])
def test_only_what_is_listed_differs(task: Task, name: str) -> None:
    recorded = {**task.deployed.environment(name), **task.deployed.secrets(name, task.services.database.password)}
    here = task.variables(name)

    moved = {key for key, value in recorded.items() if value.startswith(("/srv/", "/home/", "/app/", "{"))}
    differing = {key for key in recorded if here[key] != recorded[key]}
    assert differing == (set(REPLACED) & set(recorded)) | (moved - SETTINGS_IN_JSON)
    assert set(here) - set(recorded) == set(ADDED)


def test_the_plan_differs_in_paths_and_in_the_authority_only(task: Task) -> None:
    plan = task.deployed.plan
    here = json.loads(task.variables("prepare")["PREPARE_PLAN"])

    assert here["database"]["schemas"] == plan["database"]["schemas"]
    assert here["database"]["scripts"] == str(IMAGE / "migrations")
    assert here["directories"] == [f"{task.folder}{directory}" for directory in plan["directories"]]
    text = json.dumps({**here, "files": list(here["files"])}).replace(str(task.folder), "")
    assert text.replace(str(IMAGE.parent), "/app/backend") == json.dumps({**plan, "files": list(plan["files"])})
