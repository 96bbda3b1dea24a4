"""What generated networks brought up stays as it is: topology and the kernel agree on it."""

from __future__ import annotations

import pytest

from .found import CASES, network
from .search import compare_all


@pytest.mark.parametrize("name", sorted(CASES))
def test_topology_and_the_kernel_agree_about(name: str) -> None:
    recorded, about, says = network(name)
    outcome = compare_all([recorded])
    assert not outcome.disagreements, "\n".join(found.text for found in outcome.disagreements)
    assert not outcome.unknown
    assert outcome.claims[f"{about.partition(':')[0]}: {says}"]
