"""Compares the table of resource types with the SDK; ``--write`` renews it."""

from __future__ import annotations

import sys

from policies.guardrails.topology.graph.types import TABLE
from tests.policies.closed_world.generate import committed, table


def main() -> int:
    """1 if the table is not what the SDK, the pack and the review give."""
    wanted = table()
    if "--write" in sys.argv:
        TABLE.write_text(wanted, encoding="utf-8")
        return 0
    return int(wanted != committed())


if __name__ == "__main__":
    sys.exit(main())
