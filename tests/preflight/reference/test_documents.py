"""The generated documents are current and complete."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pydantic import BaseModel

from preflight.__main__ import main
from preflight.commands import parser
from preflight.reference import documents as reference
from preflight.reference import settings_keys
from settings.rendering import _paths  # pyright: ignore[reportPrivateUsage]
from settings.stack import StackSettings
from tests.settings.stack_files import ROOT


def test_every_generated_document_is_current() -> None:
    assert reference.stale(ROOT, parser()) == {}


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A folder with every generated document; of the ones with a generated section, the committed text."""
    for name in reference.SECTIONS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    reference.write(tmp_path, parser())
    return tmp_path


def test_an_out_of_date_document_is_named_and_written(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = written / "docs/reference/settings.md"
    page.write_text("edited by hand", encoding="utf-8")

    assert main(["-C", str(written), "docs"]) == 1
    assert (
        capsys.readouterr().out == "docs/reference/settings.md is out of date; run `make docs` and commit the result\n"
    )
    assert main(["-C", str(written), "docs", "--write"]) == 0
    assert page.read_text(encoding="utf-8") == settings_keys.markdown()


@pytest.mark.parametrize("name", reference.SECTIONS)
def test_an_out_of_date_section_is_written_and_the_text_around_it_stays(written: Path, name: str) -> None:
    page = written / name
    committed = page.read_text(encoding="utf-8")
    before, rest = committed.split(reference.BEGIN)
    after = rest.split(reference.END)[1]
    page.write_text(f"{before}and more\n{reference.BEGIN}\nold\n{reference.END}{after}", encoding="utf-8")

    assert list(reference.stale(written, parser())) == [name]
    assert reference.write(written, parser()) == [page]
    assert page.read_text(encoding="utf-8") == committed.replace(before, f"{before}and more\n")
    assert reference.stale(written, parser()) == {}


@pytest.mark.parametrize("name", reference.SECTIONS)
@pytest.mark.parametrize("times", [0, 2])
@pytest.mark.parametrize("mark", [reference.BEGIN, reference.END])
def test_a_page_without_its_section_is_one_message(
    written: Path, name: str, mark: str, times: int, capsys: pytest.CaptureFixture[str]
) -> None:
    page = written / name
    damaged = page.read_text(encoding="utf-8").replace(mark, times * mark)
    page.write_text(damaged, encoding="utf-8")

    assert main(["-C", str(written), "docs", "--write"]) == 2
    assert f"{name} has no section to generate" in capsys.readouterr().err
    assert page.read_text(encoding="utf-8") == damaged


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
