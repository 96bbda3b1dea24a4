"""The table of formats, the variable that follows from it, and the package that stands for a language model."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

from components.applications.documents import DOCUMENTS, NAME, RECORDINGS, TEXTS, UNSUPPORTED, VERSION, language_files
from components.applications.presets.open_webui import PRESET
from tests.components.task_fixtures import DEPLOYMENT, application
from tests.open_webui.documents import MADE
from tests.settings.stack_files import ROOT

STATEFUL = application(shared_data=True, region="eu-west-1")
PAGE = ROOT / "docs" / "documents.md"


def test_the_interface_offers_the_declared_formats_and_no_others() -> None:
    for made in (PRESET.application(DEPLOYMENT), STATEFUL):
        offered = made.environment["RAG_ALLOWED_FILE_EXTENSIONS"].split(",")
        assert offered == sorted({*DOCUMENTS, *TEXTS, *RECORDINGS})


def test_a_format_is_declared_once_in_the_form_in_which_it_is_compared() -> None:
    declared = [*DOCUMENTS, *TEXTS, *RECORDINGS, *UNSUPPORTED]
    assert len(declared) == len(set(declared))
    assert [one for one in declared if not re.fullmatch("[a-z0-9]+", one)] == []


def test_a_file_is_made_for_every_format_with_a_loader() -> None:
    assert set(DOCUMENTS) <= set(MADE)


def test_the_page_about_formats_names_each_of_them() -> None:
    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z0-9]+)`", text))
    assert {*DOCUMENTS, *RECORDINGS, *UNSUPPORTED} <= named
    for extension, reason in UNSUPPORTED.items():
        assert f"| `{extension}` | {reason[0].upper()}{reason[1:]} |" in text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What prepare writes, and a spaCy of which only the calls are needed."""
    for path, text in language_files(str(tmp_path)).items():
        Path(path).write_text(text, encoding="utf-8")
    return tmp_path


class _Language:
    def __init__(self, name: str) -> None:
        self.name, self.pipes = name, list[str]()

    def add_pipe(self, name: str) -> None:
        self.pipes.append(name)


def test_it_is_found_as_the_package_that_is_loaded_by_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spacy = ModuleType("spacy")
    spacy.blank = _Language  # pyright: ignore[reportAttributeAccessIssue] - a module for this test
    monkeypatch.setitem(sys.modules, "spacy", spacy)
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])

    # As spaCy does: a package that is installed has metadata, and a module with this function.
    assert importlib.metadata.distribution(NAME).version == VERSION
    made = importlib.import_module(NAME).load(vocab=True, exclude=["ner"], config={})
    monkeypatch.delitem(sys.modules, NAME)

    assert (made.name, made.pipes) == ("en", ["sentencizer"])


def _files(files: Mapping[str, str]) -> dict[str, str]:
    return {path.rpartition("/")[2]: path.rpartition("/")[0] for path in files}


@pytest.mark.parametrize("shared", [False, True])
def test_it_is_in_the_folder_from_which_the_application_imports(*, shared: bool) -> None:
    made = STATEFUL if shared else PRESET.application(DEPLOYMENT)
    found = _files(made.files)
    assert found[f"{NAME}.py"] == found[f"{NAME}-{VERSION}.egg-info"] == made.environment["PYTHONPATH"]
    assert made.environment["PYTHONPATH"] not in made.writable_directories
