"""The pack answers over the engine's own protocol."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from policies.parity.rules import IN_THE_PACK
from preflight.pulumi.analyzer import AnalyzerClient
from tests.parity.stacks import staging

PACK = Path(__file__).resolve().parents[2] / "policies" / "parity"


@pytest.fixture(scope="module")
def pack() -> Iterator[AnalyzerClient]:
    with AnalyzerClient.start(PACK, project="shop", stack="staging") as running:
        yield running


def test_the_pack_lists_its_policies(pack: AnalyzerClient) -> None:
    info = pack.info()
    assert info.name == "ai-interface-parity"
    assert [p.name for p in info.policies] == [rule.name for rule in IN_THE_PACK]
    assert {p.kind for p in info.policies} == {"stack"}


def test_a_stack_of_another_shape_is_reported_with_mandatory_findings(pack: AnalyzerClient) -> None:
    found = pack.analyze_stack(staging())
    assert {d.enforcement for d in found} == {"mandatory"}
    assert any("violated: Net exists in staging only" in d.message for d in found)


def test_an_empty_stack_is_not_evaluated(pack: AnalyzerClient) -> None:
    assert pack.analyze_stack([]) == []
