"""A renamed component keeps the resources that were created with its old type."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.harness import REPOSITORY, Engine

pytestmark = pytest.mark.engine

RENAMED = {
    "components/data/component.py": ("Data", "State"),
    "components/monitoring/data.py": ("DataAlarms", "StateAlarms"),
}
"""File → the component's new and old name."""


def test_a_stack_from_before_the_rename_keeps_every_resource(tmp_path: Path) -> None:
    engine = Engine.create(tmp_path / "engine", REPOSITORY, "staging")
    today = {engine.project / file: (engine.project / file).read_text(encoding="utf-8") for file in RENAMED}
    for (path, text), (name, former) in zip(today.items(), RENAMED.values(), strict=True):
        now = f'"ai-interface:index:{name}", name, args, formerly("ai-interface:index:{former}", opts)'
        assert now in text
        path.write_text(text.replace(now, f'"ai-interface:index:{former}", name, args, opts'), encoding="utf-8")
    engine.up()
    before = engine.preview()
    for path, text in today.items():
        path.write_text(text, encoding="utf-8")
    assert before.changes() == {}
    assert engine.preview().changes() == {}
