"""The effect of a change on exposure: requests that get further than before, connections, firewall rules, and the proof."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.graph.values import Unknown, as_list, as_mapping
from policies.guardrails.topology.graph.verdicts import Finding, Verdict
from policies.guardrails.topology.reachability.evaluation import reachability
from preflight.review import access
from preflight.review.diagram import USERS, Diagram
from preflight.review.side import Side, added, listed

OUTSIDE = ("internet", "aws")
"""Columns of the drawing whose boxes are not in the stack's network: connections to them are egress."""
_ENDPOINT = "ec2/vpcEndpoint"
"""Part of the key of an endpoint's box, through which egress goes."""


def sentences(before: Side, after: Side) -> Iterator[str]:
    """Every sentence, new exposures first."""
    yield from _findings(before, after)
    yield from access.sentences(before, after)
    yield from _hosts(before, after)
    yield from _connections(before.diagram, after.diagram)
    yield from _firewall(before.graph, after.graph)
    if before.connectivity.proven and not after.connectivity.proven:
        yield "it is no longer proven that no other ingress path exists"
    elif after.connectivity.proven and not before.connectivity.proven:
        yield "it is now proven that no other ingress path exists"


def _findings(before: Side, after: Side) -> Iterator[str]:
    old, new = (_exposures(side) for side in (before, after))
    for place in added(old, new):
        yield new[place]
    for place in added(new, old):
        yield f"no longer: {old[place]}"


def _exposures(side: Side) -> dict[str, str]:
    """The exposures, unprotected paths and paths without authentication of the network analysis, by place."""
    found = reachability(side.graph)
    kinds: tuple[tuple[str, tuple[Finding, ...]], ...] = (
        ("can be reached from the internet", found.exposures),
        ("can be reached without a web ACL", found.unprotected),
        ("forwards without authentication", found.unauthenticated),
        ("accepts requests that did not pass its load balancer", found.bypasses),
    )
    return {
        f"{one.resource}.{one.property} {what}": f"{one.resource} {what}{f' ({one.property})' if one.property else ''}: {one.found}"
        for what, findings in kinds
        for one in findings
        if one.verdict is Verdict.VIOLATED and not one.latent
    }


def _hosts(before: Side, after: Side) -> Iterator[str]:
    old, new = (access.own_hosts(side.graph) for side in (before, after))
    if old and new and old[0] != new[0]:
        yield f"the application is served at {new[0]} instead of {old[0]}"


def _connections(before: Diagram, after: Diagram) -> Iterator[str]:
    old, new = _links(before), _links(after)
    for gone, links in ((False, added(old, new)), (True, added(new, old))):
        for link in links:
            yield f"{'no longer: ' if gone else ''}{link}"


def _links(diagram: Diagram) -> set[str]:
    columns = {node.key: node.column for node in diagram.nodes}
    return {
        f"{'the internet' if link.source == USERS else diagram.title_of(link.source)} may connect to "
        f"{diagram.title_of(link.target)}{f' on port {link.label}' if link.label[:1].isdigit() else ''}"
        for link in diagram.links
        if columns.get(link.target) not in OUTSIDE and _ENDPOINT not in link.target
    }


def _firewall(before: Graph, after: Graph) -> Iterator[str]:
    """Rules by name: their action, and whether they match the same requests. Their limits are among the limits."""
    old, new = firewall_rules(before), firewall_rules(after)
    for name in added(old, new):
        yield f"firewall rule {name} is added: {_done(new[name])}"
    for name in added(new, old):
        yield f"firewall rule {name} is removed: it did {_done(old[name])}"
    for name in sorted(old.keys() & new.keys()):
        if _done(old[name]) != _done(new[name]):
            yield f"firewall rule {name}: {_done(old[name])} → {_done(new[name])}"
    matching = [name for name in sorted(old.keys() & new.keys()) if _matched(old[name]) != _matched(new[name])]
    if matching:
        yield f"other requests than before match the firewall rules {listed(matching)}"
    one, two = _address_sets(before), _address_sets(after)
    for name in sorted(one.keys() & two.keys()):
        if one[name] != two[name]:
            yield f"addresses of {name} in the firewall: {listed(sorted(one[name]))} → {listed(sorted(two[name]))}"


def firewall_rules(graph: Graph) -> dict[str, Mapping[str, Any]]:
    """The rules of every web ACL by name."""
    found: dict[str, Mapping[str, Any]] = {}
    for acl in graph.of_type("wafv2.WebAcl"):
        rules = acl.items("rules")
        for rule in [] if isinstance(rules, Unknown) else rules:
            own = as_mapping(rule) or {}
            found[str(own.get("name"))] = own
    return found


def _done(rule: Mapping[str, Any]) -> str:
    action = as_mapping(rule.get("action")) or as_mapping(rule.get("overrideAction")) or {}
    done = ", ".join(sorted(key for key, value in action.items() if value is not None))
    return {"none": "its own actions", "count": "count only"}.get(done, done)


def _matched(rule: Mapping[str, Any]) -> str:
    return json.dumps(rule.get("statement"), sort_keys=True, default=str)


def _address_sets(graph: Graph) -> dict[str, set[str]]:
    return {
        one.name: {str(address) for address in as_list(one.value("addresses")) or []}
        for one in graph.of_type("wafv2.IpSet")
    }
