"""The vector store: one table of pgvector, created when this module is imported, as in the application."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence

import httpx
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


def embeddings(texts: Sequence[str]) -> list[list[float]]:
    """Return the vector of each text: without a model, or by the declared API. Raises ``httpx.HTTPError`` if it fails."""
    if env.RAG_EMBEDDING_ENGINE != "openai":
        return [embedding(one) for one in texts]
    answer = httpx.post(
        f"{env.RAG_OPENAI_API_BASE_URL}/embeddings",
        json={"input": list(texts), "model": env.RAG_EMBEDDING_MODEL},
        headers={"authorization": f"Bearer {env.RAG_OPENAI_API_KEY}"} if env.RAG_OPENAI_API_KEY else {},
        timeout=env.CLIENT_TIMEOUT,
    )
    found = sorted(answer.raise_for_status().json()["data"], key=lambda one: one["index"])
    return [[float(number) for number in one["embedding"]] for one in found]


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
        vectors = embeddings(texts)
        with self._engine.begin() as connection:
            for number, (text, vector) in enumerate(zip(texts, vectors, strict=True)):
                values = {
                    "id": f"{collection}-{number}",
                    "vector": self._padded(vector),
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
        (wanted,) = embeddings([text])
        with self._engine.begin() as connection:
            values = {"vector": self._padded(wanted), "collections": list(collections), "most": most}
            return [dict(one) for one in connection.execute(statement, values).mappings()]

    @staticmethod
    def _padded(vector: Sequence[float]) -> str:
        return json.dumps([*vector, *[0.0] * (env.VECTOR_LENGTH - len(vector))])


class LocalClient:
    """Chunks in this process, which other tasks cannot see, as with a store in ``DATA_DIR``."""

    def __init__(self) -> None:
        """Create the folder, which must be writable."""
        (env.DATA_DIR / "vector_db").mkdir(parents=True, exist_ok=True)
        self._kept: dict[str, list[tuple[str, list[float], dict[str, str]]]] = {}

    def insert(self, collection: str, texts: Sequence[str], metadata: dict[str, str]) -> None:
        """Store chunks of a document."""
        vectors = embeddings(texts)
        self._kept[collection] = [(one, vector, metadata) for one, vector in zip(texts, vectors, strict=True)]

    def search(self, collections: Sequence[str], text: str, most: int) -> list[dict[str, object]]:
        """Return the chunks nearest to a text."""
        (wanted,) = embeddings([text])
        found = [(name, *one) for name in collections for one in self._kept.get(name, [])]
        near = [sum(a * b for a, b in zip(wanted, vector, strict=True)) for _, _, vector, _ in found]
        order = sorted(range(len(found)), key=lambda at: -near[at])[:most]
        return [
            {"collection_name": name, "text": piece, "vmetadata": metadata}
            for name, piece, _, metadata in (found[at] for at in order)
        ]


VECTORS = PgvectorClient() if env.VECTOR_DB == "pgvector" else LocalClient()
