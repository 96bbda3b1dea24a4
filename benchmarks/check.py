"""Compares ``preflight check`` with checkov on the same stacks in one run.

    python benchmarks/check.py --checkov PATH FOLDER [FOLDER ...]

Each FOLDER holds the Terraform JSON of one stack. The two commands alternate, so that a busy machine disturbs both;
the median wall time and the processor time of each are printed with their ratio. Nothing is cached between runs.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(slots=True)
class Runs:
    """The measured times of one command, in seconds."""

    name: str
    command: Sequence[str]
    wall: list[float] = field(default_factory=list[float])
    processor: list[float] = field(default_factory=list[float])

    def measure(self) -> None:
        """Run it once."""
        before = os.times()
        started = time.perf_counter()
        done = subprocess.run(self.command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
        self.wall.append(time.perf_counter() - started)
        after = os.times()
        used = after.children_user + after.children_system - before.children_user - before.children_system
        self.processor.append(used)
        if done.returncode not in (0, 1):
            sys.exit(f"{self.name} could not run (exit code {done.returncode}):\n{done.stderr[-2000:]}")

    def line(self) -> str:
        """Median and range."""
        wall, used = statistics.median(self.wall), statistics.median(self.processor)
        return f"{self.name:12}{wall:9.2f}{min(self.wall):9.2f}{max(self.wall):9.2f}{used:12.2f}"


def main() -> int:
    """Measure and print; exit 1 if the check is slower."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkov", default=shutil.which("checkov"), help="the checkov program (default: on PATH)")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("folders", nargs="+", type=Path, help="Terraform JSON of the same stacks")
    options = parser.parse_args()
    if not options.checkov:
        parser.error("checkov is not on PATH: name it with --checkov")
    checkov = [options.checkov, "--quiet", "--compact", "--framework", "terraform", "terraform_json"]
    for folder in options.folders:
        checkov += ["--directory", str(folder.resolve())]
    commands = (
        Runs("preflight", [sys.executable, "-m", "preflight", "check"]),
        Runs("checkov", checkov),
    )
    for _ in range(options.runs):
        for command in commands:
            command.measure()
    ours, theirs = commands
    ratio = statistics.median(theirs.wall) / statistics.median(ours.wall)
    lines = [
        f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}, {options.runs} runs each",
        f"{'seconds':12}{'median':>9}{'least':>9}{'most':>9}{'processor':>12}",
        ours.line(),
        theirs.line(),
        f"checkov takes {ratio:.1f} times the wall time of preflight check",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if ratio > 1 else 1


if __name__ == "__main__":
    sys.exit(main())
