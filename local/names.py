"""The DNS names of a stack: the addresses that they resolve to, and DNS Firewall's decision on each name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from local.aws.access import ENDPOINT
from local.aws.endpoints import names_of
from local.discovery import Discovery
from local.stack import Resource, Stack, items
from local.wiring import Node
from preflight.conform.iam.conditions import listed
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
    """The resolution of a name."""

    chain: tuple[str, ...]
    """The canonical names in the order of resolution, starting with the queried name."""
    addresses: tuple[str, ...]
    ttl: int
    texts: tuple[str, ...] = ()
    """Records other than addresses, such as ``TXT``, each in its type's format."""
    kind: str = "A"


@dataclass
class Names:
    """Every name of a stack. ``point`` changes a name while the twin runs, as a failover does."""

    stack: Stack
    nodes: Nodes
    others: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """Names outside the stack, such as the identity provider's, and their addresses."""
    discovery: Discovery = field(init=False)
    """The names of the tasks that the interface's tasks call."""
    _moved: dict[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])

    def __post_init__(self) -> None:
        self.discovery = Discovery(self.stack, self.stack.one(VPC).id)

    def point(self, name: str, *addresses: str) -> None:
        """Make a name resolve to these addresses from now on; without any, restore its own."""
        if addresses:
            self._moved[plain(name)] = addresses
        else:
            self._moved.pop(plain(name), None)

    def find(self, name: str, *, inside: bool = True) -> Found | None:
        """Resolve a name. ``inside``: from the VPC, in which the endpoints' private names exist."""
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
        """Return every name with an address, sorted within its kind; ``*.`` stands for all names below one."""
        if inside:
            for endpoint in self.stack.all(ENDPOINT):
                yield from sorted(names_of(endpoint))
            yield from self.discovery.names()
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
        if inside and (found := self.discovery.find(name)):
            return found
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
    """``NXDOMAIN``, ``NODATA`` or ``OVERRIDE``; set only for BLOCK."""
    domains: tuple[str, ...]
    trusts_redirections: bool
    query_type: str
    """The query type; empty for all types."""

    @property
    def override(self) -> tuple[str, int]:
        """The canonical name in an ``OVERRIDE`` response, and its TTL in seconds."""
        return plain(str(self.resource["blockOverrideDomain"])), int(self.resource["blockOverrideTtl"])


@dataclass(frozen=True)
class Firewall:
    """The rules that apply to a VPC's queries, in order."""

    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, stack: Stack) -> Firewall:
        """Read the rule groups that are associated with the stack's VPC and their rules, both by priority."""
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
        """Return the rule that decides a name: the first one that matches it. ``ALERT`` allows the name."""
        for rule in self.rules:
            if rule.query_type in {"", query_type} and any(matches(one, name) for one in rule.domains):
                return rule
        return None

    def blocking(self, chain: Sequence[str], query_type: str = "A") -> Rule | None:
        """Return the rule that blocks a name or, unless a rule trusts redirections, a name in its CNAME chain."""
        for name in chain:
            rule = self.deciding(name, query_type)
            if rule is not None and rule.action == "BLOCK":
                return rule
            if rule is not None and rule.trusts_redirections:
                return None
        return None
