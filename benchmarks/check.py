"""Compares ``preflight check`` with another checkout of it, and with checkov on the same stacks, in one run.

    python -m benchmarks.check [--before CHECKOUT] [--checkov PATH --stack FOLDER ...] [--watch]

CHECKOUT is another version of this repository, for example a ``git worktree``; each FOLDER holds the Terraform JSON of one
stack. The commands alternate, so that a busy machine disturbs all of them; median wall time and processor time are printed,
with the medians of their ratios in each round. Nothing is cached between runs. ``--watch`` also measures ``check --watch``: from
the change of a stack file to the report, and of a stack file with a mistake to the message.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STACK_FILE = ROOT / "Pulumi.staging.yaml"
WATCH_SECONDS = 120.0


@dataclass(slots=True)
class Runs:
    """The measured times of one command, in seconds."""

    name: str
    command: Sequence[str]
    folder: Path = ROOT
    wall: list[float] = field(default_factory=list[float])
    processor: list[float] = field(default_factory=list[float])

    def measure(self) -> None:
        """Run it once."""
        before = os.times()
        started = time.perf_counter()
        done = subprocess.run(self.command, cwd=self.folder, capture_output=True, text=True, check=False)  # noqa: S603
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


def ratios(ours: Runs, other: Runs) -> str:
    """Median of the ratios of each round, wall and processor time."""
    wall = statistics.median(a / b for a, b in zip(ours.wall, other.wall, strict=True))
    used = statistics.median(a / b for a, b in zip(ours.processor, other.processor, strict=True))
    return f"preflight check takes {wall:.2f} of the wall time and {used:.2f} of the processor time of {other.name}"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help="another checkout of this repository")
    parser.add_argument("--checkov", default=shutil.which("checkov"), help="the checkov program (default: on PATH)")
    parser.add_argument("--stack", action="append", default=[], type=Path, metavar="FOLDER", help="for checkov")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--watch", action="store_true", help="measure check --watch as well")
    options = parser.parse_args()
    check = [sys.executable, "-m", "preflight", "check"]
    ours, others = Runs("preflight", check), list[Runs]()
    if options.before is not None:
        others.append(Runs("before", check, options.before.resolve()))
    if options.stack:
        if not options.checkov:
            parser.error("checkov is not on PATH: name it with --checkov")
        checkov = [options.checkov, "--quiet", "--compact", "--framework", "terraform", "terraform_json"]
        for folder in options.stack:
            checkov += ["--directory", str(folder.resolve())]
        others.append(Runs("checkov", checkov))
    for _ in range(options.runs):
        for command in (ours, *others):
            command.measure()
    lines = [
        f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}, {options.runs} runs each",
        f"{'seconds':12}{'median':>9}{'least':>9}{'most':>9}{'processor':>12}",
        *(command.line() for command in (ours, *others)),
        *(ratios(ours, other) for other in others),
    ]
    if options.watch:
        with watching() as answered:
            times = [answered() for _ in range(options.runs)]
        lines.append(f"check --watch answers a change of a stack file after {statistics.median(times):.2f} s")
    lines.append(f"a mistake in a stack file is reported after {mistake(options.runs):.2f} s")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def mistake(runs: int) -> float:
    """The median seconds until a check ends that finds a wrong value in a stack file, which is restored."""
    kept = STACK_FILE.read_text(encoding="utf-8")
    command = Runs("mistake", [sys.executable, "-m", "preflight", "check"])
    try:
        STACK_FILE.write_text(kept.replace("config:\n", "config:\n  ai-interface:netwerk: {}\n", 1), encoding="utf-8")
        for _ in range(runs):
            started = time.perf_counter()
            done = subprocess.run(command.command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
            command.wall.append(time.perf_counter() - started)
            if "ai-interface:netwerk" not in done.stderr:
                sys.exit(f"the mistake is not reported:\n{done.stderr[-2000:]}")
    finally:
        STACK_FILE.write_text(kept, encoding="utf-8")
    return statistics.median(command.wall)


@contextmanager
def watching() -> Generator[Answered]:
    """``check --watch``; call the value to change a stack file and get the seconds to the next report."""
    kept = STACK_FILE.read_text(encoding="utf-8")
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "preflight", "check", "--watch"], cwd=ROOT, stdout=said, stderr=subprocess.DEVNULL
        )
        it = Answered(said.fileno(), process)
        try:
            it.wait(1)
            time.sleep(5)  # the packs of the next check have loaded, as they have when a person edits
            yield it
        finally:
            process.terminate()
            process.wait()
            STACK_FILE.write_text(kept, encoding="utf-8")


@dataclass(slots=True)
class Answered:
    """The reports that ``check --watch`` has written to a file."""

    descriptor: int
    process: subprocess.Popen[bytes]
    reports: int = 1

    def __call__(self) -> float:
        """Change the stack file, and wait for the report."""
        started = time.perf_counter()
        with STACK_FILE.open("a", encoding="utf-8") as file:
            file.write("# measured\n")
        self.reports += 1
        self.wait(self.reports)
        took = time.perf_counter() - started
        time.sleep(5)
        return took

    def wait(self, reports: int) -> None:
        """Until there are that many reports; each ends with one verdict."""
        end = time.monotonic() + WATCH_SECONDS
        while os.pread(self.descriptor, 1 << 24, 0).count(b"\nclean: every policy") < reports:
            if self.process.poll() is not None or time.monotonic() > end:
                sys.exit("check --watch did not report a clean check")
            time.sleep(0.01)


if __name__ == "__main__":
    sys.exit(main())
