"""With values in AWS's form, the previews after a deployment are empty and the drift check passes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.engine.conftest import Deployed
from tests.engine.edits import NAMES_WITHOUT_A_FINAL_DOT
from tests.engine.harness import REPOSITORY, name_of

pytestmark = pytest.mark.engine

DRIFT = REPOSITORY / ".github" / "workflows" / "drift.yml"


def _nightly(stack: str) -> list[str]:
    """The words after ``pulumi`` of the preview that the drift job runs."""
    (line,) = re.findall(r"pulumi (preview .*--refresh.*)", DRIFT.read_text(encoding="utf-8"))
    return [stack if word == "$STACK" else word for word in shlex.split(line) if word != "--non-interactive"]


def test_a_second_preview_is_empty(deployed: Deployed) -> None:
    assert deployed.second_preview.changes() == {}


def test_the_nightly_preview_finds_no_drift(deployed: Deployed, tmp_path: Path) -> None:
    engine = deployed.fork(tmp_path)
    assert engine.documented(_nightly(engine.stack)).changes() == {}


def test_names_without_a_final_dot_are_drift_for_ever(staging: Deployed, tmp_path: Path) -> None:
    """With the fault planted, no update removes the difference."""
    engine = staging.fork(tmp_path)
    NAMES_WITHOUT_A_FINAL_DOT.apply(engine.project)
    lists = {"network-dns-allowed", "network-dns-everything"}
    engine.up()
    again = engine.preview("--diff")
    assert {name_of(urn) for urn in again.steps("update")} == lists
    engine.documented(_nightly(engine.stack), code=1)
