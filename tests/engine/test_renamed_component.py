"""A renamed component keeps the resources that were created with its old type."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.edits import FORMER_NAMES
from tests.engine.harness import REPOSITORY, Engine

pytestmark = pytest.mark.engine


def test_a_stack_from_before_the_rename_keeps_every_resource(tmp_path: Path) -> None:
    engine = Engine.create(tmp_path / "engine", REPOSITORY, "staging")
    for edit in FORMER_NAMES:
        edit.apply(engine.project)
    engine.up()
    before = engine.preview()
    for edit in FORMER_NAMES:
        edit.undo(engine.project)
    assert before.changes() == {}
    assert engine.preview().changes() == {}
