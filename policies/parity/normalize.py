"""Values that must differ between environments, replaced by names: accounts, regions, hosts, networks, clients, people,
identifiers.

``Normalizer`` is built for one environment from its resources, so no setting has to list its values:
``arn:aws:…:444455556666:…`` becomes a reference to the resource that has this ARN, ``10.30.224.64/26`` becomes
``{network}+0.0.224.64/26``, ``chat.staging.example.com`` becomes ``{host}``.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias, cast
from urllib.parse import urlsplit

from policies.guardrails.topology.graph.documents import document
from policies.guardrails.topology.graph.resources import Graph, Resource, kind_of
from policies.guardrails.topology.graph.values import Secret, Unknown
from policies.parity.text import without_people

Value: TypeAlias = Any
"""A JSON value in which anything may be an ``Unknown`` or a ``Secret``."""

SECRET = "[secret]"  # noqa: S105 - a mask
STACK_KIND = "pulumi:pulumi:Stack"
_IDENTITIES = (
    *("name", "bucket", "id", "arn", "arnSuffix", "arnWithoutRevision", "dnsName", "fqdn", "bucketDomainName", "keyId"),
    *("bucketRegionalDomainName", "repositoryUrl", "securityGroupRuleId", "prefixListId", "endpoint", "readerEndpoint"),
    *(
        "primaryEndpointAddress",
        "guardrailArn",
        "guardrailId",
        "clusterIdentifier",
        "identifier",
        "replicationGroupId",
        "clusterResourceId",
        "versionId",
    ),
    *("certPem", "certRequestPem", "allocationId"),
    *("defaultSecurityGroupId", "defaultRouteTableId", "defaultNetworkAclId", "mainRouteTableId", "invokeArn", "url"),
)
_ARGUMENTS = (
    ("ec2.EipAssociation", "allocationId"),
    ("ec2.NatGateway", "allocationId"),
    ("tls.LocallySignedCert", "certRequestPem"),
)
"""Properties of the same names that are inputs."""
_NAMES = ("name", "clusterIdentifier", "identifier", "replicationGroupId")
"""Identities that the program may choose."""
_SHORTEST_INSIDE = 12
"""Identities shorter than this are replaced where they are a whole value, not inside a longer one."""
_NETWORK = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2})?(?![\d.])")
_CLUSTER_LOG = re.compile(r"^/aws/rds/cluster/[^/]+/")
"""RDS puts the cluster's name there; a database that was restored has another one."""
_ACCOUNT = re.compile(r"^arn:[^:]*:[^:]*:[^:]*:(\d{12}):")
_NESTED = ("domainValidationOptions", "dnsEntries", "masterUserSecrets", "endpoints")
_OF_AWS = re.compile(r"prod-(?=[^/]*starport-layer-bucket)")
"""A name that AWS chose and that looks like an environment's."""
_ELSEWHERE = re.compile(r"(vpc|subnet|rtb|rtbassoc|sg|acl)-(?:[0-9a-f]{8}|[0-9a-f]{17})")
"""The id of a network's part that is made elsewhere: an environment names its own."""
_ELSEWHERE_IN_ARNS = (
    (re.compile(r"(:secretsmanager:[^:]*:[^:]*:secret:[^:]+)-[A-Za-z0-9]{6}(?![A-Za-z0-9])"), r"\1-{suffix}"),
    (re.compile(r"(:kms:[^:]*:[^:]*):key/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"), r"\1:key/{key}"),
)
"""Secrets and keys that are made elsewhere: AWS adds the suffix and the id to their ARNs. A secret keeps its name."""
_PROVIDER_URLS = {
    "issuer": "{issuer}",
    "authorizationEndpoint": "{authorization endpoint}",
    "tokenEndpoint": "{token endpoint}",
    "userInfoEndpoint": "{user-info endpoint}",
}
_DOMAIN = re.compile(r"[a-z0-9*.-]+\.[a-z]+\.")
"""A name of a DNS Firewall's list, as AWS returns it."""
_RUNBOOK = re.compile(r"(https?://[^\s#\"]+)#")
_MADE_NAME = re.compile(r"-[0-9a-f]{7}$")


@dataclass(frozen=True, slots=True, repr=False)
class Covered:
    """A value inside a secret: compared by its value, printed as a mask.

    If one item of a list is secret and the provider does not accept secrets, the engine marks the whole list as one
    secret, so part of a covered value may be public. The other environment's committed shape determines which part is
    secret.
    """

    inner: Value

    def __repr__(self) -> str:
        return SECRET


