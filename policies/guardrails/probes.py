"""Sample requests that a web ACL has to stop, evaluated against its rules."""

from __future__ import annotations

from dataclasses import replace

from .topology.graph.resources import Graph
from .topology.http.requests import Request, Result, Trail
from .topology.waf.web_acl import WebAcl
from .web_acls import WebAclRules

_HARMLESS = Request("GET", "https://probe.invalid/")
_SENDING = Request("POST", "https://probe.invalid/", body_bytes=1)
_LONG = 32_000
_HUGE = 2**33
_OVERSIZED = {
    "body": replace(_SENDING, body_bytes=_HUGE),
    "cookies": replace(_HARMLESS, cookies=(("probe", "x" * _LONG),)),
    "path": Request("GET", f"https://probe.invalid/{'x' * _LONG}"),
    "query": Request("GET", f"https://probe.invalid/?{'x' * _LONG}"),
}


def stopped(graph: Graph, web_acl: WebAclRules) -> dict[str, bool | None]:
    """For each limit, whether a request far beyond it is blocked and a small one passes; ``None`` if that is not known.

    Limits: body (8 GiB), cookies, path and query (32 KB), and rate (every rate rule's limit used up).
    """
    acl = WebAcl(graph, web_acl.acl)
    names = frozenset(name for _, name, _, _, _ in acl.rules)
    found = {limit: _is_stopped(acl, probe) for limit, probe in _OVERSIZED.items()}
    found["rate"] = _is_stopped(acl, replace(_HARMLESS, exceeds=names))
    if _is_stopped(acl, _SENDING) is not False:
        found["body"] = None
    return found if _is_stopped(acl, _HARMLESS) is False else dict.fromkeys(found)


def _is_stopped(acl: WebAcl, request: Request) -> bool | None:
    trail = Trail(request)
    outcome = acl.evaluate(trail)
    if trail.unknowns or (outcome is not None and outcome.result is Result.NOT_PROVEN):
        return None
    return outcome is not None
