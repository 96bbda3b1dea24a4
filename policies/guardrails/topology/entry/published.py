"""Services that publish a site, a stream or a mail server by themselves, and the property with which they ask for a login.

One row per type: such a service has no listener or route in the graph, so its edge leads from the internet to
the resource. A web ACL is expected only of those that can have one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..graph.resources import Graph, Resource
from ..graph.values import Unknown
from ..graph.verdicts import hop
from ..network.paths import INTERNET, MISSED, PASSED, Edge, Pass
from ..waf.associations import WebAclAssociations


@dataclass(frozen=True, slots=True)
class _Published:
    """How one type is published."""

    what: str
    login: str = ""
    """The property that requires a login; none if the service has no such property."""
    closed: tuple[object, ...] = (True,)
    """The values with which it does."""
    owner: tuple[str, str] = ("", "")
    """A property and the type to which it refers, whose property of the same name counts as well."""
    off: tuple[str, tuple[object, ...]] = ("", ())
    """A property and the values with which nothing is published."""
    private: str = ""
    """A property of which any value keeps it in the network."""


PUBLISHED: dict[str, _Published] = {
    "amplify.Branch": _Published("a public site", "enableBasicAuth", owner=("appId", "amplify.App")),
    "ecs.ExpressGatewayService": _Published("a public load balancer", private="networkConfigurations"),
    "ivs.Channel": _Published("a public stream", "authorized"),
    "lightsail.Distribution": _Published("a public site", off=("isEnabled", (False,))),
    "lightsail.Lb": _Published("a public load balancer"),
    "mailmanager.IngressPoint": _Published(
        "a public mail server", "type", ("AUTH", "MTLS"), private="networkConfiguration.privateNetworkConfiguration"
    ),
}
"""Type → how it is published."""


def published(graph: Graph, web_acls: WebAclAssociations) -> Iterator[Edge]:
    """An edge from the internet to each service that publishes itself."""
    for resource in graph.of_type(*PUBLISHED):
        row = PUBLISHED[resource.kind]
        path, values = row.off
        if (path and resource.value(path) in values) or (row.private and resource.value(row.private) not in (None, {})):
            continue
        owners = graph.referenced(resource, row.owner[0], types=(row.owner[1],)).resources if row.owner[0] else ()
        web_acl = PASSED
        if owners:  # an app, with which a web ACL is associated
            web_acl = web_acls.passed(owners[0])
        place = row.login or "name"
        steps = (hop(resource, place, row.what),)
        login = _login((resource, *owners), row)
        yield Edge(INTERNET, resource.urn, resource, place, steps, web_acl, login, protected=resource, final=True)


def _login(resources: tuple[Resource, ...], row: _Published) -> Pass:
    """Whether one of them asks for a login."""
    if not row.login:
        return MISSED
    values = [(item, item.value(row.login)) for item in resources]
    if any(value in row.closed for _, value in values if not isinstance(value, Unknown)):
        return PASSED
    unknown = tuple(f"{item.label}.{row.login}" for item, value in values if isinstance(value, Unknown))
    return Pass(None, unknown) if unknown else MISSED
