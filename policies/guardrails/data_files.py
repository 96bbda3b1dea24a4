"""The pack's data files: control titles, and the fields of AWS's logs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent / "data"


@lru_cache(maxsize=1)
def fsbp_titles() -> dict[str, str]:
    """Control id → title of the controls of AWS Foundational Security Best Practices that apply to such stacks."""
    lines = (FOLDER / "fsbp.tsv").read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t", 1) for line in lines if line)


@lru_cache(maxsize=1)
def log_fields() -> dict[str, frozenset[str]]:
    """Kind of log → the fields of its lines, as CloudWatch Logs names them; the third column is AWS's page."""
    return {kind: frozenset(fields.split()) for kind, fields, _ in _rows("log_fields.tsv")}


def _rows(name: str) -> Iterator[list[str]]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return (line.split("\t") for line in lines if line)