def uncovered(value: Value) -> Value:
    """The value itself: to compare, never to print."""
    return value.inner if isinstance(value, Covered) else value


def short_kind(resource: Resource) -> str:
    """The short type name, without a slash: ``lb.Listener``, ``tls.PrivateKey``."""
    kind = kind_of(resource.type)
    return f"{kind.partition(':')[0]}.{kind.rpartition(':')[2]}" if ":" in kind else kind


class Normalizer:
    """The replacements of one environment. With ``keep_names`` only identities that AWS or Pulumi made are replaced: two
    commits of one environment differ in the names that the environment chose."""

    def __init__(self, graph: Graph, stack: str, *, keep_names: bool = False) -> None:
        self._clients = _clients(graph)
        self._names_are_replaced = not keep_names
        self._stack: re.Pattern[str] | None = None
        self._literals: list[tuple[str, str]] = []
        self._program_literals: list[tuple[str, str]] = []
        self._networks: list[ipaddress.IPv4Network] = []
        self._identity_provider: _IdentityProvider | None = None
        if not keep_names:
            self._stack = re.compile(rf"(?<![A-Za-z0-9]){re.escape(stack)}(?![A-Za-z0-9])") if stack else None
            self._literals = _literals(graph)
            self._program_literals = _program_literals(graph, self._clients or ())
            self._networks = _networks(graph)
            self._identity_provider = _IdentityProvider(graph)
        self.paths = {resource.urn: self.path(resource, graph) for resource in graph}
        self._whole = self._identities(graph)
        inside = sorted((key for key in self._whole if len(key) >= _SHORTEST_INSIDE), key=lambda k: (-len(k), k))
        self._inside = inside
        self._beginnings = frozenset(literal[:_SHORTEST_INSIDE] for literal in inside)
        self._text = lru_cache(maxsize=None)(self._plain_text)

    def path(self, resource: Resource, graph: Graph) -> str:
        """The logical place: component types, type and name, without the parts that differ by environment."""
        components: list[str] = []
        parent = graph.by_urn.get(resource.parent)
        while parent is not None and parent.type != STACK_KIND:
            components.insert(0, parent.type.rpartition(":")[2])
            parent = graph.by_urn.get(parent.parent)
        return "/".join([*components, short_kind(resource), self._varying(resource.name)])

    def value(self, value: Value) -> Value:
        """The value with replacements; documents in JSON text are parsed."""
        if isinstance(value, str):
            return self._string(value)
        if value is None or isinstance(value, bool | int | Unknown):
            return value
        if isinstance(value, Secret):
            return self._secret(value.reveal())
        if isinstance(value, dict | Mapping):  # asked first whether it is a dictionary, which is faster
            entries = cast("Mapping[str, Value]", value)
            return {self._text(str(key)): self.value(item) for key, item in entries.items() if item is not None}
        if isinstance(value, list):
            return [self.value(item) for item in cast("list[Value]", value)]
        return int(value) if isinstance(value, float) and value.is_integer() else value

    def _string(self, text: str) -> Value:
        # A program may hold a client's id, and a list of domains the identity provider's: both are unknown without the login.
        if self._clients is None and ("\n" in text or _DOMAIN.fullmatch(text)):
            return Unknown(blinded=True)
        parsed = _document(text)
        return self._text(text) if parsed is None else self.value(parsed)

    def _secret(self, inner: Value) -> Value:
        """A mask for a secret text or number; what holds several values is looked into, and stays covered."""
        if isinstance(inner, Mapping | list):
            return Covered(self.value(inner))
        return Covered(inner) if isinstance(inner, Unknown) else SECRET

    def _plain_text(self, text: str) -> str:
        if text in self._whole:
            return self._whole[text]
        if self._names_are_replaced and (elsewhere := _ELSEWHERE.fullmatch(text)) is not None:
            return f"{{{elsewhere[1]}}}"
        if self._may_contain(text):
            for literal in self._inside:
                if literal in text:
                    text = text.replace(literal, self._whole[literal])
        if self._names_are_replaced and ":" in text:  # most texts have neither an ARN nor an address
            for pattern, name in _ELSEWHERE_IN_ARNS:
                text = pattern.sub(name, text)
        return self._varying(text)

    def _may_contain(self, text: str) -> bool:
        """Whether any of ``_inside`` may be in the text: there are hundreds, and most texts contain none."""
        last = len(text) - _SHORTEST_INSIDE
        parts = [text[at : at + _SHORTEST_INSIDE] for at in range(last + 1)]
        return last > 0 and not self._beginnings.isdisjoint(parts)

    def _varying(self, text: str) -> str:
        for literal, name in self._literals:
            text = text.replace(literal, name)
        if self._identity_provider is not None:
            text = self._identity_provider.replaced(text)
        if "\n" in text:  # a program: elsewhere an id could be any word
            text = without_people(text) if self._names_are_replaced else text
            for literal, name in self._program_literals:
                text = text.replace(literal, name)
        if "." in text:
            text = _NETWORK.sub(self._offset, text)
        if self._names_are_replaced:
            text = _CLUSTER_LOG.sub("/aws/rds/cluster/{cluster}/", text)
        if self._stack is None:
            return text
        kept = _OF_AWS.sub("\0", text)
        return self._stack.sub("{stack}", kept).replace("\0", "prod-")

    def _offset(self, match: re.Match[str]) -> str:
        try:
            block = ipaddress.IPv4Network(match[0], strict=False)
        except ValueError:
            return match[0]
        for network in self._networks:
            if block.subnet_of(network):
                offset = ipaddress.IPv4Address(int(block.network_address) - int(network.network_address))
                return (
                    f"{{network}}+{offset}/{block.prefixlen}" if block != network else f"{{network}}/{block.prefixlen}"
                )
        return match[0]

    def _identities(self, graph: Graph) -> dict[str, str]:
        found: dict[str, str] = {}
        for resource in graph:
            for key, literal in _identities_of(resource):
                if not self._names_are_replaced and resource.declares(key):
                    continue  # the program chose it, such as the address of a subscription
                found.setdefault(literal, "{" + f"{self.paths[resource.urn]}.{key}" + "}")
        return found


