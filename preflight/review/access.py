"""Which requests get further, or less far, than before: the same requests traced through both sides of a change.

The requests follow from the listener rules of both sides, so that a path that is added or removed is among them; each is sent
without a log-in, by people who may and who may not use the application, and by a machine client, from every network that a rule of
either side names and from elsewhere on the internet.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.graph.values import Unknown, as_list, as_mapping
from policies.guardrails.topology.http.requests import CLIENT, Identity, Outcome, Request, Result
from preflight.analysis.tracing import traced
from preflight.review.request_table import CALLBACK, condition_values
from preflight.review.side import Side, listed

ANYBODY, STRANGER, MEMBER, MACHINE = (
    "without a log-in",
    "for people who can log in but are not allowed",
    "for allowed people",
    "with a machine client's token",
)
EVERYONE = "for everyone"
_CLIENTS = (ANYBODY, MACHINE, STRANGER, MEMBER)
"""From the widest: what opens for one opens for those after it as well, except that a token is no session."""
ELSEWHERE = "elsewhere on the internet"
_SPARE = ("198.51.100.7", "192.88.98.7", "45.83.220.7", "9.9.9.7")
_OWN_HOST = ""
_SERVED = 2


@dataclass(frozen=True, slots=True)
class Asking:
    """One request of the comparison."""

    host: str
    """Empty for the application's own host name, which may differ between the sides."""
    method: str
    pattern: str
    who: str
    network: str

    @property
    def shown(self) -> str:
        """The path, with the method unless it is GET, and with the host unless it is the application's own."""
        method = "" if self.method == "GET" else f"{self.method} "
        return f"{method}{self.host}{self.pattern}"


@dataclass(frozen=True, slots=True)
class _Reach:
    depth: int
    """0: refused before the tasks; 1: refused by the proxy in the task; 2: served."""
    status: str
    text: str
    """The status, and the rule that decided."""
    proven: bool


def sentences(before: Side, after: Side) -> Iterator[str]:
    """Everything that becomes reachable, that no longer is, and that has another response. Empty for a stack without listener rules."""
    asked = list(dict.fromkeys((*_asked(before, after), *_asked(after, before))))
    old, new = ({one: _reach(side, one) for one in asked} for side in (before, after))
    changes = [(one, _kind(old[one], new[one]), old[one], new[one]) for one in asked]
    changes = [change for change in changes if change[1]]
    said: dict[tuple[str, ...], list[Asking]] = {}
    for one, kind, was, now in _for_everyone(list(_without_implied(changes)), asked):
        # For a path that opens, the sentence has the refusal before; for one that closes, the refusal now.
        key = (kind, one.who, "" if kind == "opens" else now.text, "" if kind == "closes" else was.text)
        said.setdefault(key, []).append(one)
    served = {one.shown for one in asked if old[one].depth == _SERVED}
    for (kind, who, now, was), own in said.items():
        for network, shown in _by_network(own, asked).items():
            every = kind == "closes" and len(shown) > 1 and set(shown) == served
            subject = f"every one of the {len(shown)} paths" if every else listed(shown)
            plural = len(shown) > 1 and not every
            where = f"{who} {network}".strip()
            yield _worded(kind, subject, where, was=was, now=now, plural=plural)


def _worded(kind: str, subject: str, where: str, *, was: str, now: str, plural: bool) -> str:
    be, begin, get = ("are", "become", "get") if plural else ("is", "becomes", "gets")
    match kind:
        case "opens":
            return f"{subject} {begin} reachable {where} (before: {was})"
        case "passes":
            return f"{subject} {get} past the load balancer {where} and only the proxy refuses: {now} (before: {was})"
        case "closes":
            return f"{subject} {be} no longer reachable {where} (now: {now})"
        case "unproven":
            return f"what happens to requests for {subject} {where} is no longer proven ({now}; before: {was})"
        case _:
            return f"{subject} {where}: {now} instead of {was}"


def _kind(was: _Reach, now: _Reach) -> str:
    if was.proven and not now.proven:
        return "unproven"
    if now.depth > was.depth:
        return "opens" if now.depth == _SERVED else "passes"
    if now.depth < was.depth:
        return "closes" if was.depth == _SERVED else "answers"
    return "answers" if was.status != now.status else ""  # by another rule is the same answer


