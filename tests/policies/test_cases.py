"""Each policy over the wire protocol: compliant, violating, unknown, not applicable."""

from __future__ import annotations

import pytest

from preflight.pulumi.analyzer import AnalyzerClient
from tests.policies.cases import ALL
from tests.policies.wire import Case, diagnostics, said


@pytest.mark.parametrize("case", ALL, ids=str)
def test_says_exactly_this(pack: AnalyzerClient, case: Case) -> None:
    assert said(diagnostics(pack, case.resources, case.policy)) == case.expected
