"""Waits until the service's deployment has ended: ``pulumi up`` returns before its tasks run (``wait_for_steady_state``)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from preflight.account.lines import CannotTellError
from preflight.account.parts import AbsentError
from preflight.account.session import RefusedError
from preflight.verify.asking import Asking

PAUSE = 15.0
"""Seconds between two questions."""
ENDED = ("COMPLETED", "FAILED")


def settled(service: Mapping[str, Any]) -> bool:
    """Whether nothing changes any more: one deployment, which has ended."""
    deployments = service.get("deployments", [])
    return len(deployments) == 1 and deployments[0].get("rolloutState") in ENDED


def wait(
    asking: Callable[[], Asking],
    seconds: float,
    *,
    progress: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Ask until the deployment has ended, or for so many seconds. What is wrong is for the lines to say, not for this."""
    end = clock() + seconds
    while clock() < end:
        try:
            if settled(asking().service):
                return
        except (AbsentError, CannotTellError, RefusedError):
            return
        progress("waiting for the deployment to end")
        sleep(PAUSE)