_Change = tuple[Asking, str, _Reach, _Reach]


def _without_implied(changes: Sequence[_Change]) -> Iterator[_Change]:
    """Without the consequences for narrower clients: a path that opens without a log-in opens for everyone, and a path that closes is
    reported for those who had it."""
    opened = {(*_place(one), one.who) for one, kind, *_ in changes if kind == "opens"}
    closed = {_place(one) for one, kind, *_ in changes if kind == "closes"}
    passed = {(*_place(one), one.who) for one, kind, *_ in changes if kind == "passes"}
    shut = {(one.network, now.text) for one, kind, _, now in changes if kind == "closes"}
    for change in changes:
        one, kind, *_ = change
        place = _place(one)
        wider = _CLIENTS[: _CLIENTS.index(one.who)]
        if kind == "opens" and any((*place, who) in opened for who in wider):
            continue
        if kind == "answers" and (place in closed or any((*place, who) in opened for who in _CLIENTS)):
            continue
        if kind == "passes" and one.who == STRANGER and ((*place, MEMBER) in opened or (*place, ANYBODY) in passed):
            continue
        if kind == "passes" and one.who == MEMBER and (*place, ANYBODY) in passed:
            continue
        if kind == "answers" and (one.network, change[3].text) in shut:
            continue
        yield change


def _for_everyone(changes: Sequence[_Change], asked: Sequence[Asking]) -> Iterator[_Change]:
    """The same change for every kind of client as one."""
    clients: dict[tuple[str, ...], set[str]] = {}
    for one in asked:
        clients.setdefault(_place(one), set()).add(one.who)
    alike: dict[tuple[object, ...], list[_Change]] = {}
    for change in changes:
        one, kind, was, now = change
        alike.setdefault((_place(one), kind, was.text, now.text), []).append(change)
    for group in alike.values():
        if len(group) > 1 and {one.who for one, *_ in group} == clients[_place(group[0][0])]:
            one, kind, was, now = group[0]
            yield replace(one, who=EVERYONE), kind, was, now
        else:
            yield from group


def _place(one: Asking) -> tuple[str, ...]:
    return (one.host, one.method, one.pattern, one.network)


def _by_network(own: Sequence[Asking], asked: Sequence[Asking]) -> dict[str, list[str]]:
    """Words about the network → paths. Nothing is said where it applies to every network."""
    networks = list(dict.fromkeys(one.network for one in asked))
    where: dict[str, list[str]] = {}
    for one in own:
        where.setdefault(one.shown, []).append(one.network)
    found: dict[str, list[str]] = {}
    for shown, named in where.items():
        everywhere = len(set(named)) == len(networks)
        place = "" if everywhere else f"from {', '.join(sorted(set(named)))}"
        found.setdefault(place, []).append(shown)
    return found


def _asked(side: Side, other: Side) -> Iterator[Asking]:
    own = own_hosts(side.graph)
    networks = dict.fromkeys((*networks_of(side.graph), *networks_of(other.graph), ELSEWHERE))
    for rule in side.graph.of_type("lb.ListenerRule"):
        hosts = condition_values(rule, "hostHeader") or [_OWN_HOST]
        clients = (ANYBODY, MACHINE) if _action(rule, "jwtValidation") is not None else (ANYBODY, STRANGER, MEMBER)
        for host in dict.fromkeys(_OWN_HOST if name in own[:1] else name for name in hosts):
            for method in condition_values(rule, "httpRequestMethod") or ["GET"]:
                for pattern in condition_values(rule, "pathPattern") or ["/*"]:
                    for who in clients if pattern != CALLBACK else ():
                        yield from (Asking(host, method, pattern, who, network) for network in networks)


def own_hosts(graph: Graph) -> list[str]:
    """The host names that pages are served at: those of the rules that forward without a token, the most frequent first. Rules that no
    longer log people in still count: otherwise what they open would not be asked for."""
    found: dict[str, int] = {}
    for rule in graph.of_type("lb.ListenerRule"):
        if _forwards(rule) and _action(rule, "jwtValidation") is None:
            for host in condition_values(rule, "hostHeader"):
                found[host] = found.get(host, 0) + 1
    return sorted(found, key=lambda host: (-found[host], host))