def _is_argument(resource: Resource, key: str) -> bool:
    """Whether another resource made the value, which then has that resource's name."""
    return (short_kind(resource), key) in _ARGUMENTS


def _identities_of(resource: Resource) -> Iterator[tuple[str, str]]:
    """Values that AWS or Pulumi made, not the program."""
    chosen = {value for key, value in resource.properties.items() if isinstance(value, str) and key not in _IDENTITIES}
    for key in _NAMES:
        name = resource.value(key)
        if isinstance(name, str) and not _MADE_NAME.search(name):
            chosen.add(name)
    if resource.kind.startswith("ec2.Default"):
        return  # what the VPC made: named by the VPC's own properties
    for key in (one for one in _IDENTITIES if one in resource.properties):
        literal = resource.value(key)
        if isinstance(literal, str) and literal and literal not in chosen and not _is_argument(resource, key):
            yield key, literal
    if resource.kind == "lb.LoadBalancer" and isinstance(zone := resource.value("zoneId"), str):
        yield "zoneId", zone
    for key in _NESTED:
        items = resource.items(key)
        for item in [] if isinstance(items, Unknown) else items:
            if isinstance(item, Mapping):
                for inner, literal in cast("Mapping[str, Value]", item).items():
                    if inner not in ("domainName", "resourceRecordType") and isinstance(literal, str) and literal:
                        yield inner, literal


def _networks(graph: Graph) -> list[ipaddress.IPv4Network]:
    return [
        ipaddress.IPv4Network(block)
        for vpc in graph.of_type("ec2.Vpc")
        if isinstance(block := vpc.value("cidrBlock"), str)
    ]


def _literals(graph: Graph) -> list[tuple[str, str]]:
    """Texts that are the environment's, wherever they occur: hosts, the runbook, accounts, regions."""
    regions = sorted({str(r) for item in graph for r in [item.value("region")] if isinstance(r, str) and r})
    return [
        *_hosts(graph),
        *((url, "{runbook}") for url in _runbooks(graph)),
        *((account, "{account}") for account in _accounts(graph)),
        *((region, "{region}") for region in regions),
    ]


def _program_literals(graph: Graph, clients: Iterable[str]) -> list[tuple[str, str]]:
    """Texts that are the environment's inside a program or a page: elsewhere they could be any word."""
    return [
        *((json.dumps(client), '"{client}"') for client in clients),
        *((address, "{contact}") for address in _contacts(graph)),
    ]


