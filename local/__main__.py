"""``python -m local``: a stack's request path on this machine, until Ctrl-C. ``python -m local twin``: the whole stack.

Loading the program takes a second or more; Ctrl-C must end it quietly during that time too, because nothing runs yet.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from types import FrameType


def _end_at_once(_signal: int, _frame: FrameType | None) -> None:
    os.write(sys.stdout.fileno(), b"stopped\n")
    os._exit(0)


if __name__ == "__main__":
    for ends in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ends, _end_at_once)
    # The recorded program lives until the end: to look through it for garbage takes a tenth of the start.
    gc.set_threshold(20_000, 10, 10)
    from local.command import main

    sys.exit(main())
