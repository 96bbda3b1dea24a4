"""The example of a platform team's own preset, as a module of its own: the package does not have it."""

import runpy
from pathlib import Path

from components.applications import Preset

EXAMPLE = Path(__file__).parents[2] / "examples" / "own-preset" / "notes.py"


def example_preset() -> Preset:
    """The example's preset."""
    preset = runpy.run_path(str(EXAMPLE))["PRESET"]
    assert isinstance(preset, Preset)
    return preset
