"""A small application with Alembic migrations and a vector store, laid out like an image, for tests of ``prepare``."""

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

# The URL has no password: the file that prepare writes supplies it. Like real libraries, it creates its table without
# checking whether another process is creating it at the same time.
_STORE = """
import os, sqlalchemy
host, port, name, user = (os.environ["DATABASE_" + name] for name in ("HOST", "PORT", "NAME", "USER"))
engine = sqlalchemy.create_engine(f"postgresql+psycopg://{user}@{host}:{port}/{name}", poolclass=sqlalchemy.NullPool)
with engine.begin() as store:
    if store.exec_driver_sql("SELECT to_regclass('chunk')").scalar() is None:
        store.exec_driver_sql("SELECT pg_sleep(0.5)")
        store.exec_driver_sql("CREATE TABLE chunk (id text PRIMARY KEY, embedding vector(3))")
    store.exec_driver_sql("CREATE INDEX IF NOT EXISTS chunk_id ON chunk (id)")
"""

FIRST = ("1111", "op.execute('CREATE TABLE chat (id serial PRIMARY KEY, title text)')")
SECOND = ("2222", "op.execute('ALTER TABLE chat ADD COLUMN folder text')")


@dataclass(frozen=True)
class Image:
    """Where its files are, and the last revision of its migrations."""

    folder: Path
    head: str
    store: str = "store"
    """The module that creates tables when it is imported."""

    @property
    def static(self) -> Path:
        """What a writable directory starts with."""
        return self.folder / "static"

    def database(self) -> dict[str, object]:
        """Where the plan finds its migrations."""
        return {
            "configuration": str(self.folder / "alembic.ini"),
            "scripts": str(self.folder / "migrations"),
        }


def image(folder: Path, *migrations: tuple[str, str]) -> Image:
    """Write an image whose migrations are these: revision and what it does."""
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / "static").mkdir()
    (folder / "static" / "logo.svg").write_text("<svg/>")
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = elsewhere\n")
    (folder / "migrations" / "env.py").write_text(_ENVIRONMENT)
    (folder / "store.py").write_text(_STORE)
    before = None
    for revision, upgrade in migrations:
        text = _MIGRATION.format(revision=revision, before=repr(before), upgrade=upgrade)
        (versions / f"{revision}_step.py").write_text(text)
        before = revision
    return Image(folder, str(before))
