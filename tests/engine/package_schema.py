"""The schema that Pulumi infers from the components; ``python -m tests.engine.package_schema`` writes it."""

from __future__ import annotations

from pathlib import Path

from components.host.provider import schema_of
from components.package import COMPONENTS, NAME, VERSION

PINNED = Path(__file__).with_name("package-schema.json")


def inferred() -> str:
    """The schema as text, sorted and indented for review."""
    return schema_of(COMPONENTS, NAME, VERSION)


if __name__ == "__main__":
    PINNED.write_text(inferred())
