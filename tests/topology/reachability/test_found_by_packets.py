"""Topology's answer to each network on which it once disagreed with the kernel; no kernel is needed for this half."""

from __future__ import annotations

import pytest

from tests.topology.packets.comparison import claims_of
from tests.topology.packets.found import CASES, network


@pytest.mark.parametrize("name", sorted(CASES))
def test_topology_answers(name: str) -> None:
    recorded, about, says = network(name)
    answers = {f"{claim.kind}: {claim.about}": claim.says for claim in claims_of(recorded.graph())}
    assert answers[about] == says
