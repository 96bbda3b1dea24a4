"""The declared number of users can share one address before a rate rule returns 429.

A rate rule counts the requests in its scope for each client address, and an office, a VPN or a mobile network shares
one address. A browser's first visit alone sends more than a hundred requests. Each class of request that one user sends
(``Arrival`` of the preset that the stack file selects) is evaluated by every rate rule of each web ACL: the number that
the rule counts for one user, times the number of users, has to stay within its limit. Rules that count by session have
to allow one user.

Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based-request-limiting.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from components.applications import Preset
from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.graph.values import as_list, as_mapping
from policies.guardrails.topology.http.requests import Identity, Request, Trail
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
    return evaluated(recording, kinds(preset_of(recording.stack)), declared_people(recording.stack))


def evaluated(recording: Recording, sent: tuple[RequestKind, ...], people: int) -> list[Finding]:
    """The same check for given requests of one user and a given number of users."""
    graph = Graph.from_recorded(recording.resources)
    found = [
        finding
        for resource in graph.of_type("wafv2.WebAcl")
        for finding in _acl(recording.stack, graph, resource, sent, people)
    ]
    return sorted(found, key=lambda finding: finding.key)


def declared_people(stack: str) -> int:
    """Return ``limits.rates.peopleBehindOneAddress`` of a stack file, or its default if the file or the key is
    missing."""
    people = declared(stack, "limits", "rates", "peopleBehindOneAddress")
    return people if isinstance(people, int) else RateLimits().people_behind_one_address


def _acl(stack: str, graph: Graph, resource: Resource, sent: tuple[RequestKind, ...], people: int) -> Iterator[Finding]:
    acl = WebAcl(graph, resource)
    for _, name, holder, path, rule in acl.rules:
        rate = as_mapping((as_mapping(rule.get("statement")) or {}).get("rateBasedStatement"))
        if rate is None or not _ends(rule):
            continue
        counted = [kind for kind in sent if kind.times and _counts(acl, name, kind)]
        # A longer window counts proportionally more requests.
        windows = max(1, -(-int(rate.get("evaluationWindowSec") or WINDOW_SECONDS) // WINDOW_SECONDS))
        one = windows * sum(kind.times for kind in counted)
        alike = people if _by_address(rate) else 1
        limit = rate.get("limit")
        if not isinstance(limit, int | float) or limit >= one * alike:
            continue
        what = ", ".join(f"{kind.times} {kind.name}" for kind in counted)
        who = f"{alike} users behind one address" if alike > 1 else "one user's session"
        yield Finding(
            environment=stack,
            pack="conform",
            rule=RULE,
            verdict=Verdict.VIOLATED,
            headline=f"{holder.label}.{path or 'statement'} ({name}) returns 429 to {who}",
            urn=holder.urn,
            found=f"a limit of {int(limit)}, which {int(limit) // one} first visits use up ({what})",
            wanted=f"at least {one * alike}: {who} times {one} requests ({SOURCE})",
            fix="raise the limit under limits.rates, leave static files out of the rule's scope, or count by session",
        )


def _ends(rule: Mapping[str, Any]) -> bool:
    action = as_mapping(rule.get("action")) or {}
    return any(action.get(name) is not None for name in ("block", "captcha", "challenge"))


def _by_address(rate: Mapping[str, Any]) -> bool:
    """Whether a rule counts all users behind one address together."""
    keys = [as_mapping(key) or {} for key in as_list(rate.get("customKeys")) or []]
    return not any(key.get("cookie") is not None or key.get("header") is not None for key in keys)


def _counts(acl: WebAcl, rule: str, kind: RequestKind) -> bool:
    """Whether the rule answers an example of the class when its limit is exceeded."""
    for method, path in kind.requests:
        request = Request(
            method,
            f"https://probe.invalid{path}",
            body_bytes=10 * (method == "POST"),
            identity=Identity({}),
            exceeds=frozenset({rule}),
        )
        outcome = acl.evaluate(Trail(request))
        if outcome is not None and outcome.rule == rule:
            return True
    return False
