"""Topology and the kernel agree on generated networks: who reaches whom, from where, on which port."""

from __future__ import annotations

from .comparison import ELSEWHERE, Says
from .search import search
from .verdicts import UNDECLARED

NETWORKS = 200
KINDS = {
    f"{kind}: {says}"
    for kind, says in (
        ("front", Says.ALL),
        ("front", Says.NOT_ALL),
        ("from the internet", Says.NONE),
        ("from the internet", Says.SOME),
        ("inside", Says.NONE),
        ("inside", Says.NOT_ALL),
        ("inside", Says.SOME),
        ("login", Says.ALL),
        ("login", Says.NOT_ALL),
    )
}
"""Every kind of claim with every answer: without one of them, a fault in it would go unnoticed."""


def test_generated_networks_agree_with_the_kernel() -> None:
    outcome = search(NETWORKS)
    assert outcome.networks >= NETWORKS
    assert set(outcome.claims) == KINDS
    assert set(outcome.unknown) <= {f"inside: {reason}" for reason in (ELSEWHERE, UNDECLARED)}, "all values are known"
