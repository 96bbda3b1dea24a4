"""Assemble the stand-in's package for one release's image: its migrations end at the manifest's revision."""

from __future__ import annotations

import compileall
import shutil
from collections.abc import Sequence
from pathlib import Path

from releases.manifest import Release

SOURCE = Path(__file__).parent / "open_webui"

_FIRST = '''"""The tables of the first release."""

from alembic import op

from open_webui.tables import METADATA

revision = "{revision}"
down_revision = None


def upgrade() -> None:
    METADATA.create_all(op.get_bind())
'''
_LATER = '''"""What release {release} adds: earlier releases do not need to know it."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    op.add_column("chat", sa.Column("added_by_{revision}", sa.Text(), nullable=True))
'''


def assemble(folder: Path, release: Release, releases: Sequence[Release]) -> None:
    """Write the package for ``release`` to a new folder; ``releases`` lists all releases, oldest first.

    The first revision creates the tables; each later one adds a column.
    """
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    versions = folder / "migrations" / "versions"
    versions.mkdir()
    before = ""
    for one in releases:
        revision = one.schema_.revision
        if revision != before:
            text = (_LATER if before else _FIRST).format(revision=revision, before=before, release=one.version)
            (versions / f"{revision}_{'later' if before else 'first'}.py").write_text(text, encoding="utf-8")
            before = revision
        if one.version == release.version:
            break
    # The image's code is compiled, because nothing can be written next to it.
    compileall.compile_dir(folder, quiet=1)
