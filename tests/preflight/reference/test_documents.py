"""The generated documents are current, and each says everything that the code has."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from preflight import reference
from preflight.__main__ import main
from preflight.commands import parser
from preflight.reference import settings_keys
from settings.rendering import _paths  # pyright: ignore[reportPrivateUsage]
from settings.stack import StackSettings
from tests.settings.stack_files import ROOT


def test_every_generated_document_is_current() -> None:
    assert reference.stale(ROOT, parser()) == {}


def test_an_out_of_date_document_is_named_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reference.write(tmp_path, parser())
    page = tmp_path / "docs/reference/settings.md"
    page.write_text("edited by hand", encoding="utf-8")

    assert main(["-C", str(tmp_path), "docs"]) == 1
    assert capsys.readouterr().out == "docs/reference/settings.md: out of date; run `make docs` and commit the result\n"
    assert main(["-C", str(tmp_path), "docs", "--write"]) == 0
    assert page.read_text(encoding="utf-8") == settings_keys.markdown()


def test_the_settings_reference_has_every_key_once() -> None:
    listed = [key.path.replace("[]", "") for key in settings_keys.keys(StackSettings)]
    assert len(set(listed)) == len(listed)
    assert set(_paths(StackSettings)) <= set(listed)


@pytest.mark.parametrize("key", list(settings_keys.keys(StackSettings)), ids=lambda key: key.path)
def test_every_key_says_what_it_does_and_what_is_allowed(key: settings_keys.Key) -> None:
    assert key.text.endswith((".", ")"))
    assert key.allowed


def test_a_docstring_beneath_a_field_is_its_text() -> None:
    class Example(BaseModel):
        name: str
        """What it is called."""
        other: int = 1

    assert settings_keys.docstrings(Example) == {"name": "What it is called."}
