"""The packs accept the entries that the runbook adds to their files; this test needs no Pulumi CLI."""

from __future__ import annotations

import datetime as dt
import runpy
from functools import cache

from policies.guardrails import exceptions
from policies.parity import declarations
from preflight.analysis.parity import shapes_of
from preflight.recording.recorder import record
from tests.engine.harness import REPOSITORY
from tests.engine.takedown import documented_entries
from tests.settings.stack_files import as_the_engine_passes_it

EXCEPTIONS, DIFFERENCES = "policies/exceptions.yaml", "policies/parity/differences.yaml"
TODAY = dt.datetime.now(dt.UTC).date()


def test_the_runbook_lists_the_declarations_that_both_packs_need() -> None:
    assert sorted(documented_entries("staging")) == [EXCEPTIONS, DIFFERENCES]


def test_the_documented_exceptions_are_in_force_beside_those_that_are_there() -> None:
    before = (REPOSITORY / EXCEPTIONS).read_text()
    known = {*_policies(before), "stack-deletion-protection"}
    after = exceptions.read(before + documented_entries("staging")[EXCEPTIONS], known, TODAY)
    added = after.in_force[len(exceptions.read(before, known, TODAY).in_force) :]
    assert after.problems == ()
    assert [entry.policy for entry in added] == ["stack-deletion-protection"] * 3
    assert [entry.is_for("staging", "ai-interface") for entry in added] == [True] * 3
    assert [entry.is_for("prod", "ai-interface") for entry in added] == [False] * 3


def test_the_documented_differences_cover_what_is_lifted_and_nothing_else_of_it() -> None:
    before = (REPOSITORY / DIFFERENCES).read_text()
    after = declarations.read(before + documented_entries("staging")[DIFFERENCES], TODAY)
    added = after.in_force[len(declarations.read(before, TODAY).in_force) :]
    protected = [place for place in protected_places() if ".Vpc/" in place or ".Subnet/" in place or "Group/" in place]
    lifted = [
        [("Edge/lb.LoadBalancer/edge-balancer", "protect")],
        [("Edge/lb.LoadBalancer/edge-balancer", "enableDeletionProtection")],
        [("Data/rds.Cluster/state-database", "protect")],
        [("Data/rds.Cluster/state-database", "deletionProtection")],
        [("PrivateNetwork/route53.ResolverFirewallRuleGroupAssociation/network-dns", "mutationProtection")],
        [(place, "protect") for place in protected],
        [("Data/s3.Bucket/state-uploads", "protect")],
        [("Data/s3.Bucket/state-uploads-access", "forceDestroy")],
    ]
    places = [place for entry in lifted for place in entry]
    assert after.problems == ()
    assert [[place for place in places if entry.covers(*place)] for entry in added] == lifted


def test_every_protected_resource_has_its_declared_difference() -> None:
    text = (REPOSITORY / DIFFERENCES).read_text() + documented_entries("staging")[DIFFERENCES]
    entries = declarations.read(text, TODAY).in_force
    assert [p for p in protected_places() if not any(entry.covers(p, "protect") for entry in entries)] == []


@cache
def protected_places() -> list[str]:
    """The logical path of every resource of staging that the engine neither deletes nor replaces."""
    recording = record(
        lambda: runpy.run_path(str(REPOSITORY / "__main__.py"), run_name="__main__"),
        stack="staging",
        config=as_the_engine_passes_it("staging"),
    )
    items = shapes_of({("staging", False): recording})["staging"].items
    return sorted(path for path, item in items.items() if item.leaves.get("protect"))


def _policies(text: str) -> set[str]:
    """The policies that the entries of the file name."""
    return {line.split(": ", 1)[1] for line in text.splitlines() if line.lstrip().startswith("- policy: ")}
