"""The declared number of users can share one address before a rate rule returns 429.

A rate rule counts the requests in its scope for each client address, and an office, a VPN or a mobile network shares
one address. A browser's first visit alone sends more than a hundred requests. Each class of request that one user sends
(``Arrival`` of the preset that the stack file selects) is evaluated by every rate rule of each web ACL: the number that
the rule counts for one user, times the number of users, has to stay within its limit. Rules that count by session have
to allow one user. The same is evaluated for a client in each IP set that the web ACL refers to, with the number of users
behind one address of the office networks.

Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based-request-limiting.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from components.applications import Preset
from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.graph.values import Unknown, as_list, as_mapping
from policies.guardrails.topology.http.requests import CLIENT, Identity, Request, Trail
from policies.guardrails.topology.waf.web_acl import WebAcl
from preflight.conform.stack_file import declared, preset_of
from preflight.findings import Finding, Verdict
from preflight.recording.recorder import Recording
from settings.limits import RateLimits

RULE = "conform-rates"
WINDOW_SECONDS = 300
SOURCE = (
    "https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based-request-limiting.html"
)


@dataclass(frozen=True, slots=True)
class RequestKind:
    """One class of a user's requests: the number in five minutes, and examples, which must all have the same outcome."""

    name: str
    times: int
    requests: tuple[tuple[str, str], ...]
    """Method and path of each example; a rule counts the class if it counts one of them."""


def kinds(preset: Preset) -> tuple[RequestKind, ...]:
    """One user's requests, by class."""
    arrival, paths = preset.arrival, preset.paths
    # API paths that are neither a static file nor a prefix of one: the rules distinguish the classes by path.
    called = [path.partition("*")[0] for path in paths.api if not path.startswith(paths.static)]
    return (
        RequestKind("static files", arrival.static_requests, tuple(("GET", f"{p}x.js") for p in paths.static)),
        RequestKind("pages and API calls", arrival.page_requests, (("GET", "/"), *(("GET", path) for path in called))),
        RequestKind("model calls", arrival.model_calls, tuple(("POST", path) for path in paths.model_calls[:1])),
        RequestKind("uploads", arrival.uploads, tuple(("POST", path) for path in paths.uploads[:1])),
    )


def findings(recording: Recording) -> list[Finding]:
    """Each rate rule whose limit is too low for the number of users behind one address that the settings declare."""
    stack = recording.stack
    offices = declared(stack, "limits", "rates", "officeNetworks", "peopleBehindOneAddress")
    people = declared_people(stack)
    return evaluated(recording, kinds(preset_of(stack)), people, offices if isinstance(offices, int) else people)


def evaluated(recording: Recording, sent: tuple[RequestKind, ...], people: int, offices: int = 0) -> list[Finding]:
    """The same check for given requests of one user and given numbers of users behind one address, in general and of the
    office networks; 0: the same number."""
    graph = Graph.from_recorded(recording.resources)
    found = [
        finding
        for resource in graph.of_type("wafv2.WebAcl")
        for finding in _acl(recording.stack, graph, resource, sent, (people, offices or people))
    ]
    # A rule that counts by session is evaluated for both clients.
    return sorted({finding.key: finding for finding in found}.values(), key=lambda finding: finding.key)


def declared_people(stack: str) -> int:
    """Return ``limits.rates.peopleBehindOneAddress`` of a stack file, or its default if the file or the key is
    missing."""
    people = declared(stack, "limits", "rates", "peopleBehindOneAddress")
    return people if isinstance(people, int) else RateLimits().people_behind_one_address


@dataclass(frozen=True, slots=True)
class Counted:
    """One rate rule, and what it counts of one user's requests."""

    name: str
    urn: str
    place: str
    """Resource and property of the rule, for display."""
    limit: int
    each: int
    """The number of requests of one user that it counts in five minutes; 0: none."""
    what: str
    """These requests, for display."""
    by_address: bool
    """Whether it counts all users behind one address together."""
    office: bool = False
    """Whether the user is in an office network."""


