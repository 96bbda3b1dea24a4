"""Claims follow from the facts alone: change a fact and the claim changes; no claim looks anything up in the graph."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from policies.guardrails.topology.graph.verdicts import Finding, Verdict
from policies.guardrails.topology.network.addresses import INTERNET, parse
from policies.guardrails.topology.network.placement import PublicAddress
from policies.guardrails.topology.reachability import claims
from policies.guardrails.topology.reachability.claims.internal_resources import internal_claims
from policies.guardrails.topology.reachability.claims.load_balancer_bypass import bypasses
from policies.guardrails.topology.reachability.claims.paths import unauthenticated, unprotected
from policies.guardrails.topology.reachability.facts.build import facts_of
from policies.guardrails.topology.reachability.facts.model import Admission, Facts, InternalResource
from tests.topology.builders import compliant

LOOKUPS = {"of_type", "referenced", "identified", "by_urn"}
MODULES = sorted(Path(claims.__path__[0]).glob("*.py"))


@pytest.fixture(name="facts")
def _facts() -> Facts:
    return facts_of(compliant().graph())


def _database(facts: Facts) -> InternalResource:
    (found,) = (item for item in facts.internal if item.resource.name == "reports")
    return found


def _open_group(item: InternalResource, block: str = "0.0.0.0/0") -> InternalResource:
    addresses = parse(block)
    assert addresses is not None
    rule = replace(item.admissions[0].rule, addresses=addresses, groups=(), blocks=(block,))
    return replace(item, admissions=(Admission(rule, addresses & INTERNET),))


def _public_subnets(item: InternalResource) -> InternalResource:
    routed = tuple(replace(subnet, routes=replace(subnet.routes, internet=INTERNET)) for subnet in item.subnets)
    return replace(item, subnets=routed)


def _public_address(item: InternalResource) -> InternalResource:
    address = PublicAddress(True, item.resource, "publiclyAccessible")
    return replace(item, placed=replace(item.placed, public=address))


def _found(*items: InternalResource, facts: Facts) -> list[Finding]:
    (claim,) = internal_claims(replace(facts, internal=items))
    return list(claim.findings)


def test_the_claim_is_proven_while_every_layer_is_closed(facts: Facts) -> None:
    (claim,) = internal_claims(replace(facts, internal=(_database(facts),)))
    assert claim.verdict is Verdict.PROVEN
    assert claim.findings == ()


@pytest.mark.parametrize("layer", [_open_group, _public_subnets, _public_address])
def test_one_open_layer_is_a_latent_exposure(
    facts: Facts, layer: Callable[[InternalResource], InternalResource]
) -> None:
    (finding,) = _found(layer(_database(facts)), facts=facts)
    assert finding.verdict is Verdict.VIOLATED
    assert "latent" in finding.what


def test_three_open_layers_are_one_reachable_resource(facts: Facts) -> None:
    found = _found(_public_address(_public_subnets(_open_group(_database(facts)))), facts=facts)
    assert len(found) == len((_open_group, _public_subnets, _public_address))
    assert not any("latent" in finding.what for finding in found)
    (witness,) = (finding.witness for finding in found if "allows internet traffic" in finding.what)
    assert witness[-1].urn == _database(facts).resource.urn


@pytest.mark.parametrize(
    ("block", "traffic"),
    [
        ("203.0.113.0/29", "traffic from a few public addresses"),
        ("203.0.0.0/16", "traffic from a few public addresses"),
        ("203.0.0.0/15", "internet traffic"),
        ("0.0.0.0/0", "internet traffic"),
    ],
)
def test_a_small_block_is_not_called_the_internet(facts: Facts, block: str, traffic: str) -> None:
    (finding,) = _found(_open_group(_database(facts), block), facts=facts)
    assert finding.what.startswith(f"allows {traffic} to ")
    assert block in str(finding.found)


def test_an_unknown_in_a_fact_is_in_the_claim(facts: Facts) -> None:
    item = _database(facts)
    unknown = replace(item, placed=replace(item.placed, public=PublicAddress(None, item.resource, "x", ("why",))))
    (finding,) = _found(unknown, facts=facts)
    assert (finding.verdict, finding.unknowns) == (Verdict.NOT_PROVEN, ("why",))


def test_a_path_without_its_guards_is_reported(facts: Facts) -> None:
    assert facts.paths
    assert (unprotected(facts.paths), unauthenticated(facts.paths)) == ((), ())
    bare = [replace(path, web_acl=replace(path.web_acl, value=False)) for path in facts.paths]
    assert unprotected(bare)
    anonymous = [replace(path, authentication=replace(path.authentication, value=False)) for path in facts.paths]
    assert unauthenticated(anonymous)


def test_a_target_opened_to_another_source_is_reported(facts: Facts) -> None:
    (target,) = facts.trusting
    assert not list(bypasses(facts))
    opened = replace(target, resource=_open_group(target.resource))
    assert list(bypasses(replace(facts, trusting=(opened,))))


def test_facts_cannot_be_changed_and_are_built_once(facts: Facts) -> None:
    assert facts_of(facts.graph) is facts
    with pytest.raises(FrozenInstanceError):
        facts.paths = ()  # type: ignore[misc]  # the assignment that must fail


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_no_claim_looks_anything_up_in_the_graph(module: Path) -> None:
    assert len(MODULES) > 1
    tree = ast.parse(module.read_text(encoding="utf-8"))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert used & LOOKUPS == set()
