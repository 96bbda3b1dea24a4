"""No WAF rule decides wrongly because the header that it reads is beyond the part that the WAF inspects.

A WAF inspects only the first 8,192 bytes and 200 headers that an Application Load Balancer forwards to it. Browsers with
many cookies send more, so a rule that blocks because a header is absent locks out users, and a rule that blocks because a
header is present can be evaded by placing it further back. Both are computed: ordinary requests with large cookies before
every other header must pass, and each header that a rule blocks must also be blocked, or made harmless, behind the WAF.
Rules that search the values of all headers are checked for the first case only.

Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-oversize-request-components.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from components.applications import Preset
from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.graph.values import as_list, as_mapping
from policies.guardrails.topology.http.requests import Identity, Outcome, ProxyFacts, Request, Trail
from policies.guardrails.topology.waf.match_fields import BODY_WINDOW
from policies.guardrails.topology.waf.web_acl import WebAcl
from preflight.analysis.edge_proxy import configuration, facts
from preflight.conform.stack_file import preset_of
from preflight.errors import PreflightError
from preflight.findings import Finding, Verdict
from preflight.recording.recorder import Recording

RULE = "conform-header-window"
SOURCE = "https://docs.aws.amazon.com/waf/latest/developerguide/waf-oversize-request-components.html"
SET_BY_THE_EDGE = "x-amzn-oidc-"
"""The load balancer sets its three headers with this prefix on every request that it forwards within a session, so
headers sent by a client never reach the proxy. No component reads other headers with this prefix
(https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html)."""
HARMLESS = {"content-type": "it changes only the wording of a refusal: the proxy makes the same decision"}
"""Headers whose rules are not needed for security: a request is not admitted because such a header is out of sight."""

_SHARDS = "; ".join(f"AWSELBAuthSessionCookie-{number}={'x' * 3900}" for number in range(3))
_LARGE = (("cookie", _SHARDS),)
_MANY = tuple((f"x-ordinary-{number}", "1") for number in range(205))
_HOST = "probe.invalid"
_CUT = {
    f"cookies that leave {left} bytes": (("cookie", "x" * (BODY_WINDOW - len(f"host{_HOST}cookie") - left)),)
    for left in range(24)
}
"""Fillers of different lengths, so that the last inspected header is cut in its name or in its value."""
HIDING = {"large cookies": _LARGE, "205 small headers": _MANY, **_CUT}
"""Headers that may come before every other header of an ordinary request."""


def ordinary(preset: Preset) -> dict[str, Request]:
    """Requests that a browser sends to the application, by purpose; none may be blocked."""
    paths = preset.paths
    writing = [*paths.model_calls, *paths.prompts, "/"]
    called = [path.replace("*", "1") for path in paths.api if not path.startswith(paths.static)]
    sent = [
        ("a page", "GET", ["/"], 0),
        ("a prompt", "POST", writing, 4000),
        ("an upload", "POST", paths.uploads, 30_000),
        ("a change", "PUT", called, 100),
    ]
    return {what: _ordinary_request(method, places[0], size) for what, method, places, size in sent if places}


def _ordinary_request(method: str, path: str, size: int = 0) -> Request:
    return Request(method, f"https://{_HOST}{path}", body_bytes=size, identity=Identity({}))


def findings(recording: Recording) -> list[Finding]:
    """Each rule that decides wrongly if a header is not inspected."""
    graph = Graph.from_recorded(recording.resources)
    try:
        proxy = facts(configuration(recording))
    except PreflightError:
        proxy = None
    found: list[Finding] = []
    for resource in graph.of_type("wafv2.WebAcl"):
        acl = WebAcl(graph, resource)
        found += [*_ordinary(recording.stack, resource, acl), *_hidden(recording.stack, resource, acl, proxy)]
    return sorted(found, key=lambda finding: finding.key)


def hidden(request: Request, before: tuple[tuple[str, str], ...]) -> Request:
    """The request with other headers before its own."""
    named = {name.lower() for name, _ in before}
    return replace(request, headers=(*before, *(h for h in request.headers if h[0].lower() not in named)))


def _ordinary(stack: str, resource: Resource, acl: WebAcl) -> Iterator[Finding]:
    for what, request in ordinary(preset_of(stack)).items():
        if acl.evaluate(Trail(request)) is not None:
            continue
        for before, headers in HIDING.items():
            outcome = acl.evaluate(Trail(hidden(request, headers)))
            if outcome is not None:
                yield _finding(
                    stack,
                    resource,
                    f"blocks {what} behind {before} ({outcome.rule})",
                    (
                        f"status {outcome.status}",
                        "the same decision as without them",
                        "do not block because a header is absent: let the proxy check, which receives all headers",
                    ),
                )


def _hidden(stack: str, resource: Resource, acl: WebAcl, proxy: ProxyFacts | None) -> Iterator[Finding]:
    prompt = ordinary(preset_of(stack))["a prompt"]
    for rule, header, value in sorted(_kept_out(acl)):
        request = replace(prompt, headers=((header, value),))
        seen: Outcome | None = acl.evaluate(Trail(request))
        if seen is None or acl.evaluate(Trail(hidden(request, _LARGE))) is not None:
            continue
        if proxy is not None and _held(header, proxy):
            continue
        yield _finding(
            stack,
            resource,
            f"does not block {header} behind large cookies ({rule})",
            (
                "only the WAF blocks it, and it inspects the first 8,192 bytes and 200 headers",
                "a component behind the WAF that removes or restricts it",
                f"have the proxy remove {header} from clients' requests, or, if nothing depends on it, add it to HARMLESS in "
                f"{__name__.replace('.', '/')}.py",
            ),
        )


def _held(header: str, proxy: ProxyFacts) -> bool:
    if header == "content-length":
        return proxy.requires_length and proxy.prompt_bytes > 0 and proxy.upload_bytes > 0
    return header.startswith(SET_BY_THE_EDGE) or header in HARMLESS or proxy.strips(header)


def _kept_out(acl: WebAcl) -> set[tuple[str, str, str]]:
    """Rule, header and a value for each header that a rule blocks by name, value or prefix."""
    found: set[tuple[str, str, str]] = set()
    for _, name, _, _, rule in acl.rules:
        if (as_mapping(rule.get("action")) or {}).get("block") is None:
            continue
        for body in _matches(as_mapping(rule.get("statement")) or {}):
            field = as_mapping(body.get("fieldToMatch")) or {}
            single = as_mapping(field.get("singleHeader"))
            if single is not None and str(single.get("name")) != "cookie":
                header = str(single.get("name")).lower()
                found.add((name, header, _value(header, body)))
            listed = as_list(field.get("headers")) or []
            scopes = {str((as_mapping(item) or {}).get("matchScope")) for item in listed}
            if scopes & {"KEY", "ALL"} and isinstance(text := body.get("searchString"), str):
                found.add((name, f"{text}probe" if body.get("positionalConstraint") == "STARTS_WITH" else text, "x"))
    return found


def _value(header: str, body: Mapping[str, Any]) -> str:
    """A value that the statement is likely to match; the caller tries it."""
    return str(10**11) if header == "content-length" else str(body.get("searchString") or "x")


def _matches(statement: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for kind in sorted(statement):
        body = as_mapping(statement[kind])
        if body is None:
            continue
        if "fieldToMatch" in body:
            yield body
        inner = [*(as_list(body.get("statements")) or []), body.get("statement"), body.get("scopeDownStatement")]
        for item in inner:
            if (nested := as_mapping(item)) is not None:
                yield from _matches(nested)


def _finding(stack: str, resource: Resource, what: str, said: tuple[str, str, str]) -> Finding:
    found, wanted, fix = said
    return Finding(
        environment=stack,
        pack="conform",
        rule=RULE,
        verdict=Verdict.VIOLATED,
        headline=f"{resource.label}.rules {what}",
        urn=resource.urn,
        found=found,
        wanted=f"{wanted} ({SOURCE})",
        fix=fix,
    )
