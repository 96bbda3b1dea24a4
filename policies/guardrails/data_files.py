"""The pack's data files: control titles, and how each control is met."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent / "data"


@lru_cache(maxsize=1)
def fsbp_titles() -> dict[str, str]:
    """Control id → title of the controls of AWS Foundational Security Best Practices that apply to such stacks."""
    lines = (FOLDER / "fsbp.tsv").read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t", 1) for line in lines if line)
