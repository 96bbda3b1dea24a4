"""A long comparison of topology with the kernel: ``make packets N=5000``, with ``SEED=`` to repeat an earlier one."""

from __future__ import annotations

import argparse
import random
import sys
import time

from local.network import available

from .comparison import Outcome
from .search import DisagreementError, search


def main() -> int:
    """Compare, and print what was found: 0 without a disagreement, 1 with one, 2 where the machine cannot."""
    parser = argparse.ArgumentParser(prog="python -m tests.topology.packets", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=1000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    options = parser.parse_args()
    if why := available():
        print(why, file=sys.stderr)  # noqa: T201
        return 2
    begun = time.monotonic()
    print(f"{options.count} networks, seed {options.seed}", flush=True)  # noqa: T201

    def progress(outcome: Outcome) -> None:
        if outcome.networks % 200 == 0:
            seconds = time.monotonic() - begun
            print(f"{outcome.networks} networks, {outcome.connections} connections, {seconds:.0f} s", flush=True)  # noqa: T201

    try:
        outcome = search(options.count, start=options.seed, progress=progress)
    except DisagreementError as error:
        print(error)  # noqa: T201
        return 1
    print(f"{outcome.networks} networks, {outcome.connections} connections in {time.monotonic() - begun:.0f} s")  # noqa: T201
    for kind, times in sorted(outcome.claims.items()):
        print(f"  {times:8} {kind}")  # noqa: T201
    for reason, times in sorted(outcome.unknown.items()):
        print(f"  {times:8} not known: {reason}")  # noqa: T201
    print("no disagreement")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
