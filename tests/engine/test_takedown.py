"""The entries that the runbook adds to the policy packs' files are such as the packs accept; no command line needed."""

from __future__ import annotations

import datetime as dt

from policies.guardrails import exceptions
from policies.parity import declarations
from tests.engine.harness import REPOSITORY
from tests.engine.takedown import documented_entries

EXCEPTIONS, DIFFERENCES = "policies/guardrails/exceptions.yaml", "policies/parity/differences.yaml"
TODAY = dt.datetime.now(dt.UTC).date()


def test_the_runbook_says_what_both_packs_have_to_be_told() -> None:
    assert sorted(documented_entries("staging")) == [EXCEPTIONS, DIFFERENCES]


def test_the_documented_exceptions_are_in_force_beside_those_that_are_there() -> None:
    before = (REPOSITORY / EXCEPTIONS).read_text()
    known = {*_policies(before), "deletion-protection"}
    after = exceptions.read(before + documented_entries("staging")[EXCEPTIONS], known, TODAY)
    added = after.in_force[len(exceptions.read(before, known, TODAY).in_force) :]
    assert after.problems == ()
    assert [entry.policy for entry in added] == ["deletion-protection"] * 3
    assert [entry.is_for("staging", "ai-interface") for entry in added] == [True] * 3
    assert [entry.is_for("prod", "ai-interface") for entry in added] == [False] * 3


def test_the_documented_differences_cover_what_is_lifted_and_nothing_else_of_it() -> None:
    before = (REPOSITORY / DIFFERENCES).read_text()
    after = declarations.read(before + documented_entries("staging")[DIFFERENCES], TODAY)
    added = after.in_force[len(declarations.read(before, TODAY).in_force) :]
    lifted = [
        ("Edge/lb.LoadBalancer/edge-balancer", "protect"),
        ("Edge/lb.LoadBalancer/edge-balancer", "enableDeletionProtection"),
        ("State/rds.Cluster/state-database", "protect"),
        ("State/rds.Cluster/state-database", "deletionProtection"),
        ("State/s3.Bucket/state-uploads", "protect"),
        ("State/s3.Bucket/state-uploads-access", "forceDestroy"),
    ]
    assert after.problems == ()
    assert [[place for place in lifted if entry.covers(*place)] for entry in added] == [[place] for place in lifted]


def _policies(text: str) -> set[str]:
    """The policies that the entries of the file name."""
    return {line.split(": ", 1)[1] for line in text.splitlines() if line.lstrip().startswith("- policy: ")}
