"""The effect of a change on the destinations that the stack may reach, and on the data sent there."""

from __future__ import annotations

from collections.abc import Iterator

from policies.guardrails.topology.graph.values import as_list
from preflight.analysis.external import providers
from preflight.review.side import Side, added, listed

INTERNET = "internet"
"""The column of the drawing whose boxes are outside AWS."""


def sentences(before: Side, after: Side) -> Iterator[str]:
    """Every sentence."""
    old, new = _prompts(before), _prompts(after)
    for group, host in sorted(new - old):
        yield f"prompts of the model group {group} may leave AWS to {host}"
    for group, host in sorted(old - new):
        yield f"prompts of the model group {group} no longer leave AWS to {host}"
    one, two = _destinations(before), _destinations(after)
    yield from (f"egress added: {out}" for out in added(one, two))
    yield from (f"egress removed: {out}" for out in added(two, one))
    opened, used = _links(before), _links(after)
    yield from added(opened, used)
    yield from (f"no longer: {link}" for link in added(used, opened))
    yield from _names(before, after)


def _prompts(side: Side) -> set[tuple[str, str]]:
    return {(group, host) for host, groups in providers(side.recording).items() for group in groups}


def _destinations(side: Side) -> set[str]:
    found: set[str] = set()
    for text in side.connectivity.egress:
        own, task, _ = text.partition(" (task)")
        found |= {f"{name} (task)" for name in own.split(", ")} if task else {text}
    return found


def _links(side: Side) -> set[str]:
    columns = {node.key: node.column for node in side.diagram.nodes}
    return {
        f"{side.diagram.title_of(link.source)} may reach {side.diagram.title_of(link.target)} on port {link.label}"
        for link in side.diagram.links
        if columns.get(link.target) == INTERNET
    }


def _names(before: Side, after: Side) -> Iterator[str]:
    """The names that the DNS firewall's lists have."""
    old, new = (_lists(side) for side in (before, after))
    for name in sorted({*old, *new}):
        more, less = (
            added(old.get(name, set()), new.get(name, set())),
            added(new.get(name, set()), old.get(name, set())),
        )
        if more:
            yield f"names added to the DNS firewall's list {name}: {listed(more)}"
        if less:
            yield f"names removed from the DNS firewall's list {name}: {listed(less)}"


def _lists(side: Side) -> dict[str, set[str]]:
    return {
        one.name: {str(domain) for domain in as_list(one.value("domains")) or []}
        for one in side.graph.of_type("route53.ResolverFirewallDomainList")
    }
