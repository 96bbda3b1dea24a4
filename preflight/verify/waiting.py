"""Waits until the service's deployment has ended: ``pulumi up`` returns before its tasks run (``wait_for_steady_state``)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from preflight.account.lines import CannotTellError
from preflight.account.parts import AbsentError
from preflight.account.session import RefusedError
from preflight.verify.context import VerifyContext

PAUSE = 15.0
"""Seconds between two polls."""
ENDED = ("COMPLETED", "FAILED")


def settled(service: Mapping[str, Any]) -> bool:
    """Whether the service is stable: it has one deployment, which has ended."""
    deployments = service.get("deployments", [])
    return len(deployments) == 1 and deployments[0].get("rolloutState") in ENDED


def wait(
    context: Callable[[], VerifyContext],
    seconds: float,
    *,
    progress: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Poll until the deployment has ended, at most this many seconds. The checks report the faults."""
    end = clock() + seconds
    while clock() < end:
        try:
            if settled(context().service):
                return
        except (AbsentError, CannotTellError, RefusedError):
            return
        progress("waiting for the deployment to end")
        sleep(PAUSE)
