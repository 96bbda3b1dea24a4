"""The names that resolve inside the network of a stack, and their targets.

Derived from the graph alone: DNS Firewall's rules in the order of their priorities
(https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-dns-firewall-rule-groups.html), the own and the private
names of interface endpoints, S3's gateway, the addresses of the data stores, and the names of services in Cloud Map.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from policies.guardrails.topology.graph.resources import Graph, Resource
from preflight.conform.reaching.sdk import host

_ENDPOINT_NAMES = {
    "bedrock-mantle": ("bedrock-mantle.{region}.api.aws",),
    "ecr.dkr": ("*.dkr.ecr.{region}.amazonaws.com",),
}
"""Private names that no SDK uses (https://docs.aws.amazon.com/bedrock/latest/userguide/endpoints.html,
https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html)."""
_SDK_SERVICES = {"ecr.api": "ecr"}
"""Endpoint services that botocore names differently."""
_STORE_NAMES = {
    "rds.Cluster": ("endpoint", "readerEndpoint"),
    "elasticache.ReplicationGroup": ("primaryEndpointAddress", "readerEndpointAddress", "configurationEndpointAddress"),
}


def plain(name: str) -> str:
    """A name in lower case and without the trailing dot."""
    return name.lower().rstrip(".")


def matches(pattern: str, name: str) -> bool:
    """Whether a domain of a DNS Firewall list matches a name: ``*`` matches all, ``*.a`` everything below ``a``."""
    pattern, name = plain(pattern), plain(name)
    if pattern == "*":
        return True
    return name.endswith(pattern[1:]) if pattern.startswith("*.") else name == pattern


@dataclass(frozen=True, slots=True)
class DnsFirewallRule:
    """One rule of a DNS Firewall group."""

    resource: Resource
    action: str
    response: str
    domains: tuple[str, ...]


def rules(graph: Graph) -> list[DnsFirewallRule]:
    """The DNS Firewall rules of the stack's VPC, in the order of evaluation."""
    found: list[tuple[float, float, str, DnsFirewallRule]] = []
    for association in graph.of_type("route53.ResolverFirewallRuleGroupAssociation"):
        groups = graph.referenced(association, "firewallRuleGroupId", ("route53.ResolverFirewallRuleGroup",)).resources
        for rule in graph.of_type("route53.ResolverFirewallRule"):
            if not set(groups) & set(
                graph.referenced(rule, "firewallRuleGroupId", ("route53.ResolverFirewallRuleGroup",))
            ):
                continue
            lists = graph.referenced(rule, "firewallDomainListId", ("route53.ResolverFirewallDomainList",))
            domains = tuple(str(domain) for one in lists for domain in cast("list[Any]", one.items("domains")))
            made = DnsFirewallRule(rule, str(rule.value("action")), str(rule.value("blockResponse") or ""), domains)
            found.append((_number(association, "priority"), _number(rule, "priority"), rule.urn, made))
    return [rule for *_, rule in sorted(found, key=lambda one: one[:3])]


def deciding(asked: list[DnsFirewallRule], name: str) -> DnsFirewallRule | None:
    """The first rule that matches a name. Returns ``None`` if the resolver responds as if there were no DNS
    Firewall."""
    return next((rule for rule in asked if any(matches(domain, name) for domain in rule.domains)), None)


def leads_to(graph: Graph, name: str) -> Resource | None:
    """The endpoint, gateway or data store behind a name. Returns ``None`` if there is none in this network."""
    for resource, patterns in _answering(graph):
        if any(matches(pattern, name) for pattern in patterns):
            return resource
    return None


def _answering(graph: Graph) -> Iterator[tuple[Resource, tuple[str, ...]]]:
    for kind, paths in _STORE_NAMES.items():
        for store in graph.of_type(kind):
            yield store, tuple(str(store.value(path)) for path in paths if store.value(path))
    yield from _registered(graph)
    for endpoint in graph.of_type("ec2.VpcEndpoint"):
        _, _, region, service = str(endpoint.value("serviceName")).split(".", 3)
        if endpoint.value("vpcEndpointType") == "Interface":
            yield endpoint, tuple(str(one["dnsName"]) for one in cast("list[Any]", endpoint.items("dnsEntries")))
            if endpoint.value("privateDnsEnabled") is True:
                yield endpoint, private_names(service, region)
        elif service == "s3":
            # A gateway adds no name: S3's public names resolve to the addresses of its regional prefix list
            # (https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-s3.html).
            yield endpoint, (f"s3.{region}.amazonaws.com", f"*.s3.{region}.amazonaws.com")


def _registered(graph: Graph) -> Iterator[tuple[Resource, tuple[str, ...]]]:
    """Services whose tasks ECS registers in Cloud Map, by the names of their registries
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-discovery.html)."""
    for service in graph.of_type("ecs.Service"):
        for registry in graph.referenced(
            service, "serviceRegistries", ("servicediscovery.Service",), ("arn", "id")
        ).resources:
            namespaces = graph.referenced(
                registry, "dnsConfig.namespaceId", ("servicediscovery.PrivateDnsNamespace",)
            ).resources
            yield service, tuple(f"{registry.value('name')}.{one.value('name')}" for one in namespaces)


@cache
def private_names(service: str, region: str) -> tuple[str, ...]:
    """The private names of an interface endpoint: the service's regular names in its region."""
    if service in _ENDPOINT_NAMES:
        return tuple(pattern.format(region=region) for pattern in _ENDPOINT_NAMES[service])
    return (host(_SDK_SERVICES.get(service, service), region),)


def _number(resource: Resource, path: str) -> float:
    value = resource.value(path)
    return float(value) if isinstance(value, int | float) else 0.0