class _IdentityProvider:
    """The identity provider's URLs and hosts. Its other URLs, such as the logout page, are on the same hosts."""

    def __init__(self, graph: Graph) -> None:
        self._urls: dict[str, str] = {}
        for oidc in _logins(graph):
            for key, label in _PROVIDER_URLS.items():
                if isinstance(url := oidc.get(key), str) and url:
                    self._urls.setdefault(url, label)
        hosts = sorted(
            {host for url in self._urls if (host := urlsplit(url).hostname)}, key=lambda host: (-len(host), host)
        )
        names = "|".join(map(re.escape, hosts))
        self._place = re.compile(
            rf"https://(?:{names})(?![A-Za-z0-9.-])[^\s\"']*|(?<![A-Za-z0-9.-])(?:{names})(?![A-Za-z0-9-])"
        )
        self._is_known = bool(hosts)

    def replaced(self, text: str) -> str:
        """The text with names instead."""
        return self._place.sub(self._name, text) if self._is_known else text

    def _name(self, match: re.Match[str]) -> str:
        if match[0].startswith("https://"):
            return self._urls.get(match[0], "{identity provider's page}")
        return "{identity provider}"


def _runbooks(graph: Graph) -> list[str]:
    """The URL before the anchor in the alarms' descriptions."""
    found = {
        match[1]
        for alarm in graph.of_type("cloudwatch.MetricAlarm")
        if isinstance(text := alarm.value("alarmDescription"), str) and (match := _RUNBOOK.search(text))
    }
    return sorted(found, key=lambda url: (-len(url), url))


def _contacts(graph: Graph) -> list[str]:
    """The e-mail addresses that receive the alarms; the proxy's pages name them too."""
    endpoints = (item.value("endpoint") for item in graph.of_type("sns.TopicSubscription"))
    return sorted({endpoint for endpoint in endpoints if isinstance(endpoint, str) and "@" in endpoint})


def _hosts(graph: Graph) -> list[tuple[str, str]]:
    names: list[str] = []
    for certificate in graph.of_type("acm.Certificate"):
        alternatives = certificate.items("subjectAlternativeNames")
        for name in [certificate.value("domainName"), *([] if isinstance(alternatives, Unknown) else alternatives)]:
            if isinstance(name, str) and name not in names:
                names.append(name)
    labels = ["{host}", *(f"{{host {number}}}" for number in range(2, len(names) + 1))]
    return sorted(zip(names, labels, strict=False), key=lambda pair: -len(pair[0]))


def _clients(graph: Graph) -> list[str] | None:
    """Ids of the OIDC clients at the load balancer; every component that checks its tokens is configured with the same
    ids.

    ``None`` when they are under a secret that cannot be decrypted.
    """
    for rule in graph.of_type("lb.ListenerRule"):
        actions = rule.items("actions")
        if isinstance(actions, Unknown) and actions.blinded:
            return None
    return sorted({client for oidc in _logins(graph) if isinstance(client := oidc.get("clientId"), str)})


def _logins(graph: Graph) -> Iterator[Mapping[str, Value]]:
    """The login actions of the listener rules."""
    for rule in graph.of_type("lb.ListenerRule"):
        actions = rule.items("actions")
        for action in [] if isinstance(actions, Unknown) else actions:
            oidc = cast("Mapping[str, Value]", action).get("authenticateOidc") if isinstance(action, Mapping) else None
            if isinstance(oidc, Mapping):
                yield cast("Mapping[str, Value]", oidc)


def _accounts(graph: Graph) -> list[str]:
    owners: Iterable[Value] = (resource.value("ownerId") for resource in graph.of_type("ec2.Vpc"))
    arns: Iterable[Value] = (resource.value("arn") for resource in graph)
    found = {owner for owner in owners if isinstance(owner, str) and owner.isdigit()}
    found |= {match[1] for arn in arns if isinstance(arn, str) and (match := _ACCOUNT.match(arn))}
    for provider in graph.of_type("pulumi:providers:aws"):
        found |= set(re.findall(r"\b\d{12}\b", json.dumps(provider.value("allowedAccountIds"), default=str)))
    return sorted(found)


def _document(text: str) -> Value:
    if text[:1] not in ("{", "["):
        return None
    # Only a proxy's configuration is known to be YAML: "{host}" and "[secret]" would be YAML as well.
    if "static_resources" in text:
        parsed = document(text)
    else:
        try:
            parsed = json.loads(text)
        except ValueError:
            return None
    return cast("Value", parsed) if isinstance(parsed, dict | list) else None
