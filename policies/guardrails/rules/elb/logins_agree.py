"""All rules of a listener that serve the same host use the same issuer, client, OIDC endpoints and session cookie.

A rule with a different identity provider admits that provider's users, and their session is valid on the host's other
paths, because they share the cookie.

The policy compares rules with each other; whether they name the right provider is for review.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ...checks import listed
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown, contains_unknown
from ...topology.graph.values import Value, as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated

_ACTIONS = {
    "authenticateOidc": (
        "issuer",
        "authorizationEndpoint",
        "clientId",
        "sessionCookieName",
        "tokenEndpoint",
        "userInfoEndpoint",
    ),
    "authenticateCognito": ("userPoolArn", "sessionCookieName", "userPoolClientId", "userPoolDomain"),
}
_DEFAULTS = {"sessionCookieName": "AWSELBAuthSessionCookie"}
_WANTED = "the same login as the other rules of this host"
_FIX = "use the same identity provider and client in every rule of one host"


@dataclass(frozen=True, slots=True)
class _Login:
    resource: Resource
    """The rule or listener with the login."""
    place: str
    kind: str
    hosts: frozenset[str]
    """The hosts that it applies to; none means every host."""
    unclear: bool
    """Whether its hosts are not known yet."""

    def value(self, name: str) -> Value:
        """One setting of the login, or the default."""
        found = self.resource.value(f"{self.place}.{name}")
        return _DEFAULTS.get(name) if found is None else found


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate the logins of each listener, host by host."""
    seen: set[tuple[str, str]] = set()
    for logins in _by_host(graph):
        for kind, names in _ACTIONS.items():
            same = [login for login in logins if login.kind == kind]
            for finding in (item for name in names for item in _compared(same, name)):
                if (finding.urn, finding.property) not in seen:
                    seen.add((finding.urn, finding.property))
                    yield finding


def _by_host(graph: Graph) -> Iterator[list[_Login]]:
    """For each listener and host, the logins that may apply to a request for the host."""
    found: dict[str, list[_Login]] = {}
    for listener in graph.of_type("lb.Listener"):
        found.setdefault(listener.urn, []).extend(_logins(listener))
    for rule in graph.of_type("lb.ListenerRule"):
        for listener in graph.referenced(rule, "listenerArn", ("lb.Listener",)):
            found.setdefault(listener.urn, []).extend(_logins(rule))
    for logins in found.values():
        every = frozenset[str]().union(*(login.hosts for login in logins)) or frozenset({"*"})
        for host in sorted(every):
            yield [login for login in logins if not login.hosts or host in login.hosts]


def _logins(resource: Resource) -> list[_Login]:
    path = "actions" if resource.kind == "lb.ListenerRule" else "defaultActions"
    actions, conditions = resource.items(path), resource.value("conditions")
    unclear = contains_unknown(conditions)
    hosts = frozenset[str]() if unclear else _hosts(conditions)
    return [
        _Login(resource, f"{path}[{index}].{kind}", kind, hosts, unclear)
        for index in range(0 if isinstance(actions, Unknown) else len(actions))
        for kind in _ACTIONS
        if resource.value(f"{path}[{index}].{kind}") is not None
    ]


def _hosts(conditions: Value) -> frozenset[str]:
    named = [as_mapping((as_mapping(item) or {}).get("hostHeader")) or {} for item in listed(conditions)]
    return frozenset(str(host).lower() for header in named for host in listed(header.get("values")))


def _compared(logins: list[_Login], name: str) -> Iterator[Finding]:
    values = [(login, login.value(name)) for login in logins]
    known = [value for _, value in values if not isinstance(value, Unknown)]
    usual = Counter(known).most_common(1)[0][0] if known else None
    sources = {login.resource.property_dependencies.get("actions", ()) for login, _ in values}
    for login, value in values:
        path = f"{login.place}.{name}"
        if isinstance(value, Unknown):
            # A value that all of them take from one place is the same for all, even if it is not known.
            if known or len(sources) > 1:
                yield not_proven(login.resource, path, [value], _WANTED, _FIX)
        elif value != usual and login.unclear:
            unknowns = [f"{login.resource.label}.conditions"]
            yield not_proven(login.resource, path, unknowns, _WANTED, _FIX, found=login.resource.get(path))
        elif value != usual:
            found = login.resource.get(path)
            yield violated(login.resource, path, found, f"{_WANTED}: {usual}", _FIX, what="uses a different login")


RULE: Rule = stack_rule(
    __name__, __doc__, evaluate, severity=Severity.HIGH, remediation=_FIX, types=("lb.Listener", "lb.ListenerRule")
)
