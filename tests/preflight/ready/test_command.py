"""The command line of ``ready``: formats, exit codes, and why it could not run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from preflight.__main__ import main
from preflight.account import session
from preflight.ready import command
from preflight.ready.command import wanted_of
from tests.preflight.ready.world import World
from tests.settings.stack_files import ROOT

pytestmark = pytest.mark.usefixtures("credentials")


def test_a_right_account_exits_with_0_and_says_the_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(ROOT), "ready", "staging"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("preflight ready staging: account 111122223333, region eu-west-1\n")
    assert said.splitlines()[-1].endswith(" ok, 0 missing, 0 cannot tell")


def test_something_missing_exits_with_1_and_a_file_gets_the_report(
    staging: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    staging.names.records.clear()
    file = tmp_path / "ready.json"
    assert main(["-C", str(ROOT), "ready", "staging", "--format", "json", "--output", str(file)]) == 1
    content = json.loads(file.read_text(encoding="utf-8"))
    assert [line["subject"] for line in content["lines"] if line["status"] == "missing"] == [
        "delegation",
        "addresses of login.example.com",
    ]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("options", "code"), [([], 0), (["--strict"], 1)])
def test_what_is_unknown_fails_only_with_strict(options: list[str], code: int) -> None:
    assert main(["-C", str(ROOT), "ready", "staging", "--no-model-call", *options]) == code


def test_without_boto3_one_message_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = session.importlib.import_module

    def missing(name: str) -> Any:  # noqa: ANN401
        if name == "boto3":
            raise ImportError(name)
        return real(name)

    monkeypatch.setattr(session.importlib, "import_module", missing)
    assert main(["-C", str(ROOT), "ready", "staging"]) == 2
    assert "pip install boto3 dnspython" in capsys.readouterr().err


def test_without_credentials_one_message_says_how_to_log_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    assert main(["-C", str(ROOT), "ready", "staging"]) == 2
    assert "no AWS credentials were found" in capsys.readouterr().err


def test_the_state_backend_is_the_environments_and_then_the_projects(staging: World) -> None:
    assert staging.wanted.backend == ""
    wanted = wanted_of(ROOT, "staging", {"PULUMI_BACKEND_URL": "s3://example-pulumi-state"})
    assert wanted.backend == "s3://example-pulumi-state"
    assert wanted.account == staging.wanted.account


def test_a_stack_that_does_not_exist_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "wanted_of", wanted_of)
    assert main(["-C", str(ROOT), "ready", "nowhere"]) == 2
    assert "there is no stack file Pulumi.nowhere.yaml" in capsys.readouterr().err
