"""How long the report page takes once the check has run, and how large it is.

    python -m benchmarks.report_page

The project is checked once; then the page with its costs is made several times, each time from the recordings.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from pathlib import Path

from preflight.analysis.check import check

ROUNDS = 5


def main() -> int:
    """Measure, and print the median."""
    root = Path(__file__).parents[1]
    checked = check(root, progress=lambda _: None)
    # Imported after the program has run: they import settings, which the program has to get from its own project.
    from preflight.report.page import html  # noqa: PLC0415
    from preflight.setup import cost_of_stacks  # noqa: PLC0415

    wall: list[float] = []
    processor: list[float] = []
    size = 0
    for _ in range(ROUNDS):
        started, used = time.perf_counter(), time.process_time()
        size = len(html(checked, root, cost_of_stacks.of_recordings(root, checked.recordings)).encode())
        wall.append(time.perf_counter() - started)
        processor.append(time.process_time() - used)
    sys.stdout.write(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}\n")
    sys.stdout.write(f"the check before it     {checked.report.seconds:6.2f} s\n")
    sys.stdout.write(f"the page, wall time     {statistics.median(wall):6.2f} s (median of {ROUNDS})\n")
    sys.stdout.write(f"the page, processor     {statistics.median(processor):6.2f} s\n")
    sys.stdout.write(f"size                    {size:>6,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
