"""Connections to the tables and to the vector store, in pools of the sizes that the environment sets."""

from __future__ import annotations

from typing import Any, cast

import boto3  # pyright: ignore[reportMissingTypeStubs] - it has none
import sqlalchemy as sa
from sqlalchemy import event

from . import env


def engine(url: str, prefix: str, *, tokens: bool) -> sa.Engine:
    """Return an engine whose pool is sized by ``<prefix>_SIZE``, ``_MAX_OVERFLOW``, ``_TIMEOUT`` and ``_RECYCLE``, with
    IAM tokens."""
    if not url.startswith("postgresql://"):
        return sa.create_engine(url)
    size = env.number(f"{prefix}_SIZE", 5)
    made = sa.create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_pre_ping=True,
        pool_size=size,
        max_overflow=env.number(f"{prefix}_MAX_OVERFLOW", 10),
        pool_timeout=env.number(f"{prefix}_TIMEOUT", 30),
        pool_recycle=env.number(f"{prefix}_RECYCLE", 3600),
    )
    if tokens:
        event.listen(made, "do_connect", _give_token)
    return made


def _give_token(_dialect: object, _record: object, _arguments: object, parameters: dict[str, Any]) -> None:
    client = cast("Any", boto3).client("rds")
    parameters["password"] = client.generate_db_auth_token(
        DBHostname=parameters["host"], Port=int(parameters.get("port") or 5432), DBUsername=parameters["user"]
    )


TABLES = engine(env.DATABASE_URL, "DATABASE_POOL", tokens=env.DATABASE_ENABLE_IAM_TOKEN_AUTH)


def rows(statement: sa.Executable) -> list[dict[str, Any]]:
    """Run a statement in its own transaction and return its rows."""
    with TABLES.begin() as connection:
        done = connection.execute(statement)
        return [dict(one) for one in done.mappings()] if done.returns_rows else []


def first(statement: sa.Executable) -> dict[str, Any] | None:
    """Return the statement's first row."""
    return next(iter(rows(statement)), None)
