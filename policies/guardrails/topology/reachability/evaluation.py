"""All claims and findings about a stack's reachability: first the facts, then the claims that follow from them."""

from __future__ import annotations

from dataclasses import dataclass

from ..entry.public_services import public_services
from ..graph.resources import Graph
from ..graph.verdicts import Claim, Finding
from ..network.paths import Path
from .claims.internal_resources import internal_claims, unattached
from .claims.load_balancer_bypass import bypasses
from .claims.not_modelled import not_modelled
from .claims.paths import unauthenticated, unprotected
from .facts.build import facts_of
from .facts.model import Facts


@dataclass(frozen=True, slots=True)
class Reachability:
    """All claims about reachability, for a stack as declared."""

    facts: Facts
    claims: tuple[Claim, ...]
    """One for each internal resource: it is not reachable from the internet, nor after any single change."""
    exposures: tuple[Finding, ...]
    """The findings of all claims, without duplicates."""
    unprotected: tuple[Finding, ...]
    """Paths without a web ACL."""
    unauthenticated: tuple[Finding, ...]
    """Forwarding rules, routes and addresses without authentication."""
    bypasses: tuple[Finding, ...]
    """Rules that open a target, which trusts identity headers, to sources other than its load balancer."""
    not_modelled: tuple[Finding, ...]
    """Resources that may be reachable but are not modelled."""
    assumptions: tuple[str, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every path from the internet to a resource that serves requests."""
        return self.facts.paths


def reachability(graph: Graph) -> Reachability:
    """Evaluate a stack's network once; further calls for the same graph return the same result."""
    found: Reachability | None = graph.memory.get(__name__)
    if found is None:
        found = graph.memory[__name__] = _evaluate(facts_of(graph))
    return found


def _evaluate(facts: Facts) -> Reachability:
    claims = internal_claims(facts)
    exposures = tuple(dict.fromkeys(finding for claim in claims for finding in claim.findings))
    return Reachability(
        facts=facts,
        claims=claims,
        exposures=(*exposures, *unattached(facts), *public_services(facts.graph)),
        unprotected=unprotected(facts.paths),
        unauthenticated=unauthenticated(facts.paths),
        bypasses=tuple(bypasses(facts)),
        not_modelled=tuple(not_modelled(facts.graph)),
        assumptions=tuple(sorted({text for claim in claims for text in claim.assumptions})),
    )
