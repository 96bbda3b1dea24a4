"""The models that an AWS service is documented to serve: ``known_models.tsv``.

The table is dated and incomplete. A model that it lists as not served is refused, a model that it does not list only
causes a warning, and ``models.known`` in a stack file overrides both. To extend it, add a row: columns and rules are
those of :class:`Row`, and ``tests/settings/test_known_models.py`` checks every row.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from components.common.aws_limits import foundation_model

TABLE = Path(__file__).with_name("known_models.tsv")
COLUMNS = ("kind", "models", "serves", "checked", "source")


class Serves(StrEnum):
    """Which of OpenAI's APIs an upstream of a kind offers for a model."""

    CHAT = "chat"
    """Chat Completions; for the kind ``gateway``, Converse, to which the gateway translates them."""
    EMBEDDINGS = "embeddings"
    """Embeddings; for the kind ``gateway``, InvokeModel, to which the gateway translates them."""
    NEITHER = "neither"
    """No API that the proxy can forward to: InvokeModel, Converse or the Messages API only."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table."""

    kind: str
    """The kind of upstream, as in ``models.groups[].upstreams[].kind``."""
    models: str
    """A model's id without the prefix of an inference profile; with ``*`` at its end, every id that begins so."""
    serves: Serves
    checked: datetime.date
    """The day on which the source was read."""
    source: str
    """The URL of the documenting page."""

    def names(self, kind: str, model: str) -> bool:
        """Whether the row applies to this model."""
        if self.kind != kind:
            return False
        return model.startswith(self.models[:-1]) if self.models.endswith("*") else model == self.models


@lru_cache(maxsize=1)
def known_models() -> tuple[Row, ...]:
    """Every row of the table. Raises ``ValueError`` with the line that is not a row."""
    first, *lines = TABLE.read_text(encoding="utf-8").splitlines()
    if tuple(first.split("\t")) != COLUMNS:
        raise ValueError(f"{TABLE.name}:1: the columns are {', '.join(COLUMNS)}, separated by tabs")
    return tuple(_row(line, number) for number, line in enumerate(lines, start=2))


def _row(line: str, number: int) -> Row:
    try:
        kind, models, serves, checked, source = line.split("\t")
        return Row(kind, models, Serves(serves), datetime.date.fromisoformat(checked), source)
    except ValueError as error:
        raise ValueError(f"{TABLE.name}:{number}: {error}; the columns are {', '.join(COLUMNS)}") from None


def documented(kind: str, model: str) -> Row | None:
    """The row about a model, or about the model behind an inference profile: the one that names most of the id. ``None``
    if no row does."""
    rows = [row for row in known_models() if row.names(kind, foundation_model(model))]
    return max(rows, key=lambda row: (not row.models.endswith("*"), len(row.models)), default=None)
