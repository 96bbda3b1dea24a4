"""A listener: its port, certificate, TLS policy, rules in order, and its changes to responses."""

from __future__ import annotations

import re
import ssl
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.authority import Authority
from local.edge.authentication import Login
from local.edge.received import ReceivedRequest
from local.edge.sessions import Vault
from local.edge.surroundings import EdgeSurroundings
from local.stack import Resource
from policies.guardrails.topology.entry.load_balancing import actions_of
from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.graph.resources import Resource as Declared
from policies.guardrails.topology.graph.values import Unknown
from policies.guardrails.topology.trace.listener_rules import by_priority, rule_matches

RULE = "aws:lb/listenerRule:ListenerRule"
CERTIFICATE = "aws:lb/listenerCertificate:ListenerCertificate"
_INSERTED = re.compile(r"routingHttpResponse(.+)HeaderValue")
_SERVER = "routingHttpResponseServerEnabled"
_RESTRICTED = "ECDHE+AESGCM"
"""The cipher suites for TLS 1.2 of a policy whose name contains ``-Res``."""


@dataclass(frozen=True)
class Entry:
    """A rule, or the listener itself for its default actions: the actions that run, in order."""

    declared: Declared
    priority: int
    """The priority; 0 for the default actions."""
    actions: list[dict[str, Any]]
    logins: dict[int, Login]
    """The authentication of each action, by the action's index."""

    @property
    def name(self) -> str:
        """The logical name."""
        return self.declared.name


class EdgeListener:
    """A listener of the load balancer."""

    def __init__(self, resource: Resource, graph: Graph, around: EdgeSurroundings, vault: Vault) -> None:
        self.resource = resource
        self.around = around
        self.port: int = resource["port"]
        self.scheme = str(resource["protocol"]).lower()
        self.shows_server: bool = resource.get(_SERVER) is not False
        self.headers = tuple(_inserted(resource))
        self.asked: weakref.WeakKeyDictionary[ssl.SSLObject | ssl.SSLSocket, str] = weakref.WeakKeyDictionary()
        """The name that a client has asked for (SNI), by its connection."""
        self.certificate: str = resource["certificateArn"] if self.scheme == "https" else "-"
        arn: str = resource["arn"]
        rules = [one for one in around.stack.all(RULE) if one["listenerArn"] == arn]
        for rule in rules:
            _ = rule["priority"], rule["conditions"], rule["actions"]
        declared = by_priority([graph.by_urn[one.recorded.urn] for one in rules])
        self._rules = [self._entry(one, vault) for one in declared]
        _ = resource["defaultActions"]
        self._default = self._entry(graph.by_urn[resource.recorded.urn], vault)

    @property
    def entries(self) -> list[Entry]:
        """The rules by priority, then the default actions."""
        return [*self._rules, self._default]

    def choose(self, request: ReceivedRequest) -> Entry:
        """Return the rule or the default actions that a request matches."""
        for entry in self._rules:
            matched = rule_matches(request, entry.declared)
            if matched is None:
                self.around.refuse(f"listener rule {entry.name} conditions: they cannot be evaluated and did not match")
            if matched:
                return entry
        return self._default

    def encryption(self, authority: Authority) -> ssl.SSLContext | None:
        """Create the TLS context of an HTTPS listener, with certificates for the names that ACM's resources declare."""
        if self.scheme != "https":
            return None
        contexts = {arn: self._context(arn, authority) for arn in self._certificates()}
        default = contexts[self.certificate]
        by_name = {name: context for arn, context in contexts.items() for name in self._names(arn)}

        def choose(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
            if name:
                self.asked[connection] = name
            wildcard = f"*.{(name or '').partition('.')[2]}"
            connection.context = by_name.get(name or "") or by_name.get(wildcard) or default

        default.sni_callback = choose
        return default

    def _entry(self, declared: Declared, vault: Vault) -> Entry:
        found = actions_of(declared)
        if isinstance(found, Unknown):
            raise TypeError(f"{declared.label}.{found.path} is not known")
        actions = [action for _, action in found]
        logins = {
            index: Login(declared.name, action["authenticateOidc"], self.around, vault)
            for index, action in enumerate(actions)
            if action.get("type") == "authenticate-oidc"
        }
        priority = declared.value("priority")
        return Entry(declared, int(priority) if isinstance(priority, int | float) else 0, actions, logins)

    def _certificates(self) -> list[str]:
        more = self.around.stack.where(CERTIFICATE, listenerArn=self.resource["arn"])
        return [self.certificate, *(str(one["certificateArn"]) for one in more)]

    def _names(self, arn: str) -> list[str]:
        certificate = self.around.stack.by_arn(arn)
        return [str(certificate["domainName"]), *certificate.get("subjectAlternativeNames", [])]

    def _context(self, arn: str, authority: Authority) -> ssl.SSLContext:
        with tempfile.TemporaryDirectory() as folder:
            context = authority.issue(*dict.fromkeys(self._names(arn))).server_context(Path(folder))
        policy = str(self.resource.get("sslPolicy", "ELBSecurityPolicy-2016-08"))
        context.minimum_version = ssl.TLSVersion.TLSv1_3 if "TLS13-1-3" in policy else ssl.TLSVersion.TLSv1_2
        if "-Res" in policy:
            context.set_ciphers(_RESTRICTED)
        context.set_alpn_protocols(["http/1.1"])
        return context


def _inserted(resource: Resource) -> list[tuple[str, str]]:
    """The headers that the listener's attributes set on every response, in lower case."""
    found: list[tuple[str, str]] = []
    for key in sorted(resource.recorded.inputs):
        match = _INSERTED.fullmatch(key)
        if match and (value := resource.get(key)):
            found.append((re.sub(r"(?<!^)(?=[A-Z])", "-", match[1]).lower(), str(value)))
    return found
