"""The real program with the committed stack files."""

from __future__ import annotations

import pytest

from preflight.recording.recorder import Recording
from tests.once import main_program
from tests.settings.stack_files import as_the_engine_passes_it


@pytest.fixture(scope="session")
def staging() -> Recording:
    return main_program(
        "staging",
        as_the_engine_passes_it("staging"),
    )
