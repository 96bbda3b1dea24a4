"""Every file that states the version states the one of ``pyproject.toml``."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.versions import ROOT, STATED, stated, version


@pytest.mark.parametrize("file", STATED)
def test_a_file_states_the_version(file: str) -> None:
    assert stated(file) == version(), "run python -m tests.versions"


GENERATED = {"tests/engine/package-schema.json", "tests/engine/released/package-schema.json"}
"""Written from the component package, as it is and as it was released."""


def test_no_other_file_states_it() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()  # noqa: S607
    form = re.compile(
        rf"""^\s*["']?version["']?\s*[:=]\s*["']?{re.escape(version())}["']?,?$""", re.MULTILINE | re.IGNORECASE
    )
    texts = [
        name for name in listed if name.endswith((".py", ".yaml", ".yml", ".json", ".toml")) and (ROOT / name).is_file()
    ]
    found = {name for name in texts if form.search((ROOT / name).read_text(encoding="utf-8"))}
    assert found == {*STATED, *GENERATED, "pyproject.toml"}


def test_the_changelog_has_a_section_for_what_is_not_released() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert all(re.fullmatch(r"\d+\.\d+\.\d+ - \d{4}-\d{2}-\d{2}", heading) for heading in headings[1:])
