"""The vector store: one table of pgvector, created when this module is imported, as in the application."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence

import sqlalchemy as sa

from ... import env
from ...database import engine

DIMENSIONS = 384
"""The dimension of the application's default embedding; shorter vectors are padded with zeros."""


def embedding(text: str) -> list[float]:
    """Return a vector without a model: equal for equal texts, and nearby for texts that share words."""
    vector = [0.0] * DIMENSIONS
    for word in re.findall(r"\w+", text.lower()):
        digest = hashlib.blake2b(word.encode(), digest_size=4).digest()
        vector[int.from_bytes(digest[:2], "big") % DIMENSIONS] += 1.0 if digest[3] & 1 else -1.0
    length = sum(one * one for one in vector) ** 0.5 or 1.0
    return [one / length for one in vector]


def chunks(text: str) -> list[str]:
    """Return overlapping chunks of a text."""
    step = max(1, env.CHUNK_SIZE - env.CHUNK_OVERLAP)
    return [text[start : start + env.CHUNK_SIZE] for start in range(0, max(1, len(text) - env.CHUNK_OVERLAP), step)]


class PgvectorClient:
    """Chunks of documents in PostgreSQL."""

    def __init__(self) -> None:
        """Make what is missing, as its role."""
        self._engine = engine(env.PGVECTOR_DB_URL, "PGVECTOR_POOL", tokens=False)
        with self._engine.begin() as connection:
            if env.PGVECTOR_CREATE_EXTENSION:
                connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS vector")
            connection.exec_driver_sql(
                "CREATE TABLE IF NOT EXISTS document_chunk (id text PRIMARY KEY,"
                f" vector vector({env.VECTOR_LENGTH}), collection_name text NOT NULL, text text, vmetadata jsonb)"
            )
            connection.exec_driver_sql(
                "CREATE INDEX IF NOT EXISTS idx_document_chunk_collection_name ON document_chunk (collection_name)"
            )

    def insert(self, collection: str, texts: Sequence[str], metadata: dict[str, str]) -> None:
        """Embed and store chunks of a document."""
        statement = sa.text(
            "INSERT INTO document_chunk (id, vector, collection_name, text, vmetadata)"
            " VALUES (:id, CAST(:vector AS vector), :collection, :text, CAST(:metadata AS jsonb))"
            " ON CONFLICT (id) DO UPDATE SET vector = excluded.vector, text = excluded.text"
        )
        with self._engine.begin() as connection:
            for number, text in enumerate(texts):
                values = {
                    "id": f"{collection}-{number}",
                    "vector": self._padded(text),
                    "collection": collection,
                    "text": text,
                    "metadata": json.dumps(metadata),
                }
                connection.execute(statement, values)

    def search(self, collections: Sequence[str], text: str, most: int) -> list[dict[str, object]]:
        """Return the chunks nearest to a text by cosine distance."""
        statement = sa.text(
            "SELECT collection_name, text, vmetadata, vector <=> CAST(:vector AS vector) AS distance"
            " FROM document_chunk WHERE collection_name = ANY(:collections) ORDER BY distance, id LIMIT :most"
        )
        with self._engine.begin() as connection:
            values = {"vector": self._padded(text), "collections": list(collections), "most": most}
            return [dict(one) for one in connection.execute(statement, values).mappings()]

    @staticmethod
    def _padded(text: str) -> str:
        found = embedding(text)
        return json.dumps([*found, *[0.0] * (env.VECTOR_LENGTH - len(found))])


class LocalClient:
    """Chunks in this process, which other tasks cannot see, as with a store in ``DATA_DIR``."""

    def __init__(self) -> None:
        """Create the folder, which must be writable."""
        (env.DATA_DIR / "vector_db").mkdir(parents=True, exist_ok=True)
        self._kept: dict[str, list[tuple[str, dict[str, str]]]] = {}

    def insert(self, collection: str, texts: Sequence[str], metadata: dict[str, str]) -> None:
        """Store chunks of a document."""
        self._kept[collection] = [(one, metadata) for one in texts]

    def search(self, collections: Sequence[str], text: str, most: int) -> list[dict[str, object]]:
        """Return the chunks nearest to a text."""
        wanted = embedding(text)
        found: list[dict[str, object]] = [
            {"collection_name": name, "text": piece, "vmetadata": metadata}
            for name in collections
            for piece, metadata in self._kept.get(name, [])
        ]
        near = [sum(a * b for a, b in zip(wanted, embedding(str(one["text"])), strict=True)) for one in found]
        return [found[at] for at in sorted(range(len(found)), key=lambda at: -near[at])[:most]]


VECTORS = PgvectorClient() if env.VECTOR_DB == "pgvector" else LocalClient()
