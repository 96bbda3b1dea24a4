"""The DNS names of a stack: what leads where, and what DNS Firewall says of a name before that.

- names of VPC endpoints: https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html
- DNS Firewall: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-dns-firewall-overview.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from local.aws.access import ENDPOINT
from local.aws.conditions import listed
from local.aws.endpoints import names_of
from local.stack import Resource, Stack, items
from local.wiring import Node
from preflight.conform.reaching.names import matches, plain

VPC = "aws:ec2/vpc:Vpc"
RECORD, ZONE = "aws:route53/record:Record", "aws:route53/zone:Zone"
ASSOCIATION = "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation"
RULE = "aws:route53/resolverFirewallRule:ResolverFirewallRule"
DOMAINS = "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList"
_STORES = {
    "aws:elasticache/replicationGroup:ReplicationGroup": (
        "primaryEndpointAddress", "readerEndpointAddress", "configurationEndpointAddress",
    ),
    "aws:rds/cluster:Cluster": ("endpoint", "readerEndpoint"),
    "aws:rds/clusterInstance:ClusterInstance": ("endpoint",),
    "aws:lb/loadBalancer:LoadBalancer": ("dnsName",),
}  # fmt: skip
"""Type → the computed properties that are its names."""
_TTL = {"aws:rds/cluster:Cluster": 5, "aws:rds/clusterInstance:ClusterInstance": 5}
DEFAULT_TTL = 60
_MAXIMUM_REDIRECTIONS = 8
Nodes = Mapping[str, Sequence[Node]]
"""A resource's id → its network interfaces, in the order in which they are named."""


@dataclass(frozen=True)
class Found:
    """What a name leads to."""

    chain: tuple[str, ...]
    """The canonical names that a query passes, first the name that was asked for."""
    addresses: tuple[str, ...]
    ttl: int
    texts: tuple[str, ...] = ()
    """Data of records that are no address: ``TXT`` and the like, by their type's own form."""
    kind: str = "A"


@dataclass
class Names:
    """Every name of a stack. ``point`` changes one while the twin runs, as a failover does."""

    stack: Stack
    nodes: Nodes
    others: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """Names outside the stack, such as the identity provider's, and their addresses."""
    _moved: dict[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])

    def point(self, name: str, *addresses: str) -> None:
        """From now on a name leads to these addresses; to its own again without any."""
        if addresses:
            self._moved[plain(name)] = addresses
        else:
            self._moved.pop(plain(name), None)

    def find(self, name: str, *, inside: bool = True) -> Found | None:
        """What a name leads to. ``inside``: asked in the VPC, where the endpoints' private names are known."""
        chain = [plain(name)]
        while len(chain) <= _MAXIMUM_REDIRECTIONS:
            here = chain[-1]
            if here in self._moved:
                return Found(tuple(chain), self._moved[here], DEFAULT_TTL)
            if (placed := self._placed(here, inside=inside)) is not None:
                return Found(tuple(chain), *placed)
            record = next(self._records(here, inside=inside), None)
            if record is None:
                return None
            alias = next(items(record.get("aliases")), None)
            if record["type"] == "CNAME":
                chain.append(plain(str(record["records"][0])))
            elif alias is not None:
                # Route 53 answers an alias with the target's addresses: no canonical name is shown.
                chain = [*chain[:-1], plain(str(alias["name"]))]
                target = self.find(chain[-1], inside=inside)
                return target and Found((*chain[:-1], here), target.addresses, target.ttl)
            else:
                return self._own(record, tuple(chain))
        return None

    def all(self, *, inside: bool = True) -> Iterator[str]:
        """Every name with an address, ``*.`` for all below one, sorted within its kind."""
        if inside:
            for endpoint in self.stack.all(ENDPOINT):
                yield from sorted(names_of(endpoint))
        for type_, keys in _STORES.items():
            for one in self.stack.all(type_):
                yield from sorted(str(one[key]) for key in keys if one.get(key) and one.id in self.nodes)
        yield from sorted(str(one["name"]) for one in self.stack.all(RECORD) if one["type"] == "A")
        yield from sorted(self.others)

    def _own(self, record: Resource, chain: tuple[str, ...]) -> Found:
        values = tuple(listed(record.get("records") or []))
        ttl = int(record.get("ttl") or DEFAULT_TTL)
        if record["type"] == "A":
            return Found(chain, values, ttl)
        return Found(chain, (), ttl, values, str(record["type"]))

    def _placed(self, name: str, *, inside: bool) -> tuple[tuple[str, ...], int] | None:
        """Addresses and TTL of a name that belongs to a resource with network interfaces, or to nothing of the stack."""
        for one, addresses in self.others.items():
            if matches(one, name):
                return tuple(addresses), DEFAULT_TTL
        if inside and self._private_names_work():
            for endpoint in self.stack.all(ENDPOINT):
                if any(matches(pattern, name) for pattern in names_of(endpoint)):
                    return self._of(endpoint), DEFAULT_TTL
        for type_, keys in _STORES.items():
            for store in self.stack.all(type_):
                if any(store.get(key) and plain(str(store[key])) == name for key in keys):
                    return self._of(store), _TTL.get(type_, DEFAULT_TTL)
        return None

    def _private_names_work(self) -> bool:
        """Private DNS of an endpoint needs both attributes of the VPC
        (https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html)."""
        vpc = self.stack.one(VPC)
        return vpc.get("enableDnsSupport", True) is True and vpc.get("enableDnsHostnames", False) is True

    def _of(self, resource: Resource) -> tuple[str, ...]:
        return tuple(node.address for node in self.nodes.get(resource.id, ()))

    def _records(self, name: str, *, inside: bool) -> Iterator[Resource]:
        private = {one.id for one in self.stack.all(ZONE) if one.get("vpcs")}
        for one in self.stack.all(RECORD):
            if plain(str(one["name"])) == name and (inside or one["zoneId"] not in private):
                yield one


