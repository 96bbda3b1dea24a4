"""The schema that Pulumi infers from the components; ``python -m tests.engine.package_schema`` writes it."""

from __future__ import annotations

import json
from pathlib import Path

from pulumi.provider.experimental.component import ComponentProvider

from components.package import COMPONENTS, NAME, VERSION

PINNED = Path(__file__).with_name("package-schema.json")


def inferred() -> str:
    """The schema as text, sorted and indented for review."""
    schema = ComponentProvider(COMPONENTS, NAME, version=VERSION).schema
    return json.dumps(json.loads(schema or "{}"), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    PINNED.write_text(inferred())
