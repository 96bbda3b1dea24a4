"""Requests that an application load balancer itself rejects, before the web ACL and the rules are evaluated.

Its fixed sizes, the unsupported method, and requests that its desync mitigation considers ambiguous. The desync checks
cover HTTP/1.1; AWS does not document how the load balancer frames HTTP/2, so no such request is modelled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..graph.resources import Resource, Unknown
from .requests import Outcome, Request, Result, Trail

REQUEST_LINE_BYTES = 16 * 1024
HEADER_BYTES = 16 * 1024
ALL_HEADERS_BYTES = 64 * 1024
"""Fixed limits of an application load balancer."""

_BODILESS = ("GET", "HEAD")
_COMPLIANT = re.compile(r"[\x20-\x7e\t]+")


def refused_by_balancer(trail: Trail, edge: Resource) -> Outcome | None:
    """The response of the load balancer itself, if any."""
    return _too_large(trail, edge) or _not_supported(trail, edge) or _ambiguous(trail, edge)


def _too_large(trail: Trail, edge: Resource) -> Outcome | None:
    request = trail.request
    target = f"{request.path}?{request.query}" if request.query else request.path
    line = len(f"{request.method} {target} HTTP/1.1".encode())
    sizes = [len(name.encode()) + len(value.encode()) + 2 for name, value in request.sent_headers()]
    if line > REQUEST_LINE_BYTES:
        trail.note(edge, "", f"the request line has {line} bytes, more than {REQUEST_LINE_BYTES}")
        return trail.end(Result.ANSWERED, 414, "request line limit")
    if max(sizes, default=0) > HEADER_BYTES or sum(sizes) > ALL_HEADERS_BYTES:
        trail.note(edge, "", f"headers beyond {HEADER_BYTES} bytes for one or {ALL_HEADERS_BYTES} for all")
        return trail.end(Result.ANSWERED, 400, "header limit")
    return None


def _not_supported(trail: Trail, edge: Resource) -> Outcome | None:
    if trail.request.method != "TRACE":
        return None
    trail.note(edge, "", "does not support TRACE")
    return trail.end(Result.ANSWERED, 405, "unsupported method")


def _ambiguous(trail: Trail, edge: Resource) -> Outcome | None:
    """In defensive mode severe violations are refused, in strictest mode all requests that do not comply."""
    path = "desyncMitigationMode"
    mode = edge.value(path)
    refused = "defensive" if mode is None else mode
    reason = next(_severe(trail.request), None)
    if reason is None and refused != "defensive":
        reason = next(_not_compliant(trail.request), None)
    if reason is None or refused == "monitor":
        return None
    if isinstance(mode, Unknown):
        trail.unknowns.append(f"{edge.label}.{path}")
        return None
    trail.note(edge, path, f"{refused}: refuses {reason}")
    return trail.end(Result.ANSWERED, 400, "desync mitigation")


def _severe(request: Request) -> Iterator[str]:
    length = request.header("content-length")
    if length and not re.fullmatch("[0-9]+", length):
        yield "a content-length that is not a number"


def _not_compliant(request: Request) -> Iterator[str]:
    length, coding = request.header("content-length"), request.header("transfer-encoding")
    if request.method in _BODILESS and (length or coding):
        yield f"a body with {request.method}"
    if length and coding:
        yield "both content-length and transfer-encoding"
    for name, value in request.sent_headers():
        if not value.strip():
            yield f"the empty header {name}"
        elif not _COMPLIANT.fullmatch(value):
            yield f"characters of the header {name}"
