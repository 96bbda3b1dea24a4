"""Find the largest request that a limit allows by tracing, so that no limit is repeated here."""

from __future__ import annotations

from collections.abc import Callable

from policies.guardrails.topology.http.requests import Outcome, Request
from preflight.verify.stack import StackInCheckout

Sized = Callable[[int], Request]
"""Creates the request whose part has this many bytes."""


def boundary(stack: StackInCheckout, sized: Sized, most: int) -> int | None:
    """The largest size with the same outcome as the smallest; ``None`` if the outcome is the same up to ``most``."""
    smallest = _kind(stack.follow(sized(1)))
    if _kind(stack.follow(sized(most))) == smallest:
        return None
    low, high = 1, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _kind(stack.follow(sized(middle))) == smallest else (low, middle)
    return low


def _kind(outcome: Outcome) -> tuple[object, ...]:
    return outcome.result, outcome.status, outcome.rule
