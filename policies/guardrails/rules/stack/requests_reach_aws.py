"""The provider's requests, and those of the workloads, reach AWS's own endpoints, and certificates are verified.

An endpoint of the provider receives every credential and secret that it sends. A private zone over a domain of AWS sends the
calls of all workloads of its VPCs to the targets of its records.

A record that is an alias of a VPC endpoint of this stack is compliant. The policy cannot see records of other stacks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from ...checks import expect_value
from ...joins import referring
from ...rule import Rule, Settings, Severity, stack_rule
from ...topology.graph.resources import Graph, Resource, Unknown
from ...topology.graph.values import Value, as_list, as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated

_PROVIDERS = ("pulumi:providers:aws", "pulumi:providers:aws-native")
_OF_AWS = re.compile(r"(.*\.)?(amazonaws\.com(\.cn)?|api\.aws|aws\.dev|on\.aws)")
_WANTED = "AWS's own endpoints"


def evaluate(graph: Graph, settings: Settings) -> Iterator[Finding]:
    """Evaluate each AWS provider, and each private zone or forwarding rule over a domain of AWS."""
    for provider in graph.of_type(*_PROVIDERS):
        yield from _provider(provider)
    for zone in graph.of_type("route53.Zone"):
        yield from _zone(graph, zone)
    for rule in graph.of_type("route53.ResolverRule"):
        name = rule.value("domainName")
        if (
            isinstance(name, str)
            and rule.value("ruleType") == "FORWARD"
            and _OF_AWS.fullmatch(name.rstrip(".").lower())
        ):
            fix = "forward only domains that are not AWS's"
            yield violated(rule, "domainName", name, _WANTED, fix, what="lets other servers answer for a domain of AWS")


def _provider(provider: Resource) -> Iterator[Finding]:
    fix = "remove insecure, and trust a private certificate by customCaBundle"
    if provider.value("insecure") not in (None, "false"):
        yield from expect_value(provider, "insecure", False, fix, what="does not verify certificates")
    found = provider.value("endpoints")
    if isinstance(found, Unknown):
        yield not_proven(provider, "endpoints", [found], _WANTED, "set endpoints to literal values, or remove them")
        return
    for url in sorted(set(_texts(_parsed(found)))):
        host = urlsplit(url if "//" in url else f"//{url}").hostname or ""
        if not _OF_AWS.fullmatch(host):
            fix = "remove the endpoint: it receives the credentials and the secrets of every request"
            yield violated(provider, "endpoints", url, _WANTED, fix, what="sends requests to another host")


def _parsed(value: Value) -> Value:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _texts(value: Value) -> Iterator[str]:
    """Every text in the value: the endpoints of all services."""
    if isinstance(value, str) and value:
        yield value
    for item in [*(as_list(value) or []), *(as_mapping(value) or {}).values()]:
        yield from _texts(item)


def _zone(graph: Graph, zone: Resource) -> Iterator[Finding]:
    name, vpcs = zone.value("name"), zone.value("vpcs")
    private = vpcs not in (None, []) or referring(
        graph, zone, "zoneId", "route53.ZoneAssociation", keys=("zoneId", "id")
    )
    if not isinstance(name, str) or not private or not _OF_AWS.fullmatch(name.rstrip(".").lower()):
        return
    fix = "remove the zone, or let its records be aliases of VPC endpoints of this stack"
    wanted = "records that are aliases of VPC endpoints"
    records = referring(graph, zone, "zoneId", "route53.Record", keys=("zoneId", "id"))
    for record in records:
        if not _is_of_an_endpoint(graph, record):
            found = record.get("records") or record.get("aliases")
            yield violated(record, "records", found, wanted, fix, what=f"answers for {name.rstrip('.')}")
    if not records:
        unknowns = [f"the records of {zone.label}"]
        yield not_proven(zone, "name", unknowns, wanted, fix, found=name, what="is a private zone over a domain of AWS")


def _is_of_an_endpoint(graph: Graph, record: Resource) -> bool:
    if record.value("type") in ("NS", "SOA"):
        return True
    keys = ("id", "arn")
    named = [path for path in ("aliases", "records") if record.value(path) not in (None, [])]
    endpoints = [graph.referenced(record, path, ("ec2.VpcEndpoint",), keys).resources for path in named]
    hosts = [text for path in named for text in _texts(record.value(path))]
    return any(endpoints) or any(".vpce.amazonaws.com" in host for host in hosts)


RULE: Rule = stack_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation="remove endpoints and insecure from the provider, and private zones over domains of AWS",
    types=(*_PROVIDERS, "route53.ResolverRule", "route53.Zone"),
)
