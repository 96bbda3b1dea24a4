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
COLUMNS = ("kind", "models", "serves", "checked", "source", "path")
"""The last column only in rows of the kind ``bedrockMantle`` that serve chats."""


MANTLE = "bedrockMantle"
MANTLE_PATHS = ("/v1", "/openai/v1")
"""The paths below which ``bedrock-mantle`` serves Chat Completions
(https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html)."""


class Serves(StrEnum):
    """Which of OpenAI's APIs an upstream of a kind offers for a model."""

    CHAT = "chat"
    """Chat Completions; for the kind ``gateway``, Converse, to which the gateway translates them."""
    EMBEDDINGS = "embeddings"
    """Embeddings; for the kind ``gateway``, InvokeModel, to which the gateway translates them."""
    NEITHER = "neither"
    """No API that the proxy can forward to: InvokeModel, Converse, the Responses API or the Messages API only."""


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
    path: str = ""
    """The path below which ``bedrock-mantle`` serves the model, as in ``pathPrefix`` of the upstream; empty for other kinds."""

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
        kind, models, serves, checked, source, *path = line.split("\t")
        row = Row(kind, models, Serves(serves), datetime.date.fromisoformat(checked), source, *path)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{TABLE.name}:{number}: {error}; the columns are {', '.join(COLUMNS)}") from None
    needed = kind == MANTLE and row.serves is Serves.CHAT
    if path != ([row.path] if needed else []) or (needed and row.path not in MANTLE_PATHS):
        wanted = (
            f"a row of {MANTLE} that serves chat has the path {' or '.join(MANTLE_PATHS)}, and no other row has one"
        )
        raise ValueError(f"{TABLE.name}:{number}: path {', '.join(path) or '(none)'}: {wanted}")
    return row


def documented(kind: str, model: str) -> Row | None:
    """The row about a model, or about the model behind an inference profile: the one that names most of the id. ``None``
    if no row does."""
    rows = [row for row in known_models() if row.names(kind, foundation_model(model))]
    return max(rows, key=lambda row: (not row.models.endswith("*"), len(row.models)), default=None)
