"""What the engine's tests change in the project can still be changed, and has the effect that they are about.

Otherwise they would fail, or pass for another reason, only where the Pulumi CLI is.
"""

from __future__ import annotations

import datetime as dt
import runpy
import shutil
from pathlib import Path

import pytest

from policies.guardrails.topology.graph.resources import Graph
from preflight.pulumi.project import Project
from preflight.recording.recorder import record
from tests.engine import edits, exposure
from tests.engine.edits import Edit
from tests.engine.harness import REPOSITORY
from tests.own_pack import own_evaluation

STACK = "staging"


@pytest.mark.parametrize(
    "edit",
    [edits.STRONGER_GUARDRAIL, edits.NAMES_WITHOUT_A_FINAL_DOT, *edits.FORMER_NAMES],
    ids=lambda edit: edit.file,
)
def test_an_edit_can_be_made_and_undone(edit: Edit, tmp_path: Path) -> None:
    copy = tmp_path / edit.file
    copy.parent.mkdir(parents=True)
    shutil.copy(REPOSITORY / edit.file, copy)
    before = copy.read_text(encoding="utf-8")
    edit.apply(tmp_path)
    assert copy.read_text(encoding="utf-8") != before
    edit.undo(tmp_path)
    assert copy.read_text(encoding="utf-8") == before


def test_an_edit_of_a_text_that_is_not_there_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("other", encoding="utf-8")
    with pytest.raises(AssertionError, match="file does not have 'old' any more"):
        Edit("file", "old", "new").apply(tmp_path)


def test_the_exposed_program_runs_and_the_policy_refuses_it(tmp_path: Path) -> None:
    program = tmp_path / "__main__.py"
    shutil.copy(REPOSITORY / "__main__.py", program)
    assert exposure.POLICY not in refused(program)
    exposure.add_rules(program)
    assert exposure.POLICY in refused(program)


def refused(program: Path) -> set[str]:
    """The policies that the program's graph violates."""
    config = Project.load(REPOSITORY).stack(STACK).config
    recording = record(lambda: runpy.run_path(str(program), run_name="__main__"), stack=STACK, config=config)
    found, _ = own_evaluation(dt.datetime.now(dt.UTC).date()).on_stack(Graph.from_recorded(recording.resources))
    return {report.rule.name for report in found if not report.note.startswith("excepted")}
