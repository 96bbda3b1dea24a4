"""Application load balancer listeners hide the Server header, and HTTPS listeners add HSTS and nosniff to every
response.

The headers are then on every page, including error pages, independent of the application. Browsers ignore HSTS received
over plain HTTP.

The policy cannot see headers that the application sets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...checks import expect, expect_value
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource
from ...topology.graph.values import Value
from ...topology.graph.verdicts import Finding

_PREFIX = "routingHttpResponse"
_HALF_A_YEAR = 15_768_000


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one listener."""
    protocol = resource.value("protocol")
    if protocol in ("HTTP", "HTTPS"):
        yield from expect_value(resource, f"{_PREFIX}ServerEnabled", False, "set it to false", default=True)
    if protocol != "HTTPS":
        return
    yield from expect(
        resource,
        f"{_PREFIX}StrictTransportSecurityHeaderValue",
        _is_long,
        "max-age of at least half a year",
        "set it to max-age=31536000 or more",
    )
    yield from expect_value(resource, f"{_PREFIX}XContentTypeOptionsHeaderValue", "nosniff", "set it to nosniff")


def _is_long(value: Value) -> bool:
    match = re.search(r"max-age=(\d+)", str(value or ""))
    return match is not None and int(match[1]) >= _HALF_A_YEAR


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation="set the response header attributes of the listener",
    types=("lb.Listener",),
)
