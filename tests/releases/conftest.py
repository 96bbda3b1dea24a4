"""The real program with the committed stack files."""

from __future__ import annotations

import runpy

import pytest

from preflight.recording.recorder import Recording, record
from tests.settings.stack_files import ROOT, as_the_engine_passes_it


@pytest.fixture(scope="session")
def staging() -> Recording:
    return record(
        lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"),
        stack="staging",
        config=as_the_engine_passes_it("staging"),
    )
