"""How long the topology analysis takes on synthetic stacks of 100, 1,000 and 10,000 resources.

Run ``python -m benchmarks.guardrails [--checkov COMMAND]``. Each stack repeats one network with a load balancer, services,
databases, caches and endpoints, and their groups, routes and rules; a tenth of the copies contain a planted exposure. With
``--checkov``, the stack of 1,000 is also written as Terraform and scanned by checkov in the same run.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.guardrails_stacks import synthetic, terraform
from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.reachability.evaluation import reachability

SIZES = (100, 1_000, 10_000)
LIMIT_SECONDS = 0.5
"""The maximum number of seconds for 1,000 resources."""
LIMITED_SIZE = 1_000
LINEARITY = 2.0
"""The largest allowed ratio of the time per resource between the largest and the middle stack."""


def measure(size: int, *, known: bool, repeat: int) -> tuple[float, int, int]:
    """Seconds for the graph and its reachability (the best of several), number of evaluated endpoints, findings."""
    records = synthetic(size, known=known)
    best, endpoints, findings = float("inf"), 0, 0
    for _ in range(repeat):
        gc.collect()
        start = time.perf_counter()
        evaluated = reachability(Graph.from_recorded(records))
        best = min(best, time.perf_counter() - start)
        endpoints, findings = len(evaluated.claims), len(evaluated.exposures)
    return best, endpoints, findings


def checkov_seconds(command: str, size: int) -> float:
    """Seconds that checkov takes for the same stack, including its start."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "main.tf").write_text(terraform(synthetic(size)), encoding="utf-8")
        line = [command, "--directory", folder, "--framework", "terraform", "--quiet", "--compact", "--output", "json"]
        start = time.perf_counter()
        done = subprocess.run(line, capture_output=True, text=True, timeout=900, check=False)  # noqa: S603 (as given)
        seconds = time.perf_counter() - start
    report = json.loads(done.stdout)
    seen = report.get("summary", report)["resource_count"]
    if seen < size:
        raise RuntimeError(f"checkov saw {seen} of {size} resources")
    return seconds


def own_seconds(size: int) -> float:
    """Seconds for the same stack in a separate process, including start and reading."""
    program = (
        "import json, sys; from policies.guardrails.topology.reachability.evaluation import reachability; "
        "from policies.guardrails.topology.graph.resources import Graph; "
        "reachability(Graph.from_recorded(json.load(sys.stdin)))"
    )
    records = json.dumps(synthetic(size))
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], input=records, text=True, timeout=300, check=True)  # noqa: S603
    return time.perf_counter() - start


def main() -> int:
    """Print a table; exit 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeat", type=int, default=3, help="runs per row; the best counts")
    parser.add_argument("--checkov", metavar="COMMAND", help="compare with this checkov")
    options = parser.parse_args()
    repeat: int = options.repeat
    failed = False
    sys.stdout.write("resources  values   seconds  µs/resource  endpoints  findings\n")
    for known in (True, False):
        each: dict[int, float] = {}
        for size in SIZES:
            seconds, endpoints, findings = measure(size, known=known, repeat=repeat)
            each[size] = seconds / size
            failed |= size == LIMITED_SIZE and seconds > LIMIT_SECONDS
            word = "known" if known else "unknown"
            sys.stdout.write(
                f"{size:>9,}  {word:<7} {seconds:>8.3f}  {seconds / size * 1e6:>11.1f}  {endpoints:>9,}  {findings:>8,}\n"
            )
        failed |= each[SIZES[-1]] > LINEARITY * each[LIMITED_SIZE]
    sys.stdout.write(
        "within limits\n" if not failed else f"too slow: 1,000 resources within {LIMIT_SECONDS} s, near linear\n"
    )
    if options.checkov:
        theirs, ours = checkov_seconds(options.checkov, LIMITED_SIZE), own_seconds(LIMITED_SIZE)
        sys.stdout.write(
            f"{LIMITED_SIZE:,} resources, including the start: checkov {theirs:.2f} s, this {ours:.2f} s: "
            f"1 to {theirs / ours:.0f}\n"
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