@dataclass(frozen=True)
class Rule:
    """One rule of DNS Firewall."""

    resource: Resource
    group: str
    list: str
    """The id of its domain list."""
    action: str
    response: str
    """``NXDOMAIN``, ``NODATA`` or ``OVERRIDE``; of BLOCK alone."""
    domains: tuple[str, ...]
    trusts_redirections: bool
    query_type: str
    """Empty for all."""

    @property
    def override(self) -> tuple[str, int]:
        """The canonical name that an ``OVERRIDE`` answers, and its TTL in seconds."""
        return plain(str(self.resource["blockOverrideDomain"])), int(self.resource["blockOverrideTtl"])


@dataclass(frozen=True)
class Firewall:
    """The rules that a VPC's queries pass, in their order."""

    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, stack: Stack) -> Firewall:
        """The rule groups that are associated with the stack's VPC, by priority, and their rules, by priority."""
        vpc = stack.one(VPC).id
        found: list[tuple[int, int, str, Rule]] = []
        for association in stack.where(ASSOCIATION, vpcId=vpc):
            group = str(association["firewallRuleGroupId"])
            for one in stack.where(RULE, firewallRuleGroupId=group):
                (domains,) = [made for made in stack.all(DOMAINS) if made.id == one["firewallDomainListId"]]
                rule = Rule(
                    one,
                    group,
                    domains.id,
                    str(one["action"]),
                    str(one.get("blockResponse") or ""),
                    tuple(listed(domains.get("domains") or [])),
                    one.get("firewallDomainRedirectionAction") == "TRUST_REDIRECTION_DOMAIN",
                    str(one.get("qType") or ""),
                )
                found.append((int(association["priority"]), int(one["priority"]), one.name, rule))
        return cls(tuple(rule for *_, rule in sorted(found, key=lambda one: one[:3])))

    def deciding(self, name: str, query_type: str = "A") -> Rule | None:
        """The rule that decides a name: the first that covers it. ``ALERT`` lets it through."""
        for rule in self.rules:
            if rule.query_type in {"", query_type} and any(matches(one, name) for one in rule.domains):
                return rule
        return None

    def blocking(self, chain: Sequence[str], query_type: str = "A") -> Rule | None:
        """The rule that blocks a name or, where no rule trusts them, one of the names that it is redirected to."""
        for name in chain:
            rule = self.deciding(name, query_type)
            if rule is not None and rule.action == "BLOCK":
                return rule
            if rule is not None and rule.trusts_redirections:
                return None
        return None
