"""A small application with Alembic migrations and a store of its own, as an image holds one: for ``prepare``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_ENVIRONMENT = """
import os
from alembic import context
from sqlalchemy import create_engine, pool
engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:"), poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""

_MIGRATION = """
from alembic import op
revision = "{revision}"
down_revision = {before}
def upgrade():
    {upgrade}
"""

# What it makes is made without looking whether somebody else makes it at the same time, as libraries do.
_STORE = """
import os, boto3, psycopg
host, port, user = (os.environ["DATABASE_" + name] for name in ("HOST", "PORT", "USER"))
token = boto3.client("rds").generate_db_auth_token(DBHostname=host, Port=int(port), DBUsername=user)
with psycopg.connect(host=host, port=port, dbname=os.environ["DATABASE_NAME"], user=user, password=token) as store:
    if store.execute("SELECT to_regclass('chunk')").fetchone()[0] is None:
        store.execute("SELECT pg_sleep(0.5)")
        store.execute("CREATE TABLE chunk (id text PRIMARY KEY, embedding vector(3))")
    store.execute("CREATE INDEX IF NOT EXISTS chunk_id ON chunk (id)")
"""

FIRST = ("1111", "op.execute('CREATE TABLE chat (id serial PRIMARY KEY, title text)')")
SECOND = ("2222", "op.execute('ALTER TABLE chat ADD COLUMN folder text')")


@dataclass(frozen=True)
class Image:
    """Where its files are, and the last revision of its migrations."""

    folder: Path
    head: str

    def database(self) -> dict[str, object]:
        """What the plan says of it."""
        return {
            "extensions": ["vector"],
            "paths": [str(self.folder)],
            "configuration": str(self.folder / "alembic.ini"),
            "scripts": str(self.folder / "migrations"),
            "scratch_variables": ["DATA_DIR"],
            "warm_up": ["store"],
        }


def image(folder: Path, *migrations: tuple[str, str]) -> Image:
    """Write an image whose migrations are these: revision and what it does."""
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = elsewhere\n")
    (folder / "migrations" / "env.py").write_text(_ENVIRONMENT)
    (folder / "store.py").write_text(_STORE)
    before = None
    for revision, upgrade in migrations:
        text = _MIGRATION.format(revision=revision, before=repr(before), upgrade=upgrade)
        (versions / f"{revision}_step.py").write_text(text)
        before = revision
    return Image(folder, str(before))