def networks_of(graph: Graph) -> list[str]:
    """Every network that a listener rule, the firewall or a security group of a load balancer names, except the whole internet."""
    named: set[str] = set()
    for rule in graph.of_type("lb.ListenerRule"):
        named |= set(condition_values(rule, "sourceIp"))
    for addresses in graph.of_type("wafv2.IpSet"):
        named |= {str(one) for one in as_list(addresses.value("addresses")) or []}
    for balancer in graph.of_type("lb.LoadBalancer"):
        groups = graph.referenced(balancer, "securityGroups", ("ec2.SecurityGroup",)).resources
        for rule in graph.of_type("vpc.SecurityGroupIngressRule"):
            if any(
                group in graph.referenced(rule, "securityGroupId", ("ec2.SecurityGroup",)).resources for group in groups
            ):
                named.add(str(rule.value("cidrIpv4")))
    return sorted(name for name in named if _network(name) is not None)


def _network(text: str) -> ipaddress.IPv4Network | None:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    return network if isinstance(network, ipaddress.IPv4Network) and network.prefixlen > 1 else None


def _address(network: str, others: Sequence[str]) -> str:
    """An address in a network, or one that is in none of the others."""
    if (known := _network(network)) is not None:
        return str(known[min(1, known.num_addresses - 1)])
    blocks = [block for name in others if (block := _network(name)) is not None]
    spare = (CLIENT, *_SPARE)
    return next((one for one in spare if not any(ipaddress.ip_address(one) in block for block in blocks)), CLIENT)


def _reach(side: Side, asking: Asking) -> _Reach:
    own = own_hosts(side.graph)
    host = asking.host or (own[0] if own else "")
    path = "/" if asking.pattern == "/*" else asking.pattern.replace("*", "x").replace("?", "x")
    client = _address(asking.network, networks_of(side.graph))
    request = Request(asking.method, f"https://{host}{path}", identity=_identity(side, asking, host), client=client)
    return _read(traced(side.graph, request, side.proxy_at(host) if asking.host else side.proxy))


def _read(outcome: Outcome) -> _Reach:
    if outcome.result is Result.SERVED:
        return _Reach(_SERVED, "served", f"served by {outcome.rule}", proven=True)
    depth = 1 if outcome.rule.startswith("proxy ") else 0
    status = "no answer" if outcome.status is None else str(outcome.status)
    if outcome.location:
        status = (
            f"{status} to the log-in" if "oauth2" in outcome.location or "authorize" in outcome.location else status
        )
    by = outcome.rule.rstrip("0123456789").rstrip("-")
    return _Reach(depth, status, f"{status} by {by}", proven=outcome.result is not Result.NOT_PROVEN)


def _identity(side: Side, asking: Asking, host: str) -> Identity | None:
    if asking.who == ANYBODY:
        return None
    if asking.who == MACHINE:
        return Identity(_token(side.graph, host), token=True)
    if asking.who == STRANGER or side.proxy is None:
        return Identity({"sub": "another-person", "email": "person@other.example.net", "email_verified": "true"})
    return Identity(side.proxy.admitted_claims())


def _token(graph: Graph, host: str) -> dict[str, object]:
    """The claims that a rule for this host name demands of a token."""
    for rule in graph.of_type("lb.ListenerRule"):
        options = _action(rule, "jwtValidation")
        if options is not None and host in condition_values(rule, "hostHeader"):
            claims: dict[str, object] = {"iss": options.get("issuer")}
            for item in as_list(options.get("additionalClaims")) or []:
                claim = as_mapping(item) or {}
                values = [str(value) for value in as_list(claim.get("values")) or [""]]
                claims[str(claim.get("name"))] = values[:1] if claim.get("format") == "string-array" else values[0]
            return claims
    return {"iss": "https://no-issuer.example.net"}


def _forwards(rule: Resource) -> bool:
    actions = rule.items("actions")
    return any(
        (as_mapping(one) or {}).get("type") == "forward" for one in ([] if isinstance(actions, Unknown) else actions)
    )


def _action(rule: Resource, name: str) -> Mapping[str, object] | None:
    actions = rule.items("actions")
    found = (as_mapping((as_mapping(one) or {}).get(name)) for one in ([] if isinstance(actions, Unknown) else actions))
    return next((one for one in found if one is not None), None)