def counted(graph: Graph, resource: Resource, sent: tuple[RequestKind, ...]) -> Iterator[Counted]:
    """Each rate rule of one web ACL that ends a request, with the requests that it counts of a user elsewhere
    and of one in each office network, in order of priority; a rule that counts nothing of a user is left out."""
    acl = WebAcl(graph, resource)
    for _, name, holder, path, rule in acl.rules:
        rate = as_mapping((as_mapping(rule.get("statement")) or {}).get("rateBasedStatement"))
        if rate is None or not _ends(rule):
            continue
        limit = rate.get("limit")
        if not isinstance(limit, int | float):
            continue
        # A longer window counts proportionally more requests.
        windows = max(1, -(-int(rate.get("evaluationWindowSec") or WINDOW_SECONDS) // WINDOW_SECONDS))
        for client, office in _clients(graph):
            found = [kind for kind in sent if kind.times and _counts(acl, name, kind, client)]
            if found:
                yield Counted(
                    name=name,
                    urn=holder.urn,
                    place=f"{holder.label}.{path or 'statement'}",
                    limit=int(limit),
                    each=windows * sum(kind.times for kind in found),
                    what=", ".join(f"{kind.times} {kind.name}" for kind in found),
                    by_address=_by_address(rate),
                    office=office,
                )


def _clients(graph: Graph) -> list[tuple[str, bool]]:
    """An address outside every IP set, and the first address of each, with whether it is in one."""
    blocks = [
        ip_network(str(one))
        for resource in graph.of_type("wafv2.IpSet")
        if not isinstance(addresses := resource.items("addresses"), Unknown)
        for one in addresses[:1]
    ]
    everyone = [
        ip_network(str(one))
        for resource in graph.of_type("wafv2.IpSet")
        if not isinstance(addresses := resource.items("addresses"), Unknown)
        for one in addresses
    ]
    outside = next(one for one in _ELSEWHERE if not any(ip_address(one) in block for block in everyone))
    return [(outside, False), *((str(block.network_address), True) for block in blocks)]


_ELSEWHERE = (CLIENT, *(f"{octet}.18.0.1" for octet in range(11, 224)))
"""Candidates for an address outside every IP set, whose blocks are networks of an organization."""


def _acl(
    stack: str, graph: Graph, resource: Resource, sent: tuple[RequestKind, ...], people: tuple[int, int]
) -> Iterator[Finding]:
    for one in counted(graph, resource, sent):
        alike = people[one.office] if one.by_address else 1
        if one.limit >= one.each * alike:
            continue
        who = (
            f"{alike} users behind one address{' of an office network' * one.office}"
            if alike > 1
            else "one user's session"
        )
        yield Finding(
            environment=stack,
            pack="conform",
            rule=RULE,
            verdict=Verdict.VIOLATED,
            headline=f"{one.place} ({one.name}) returns 429 to {who}",
            urn=one.urn,
            found=f"a limit of {one.limit}, which {one.limit // one.each} first visits use up ({one.what})",
            wanted=f"at least {one.each * alike}: {who} times {one.each} requests ({SOURCE})",
            fix="raise the limit under limits.rates, leave static files out of the rule's scope, or count by session",
        )


def _ends(rule: Mapping[str, Any]) -> bool:
    action = as_mapping(rule.get("action")) or {}
    return any(action.get(name) is not None for name in ("block", "captcha", "challenge"))


def _by_address(rate: Mapping[str, Any]) -> bool:
    """Whether a rule counts all users behind one address together."""
    keys = [as_mapping(key) or {} for key in as_list(rate.get("customKeys")) or []]
    return not any(key.get("cookie") is not None or key.get("header") is not None for key in keys)


def _counts(acl: WebAcl, rule: str, kind: RequestKind, client: str) -> bool:
    """Whether the rule answers an example of the class when its limit is exceeded."""
    for method, path in kind.requests:
        request = Request(
            method,
            f"https://probe.invalid{path}",
            body_bytes=10 * (method == "POST"),
            identity=Identity({}),
            client=client,
            exceeds=frozenset({rule}),
        )
        outcome = acl.evaluate(Trail(request))
        if outcome is not None and outcome.rule == rule:
            return True
    return False
