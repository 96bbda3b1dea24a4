"""A long comparison of topology with the kernel: ``make packets N=5000``, with ``SEED=`` to repeat an earlier one."""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

from local.network import available

from .comparison import Outcome
from .search import DisagreementError, search

AT_A_TIME = 50
"""Networks with one seed: the first ones have the seed of the run, the next ones the seed after it."""


def _one(count: int, start: int) -> tuple[Outcome, str]:
    try:
        return search(count, start=start), ""
    except DisagreementError as error:
        return Outcome(), f"seed {start}\n{error}"


def main() -> int:
    """Compare, and print what was found: 0 without a disagreement, 1 with one, 2 where the machine cannot,
    130 when interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.topology.packets", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=1000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    if why := available():
        print(why, file=sys.stderr)  # noqa: T201
        return 2
    begun = time.monotonic()
    print(f"{options.count} networks, seed {options.seed}", flush=True)  # noqa: T201
    total, problems = Outcome(), list[str]()
    with ProcessPoolExecutor(options.processes) as pool:
        parts = range(-(-options.count // AT_A_TIME))
        running = [
            pool.submit(_one, min(AT_A_TIME, options.count - part * AT_A_TIME), options.seed + part) for part in parts
        ]
        try:
            for done in as_completed(running):
                outcome, problem = done.result()
                total.add(outcome)
                problems += [problem] if problem else []
                seconds = time.monotonic() - begun
                print(f"{total.networks} networks, {total.connections} connections, {seconds:.0f} s", flush=True)  # noqa: T201
                if problem:
                    print(problem, flush=True)  # noqa: T201
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            print("interrupted")  # noqa: T201
            return 130
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    for kind, times in sorted(total.claims.items()):
        print(f"  {times:8} {kind}")  # noqa: T201
    for reason, times in sorted(total.unknown.items()):
        print(f"  {times:8} not known: {reason}")  # noqa: T201
    print(f"{len(problems)} of {len(running)} seeds with a disagreement" if problems else "no disagreement")  # noqa: T201
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
