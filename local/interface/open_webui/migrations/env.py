"""Run the migrations on ``DATABASE_URL``; the caller of Alembic selects the revision."""

from __future__ import annotations

from alembic import context
from open_webui.env import DATABASE_URL  # pyright: ignore[reportMissingImports, reportUnknownVariableType] - in the image
from sqlalchemy import create_engine, pool

url = str(DATABASE_URL).replace("postgresql://", "postgresql+psycopg://", 1)  # pyright: ignore[reportUnknownArgumentType]
with create_engine(url, poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
