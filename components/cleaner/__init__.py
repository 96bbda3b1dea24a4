"""The container that keeps the task's disk from filling up: it removes files that the application does not need again.

It runs as long as the application does, in the application's image and as its user, without secrets. Its
code is the module ``main``, delivered as text in the container's command like that of ``components.prepare``.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from components.prepare import compact, packed

PLAN_VARIABLE = "CLEANER_PLAN"
"""The environment variable from which the script reads its plan, as JSON."""
EVERY_SECONDS = 60
"""The time between two looks at the disk."""
KEEP_SECONDS = 3600
"""Files older than this are always removed."""
SPARE_SECONDS = 300
"""Files younger than this are never removed: the application may be about to open them."""
HIGH_PERCENT, LOW_PERCENT = 70, 60
"""Above the first share of the disk, files older than ``SPARE_SECONDS`` are removed, oldest first, down to the second. Both
are below the threshold of the alarm on the disk (``components.monitoring.tasks``)."""

SCRIPT = packed({"components.cleaner.main": compact(Path(__file__).with_name("main.py").read_text("utf-8"))})
"""The command's text."""


def plan(directories: Sequence[str]) -> str:
    """The content of ``PLAN_VARIABLE`` for these directories."""
    return json.dumps(
        {
            "directories": sorted(directories),
            "every": EVERY_SECONDS,
            "keep": KEEP_SECONDS,
            "spare": SPARE_SECONDS,
            "high": HIGH_PERCENT,
            "low": LOW_PERCENT,
        },
        sort_keys=True,
        separators=(",", ":"),
    )
