"""The path of one request: which component responds, with which status, and why.

Security group, the load balancer's limits, web ACL, listener rule and actions, then the limits of the proxy, which are
passed as data because they are in its configuration.
"""

from __future__ import annotations

from ..graph.resources import Graph, Resource
from ..http.load_balancer_limits import refused_by_balancer
from ..http.requests import Outcome, ProxyFacts, Request, Result, Step, Trail
from ..network.addresses import TCP, parse
from ..reachability.dependencies import reached_by
from ..reachability.facts.build import facts_of
from ..reachability.facts.model import Facts
from ..waf.web_acl import WebAcl
from .listener_rules import choose, run_actions


def trace(graph: Graph, request: Request, proxy: ProxyFacts | None = None, balancer: str = "") -> Outcome:
    """Follow a request to the internet-facing application load balancer (or the given one) and through it."""
    facts = facts_of(graph)
    trail = Trail(request)
    edge = _edge(facts, balancer)
    if edge is None:
        return trail.end(Result.DROPPED, None, "no internet-facing load balancer")
    listener = _arrive(facts, trail, edge)
    if isinstance(listener, Outcome):
        return listener
    if outcome := refused_by_balancer(trail, edge) or _web_acl_rules(facts, trail, edge):
        return outcome
    entry = choose(trail, listener, facts.balancing.rules.get(listener.urn, []))
    done = run_actions(trail, entry)
    if isinstance(done, Resource):
        return _serve(facts, trail, done, proxy)
    return done or trail.end(Result.DROPPED, None, entry.name)


def _serve(facts: Facts, trail: Trail, entry: Resource, proxy: ProxyFacts | None) -> Outcome:
    _targets(facts, trail, entry)
    if proxy is not None and (refusal := _refusal(trail.request, proxy)):
        status, rule, why = refusal
        trail.steps.append(Step("proxy", f"{why}: {status}"))
        return trail.end(Result.ANSWERED, status, rule)
    if proxy is not None:
        trail.steps.append(Step("proxy", "forwards it to the application"))
    _dependencies(facts, trail, entry)
    return trail.end(Result.SERVED, None, entry.name)


def _web_acl_rules(facts: Facts, trail: Trail, edge: Resource) -> Outcome | None:
    if (acl := facts.web_acls.acl_of(edge)) is not None:
        return _web_acl(facts.graph, acl).evaluate(trail)
    if (association := facts.web_acls.association_of(edge)) is not None:
        trail.unknowns.append(f"{association.label}.webAclArn")
    else:
        trail.note(edge, "", "no web ACL")
    return None


def _web_acl(graph: Graph, acl: Resource) -> WebAcl:
    """The web ACL with its rules in order: read once for all requests of a table."""
    read: dict[str, WebAcl] = graph.memory.setdefault(__name__, {})
    if acl.urn not in read:
        read[acl.urn] = WebAcl(graph, acl)
    return read[acl.urn]


def _edge(facts: Facts, name: str) -> Resource | None:
    found = [
        balancer
        for balancer in facts.balancing.balancers
        if balancer.kind == "lb.LoadBalancer" and facts.balancing.is_internal(balancer) is not True
    ]
    if name:
        found = [balancer for balancer in found if balancer.name == name]
    return next(iter(sorted(found, key=lambda item: (item.value("loadBalancerType") == "network", item.urn))), None)


def _arrive(facts: Facts, trail: Trail, edge: Resource) -> Outcome | Resource:
    """The listener that the client reaches, past the security group."""
    request = trail.request
    listener = next(
        (item for item in facts.balancing.listeners.get(edge.urn, ()) if item.value("port") == request.port), None
    )
    if listener is None:
        trail.note(edge, "", f"nothing listens on port {request.port}")
        return trail.end(Result.DROPPED, None, "no listener")
    groups = facts.balancing.groups_of(edge)
    client = parse(request.client)
    if groups is not None and client is not None:
        for rule in facts.groups.rules(groups.keys):
            if rule.covers(TCP, request.port) and rule.addresses & client:
                trail.note(rule.resource, rule.property, f"admits {request.client} to port {request.port}")
                break
        else:
            trail.note(edge, "securityGroups", f"no rule admits {request.client} to port {request.port}")
            return trail.end(Result.DROPPED, None, "security group")
    encrypted = listener.value("protocol") in ("HTTPS", "TLS")
    if encrypted != (request.scheme == "https"):
        trail.note(listener, "protocol", f"uses {listener.value('protocol')}, not {request.scheme}")
        return trail.end(Result.ANSWERED, 400, listener.name)
    trail.note(listener, "port", f"accepts {request.scheme} on port {request.port}")
    return listener


def _dependencies(facts: Facts, trail: Trail, entry: Resource) -> None:
    """Record the application's dependencies: models, database, cache, bucket."""
    for urn in _served(facts, entry):
        target = facts.graph.by_urn.get(urn)
        for reached in reached_by(facts, target) if target is not None else ():
            what = f"the application's {reached.role}, on port {reached.ports} by {reached.ways}"
            trail.note(reached.resource, "", what)


def _served(facts: Facts, entry: Resource) -> list[str]:
    return sorted({path.target for path in facts.paths if path.entry.entry is entry})


def _targets(facts: Facts, trail: Trail, entry: Resource) -> None:
    """Record the target that receives the forwarded request."""
    for urn in _served(facts, entry):
        target = facts.graph.by_urn.get(urn)
        if target is not None:
            trail.note(target, "", "receives it")


def _lacks_length(request: Request) -> bool:
    """Whether a body without a declared length may follow."""
    sending = request.size > 0 or request.method in ("POST", "PUT", "PATCH")
    return request.header("transfer-encoding") is not None or (sending and request.header("content-length") is None)


def _refusal(request: Request, proxy: ProxyFacts) -> tuple[int, str, str] | None:
    """Status, rule and reason of the proxy's refusal, in the order of its checks."""
    header_bytes = sum(len(name.encode()) + len(value.encode()) + 4 for name, value in request.sent_headers())
    limit = proxy.body_limit(request.path)
    upgrade = request.header("upgrade")
    upgradable = request.path.startswith(proxy.websocket_path_prefixes or ("\0",))
    checks = (
        (
            header_bytes > proxy.header_bytes,
            431,
            "header limit",
            f"{header_bytes} bytes of headers, more than {proxy.header_bytes}",
        ),
        (not proxy.admits(request.identity), 403, "authorization", "is not among the allowed users"),
        (
            proxy.requires_length and _lacks_length(request),
            411,
            "length required",
            "a body without a content-length",
        ),
        (request.size > limit, 413, "body limit", f"{request.size} bytes of body, more than {limit}"),
        (bool(proxy.logout_path) and request.path == proxy.logout_path, 302, "logout", "ends the session"),
        (upgrade is not None and not upgradable, 403, "upgrade", f"no upgrade to {upgrade} on this path"),
    )
    return next(((status, f"proxy {rule}", why) for refused, status, rule, why in checks if refused), None)
