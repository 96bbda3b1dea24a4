"""The VPC's resolver answers what the graph says, DNS Firewall first, to a real client over UDP and TCP."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import cast

import dns.message
import dns.query
import dns.rcode
import pytest

from local.aws.access import ENDPOINT, Access
from local.aws.endpoints import service_of
from local.aws.logs import Logs
from local.dns import LINK_LOCAL, PORT, Resolver, resolver_address
from local.names import Firewall, Names
from local.refusals import Refusals
from local.stack import Stack
from local.wiring import Loopback, Node
from tests.local.aws.world import STACKS, bootstrap, stack

PROVIDER = ["203.0.113.7"]
SECONDS = 5.0


def nodes(of: Stack) -> dict[str, list[Node]]:
    """Two addresses for each resource that has a name."""
    types = (
        ENDPOINT,
        "aws:rds/cluster:Cluster",
        "aws:rds/clusterInstance:ClusterInstance",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        "aws:lb/loadBalancer:LoadBalancer",
    )
    found = [one for type_ in types for one in of.all(type_)]
    return {one.id: [Node("any", f"10.0.{n}.4"), Node("any", f"10.0.{n}.5")] for n, one in enumerate(found)}


def resolver(of: Stack) -> Resolver:
    issuer = {one["authenticateOidc"]["issuer"] for one in _oidc(of)}
    others = {str(one).removeprefix("https://"): PROVIDER for one in issuer}
    return Resolver(Access(of, bootstrap(of.name)), Names(of, nodes(of), others), Logs(), Refusals())


def _oidc(of: Stack) -> list[dict[str, dict[str, str]]]:
    rules = of.all("aws:lb/listenerRule:ListenerRule")
    return [action for rule in rules for action in rule["actions"] if action.get("authenticateOidc")]


@pytest.fixture(params=STACKS)
def served(request: pytest.FixtureRequest) -> Generator[tuple[Resolver, tuple[str, int]]]:
    """A resolver of each stack and where it is on loopback."""
    of = stack(request.param)
    made, wiring, address = resolver(of), Loopback(), resolver_address(of)
    with made.serve(wiring, [Node("resolver", address), Node("task-1", LINK_LOCAL)]):
        yield made, wiring.target("task-1", address, PORT)


def asked(place: tuple[str, int], name: str, kind: str = "A") -> tuple[str, list[str]]:
    """Code and answers over UDP, after TCP gave the same code."""
    host, port = place
    udp = dns.query.udp(dns.message.make_query(name, kind), host, SECONDS, port)
    tcp = dns.query.tcp(dns.message.make_query(name, kind), host, SECONDS, port)
    assert udp.rcode() == tcp.rcode()
    assert [one.rdtype for one in udp.answer] == [one.rdtype for one in tcp.answer]
    return dns.rcode.to_text(udp.rcode()), sorted(
        str(one) for rrset in udp.answer for one in cast("list[object]", rrset)
    )


def test_the_resolver_is_at_the_vpcs_base_plus_two() -> None:
    assert resolver_address(stack("prod")) == "10.30.0.2"


def test_every_name_that_a_task_uses_leads_to_its_resource(served: tuple[Resolver, tuple[str, int]]) -> None:
    made, place = served
    of = made.access.stack
    addresses = {key: [one.address for one in found] for key, found in nodes(of).items()}
    endpoints = {service_of(one): one.id for one in of.all(ENDPOINT)}
    (cluster,), (cache,) = (
        of.all("aws:rds/cluster:Cluster"),
        of.all("aws:elasticache/replicationGroup:ReplicationGroup"),
    )
    bucket = of.all("aws:s3/bucket:Bucket")[0]["bucket"]
    for name, wanted in {
        f"bedrock-runtime.{of.region}.amazonaws.com": addresses[endpoints["bedrock-runtime"]],
        f"{of.account}.dkr.ecr.{of.region}.amazonaws.com": addresses[endpoints["ecr.dkr"]],
        f"{bucket}.s3.{of.region}.amazonaws.com": addresses[endpoints["s3"]],
        f"SecretsManager.{of.region}.amazonaws.com.": addresses[endpoints["secretsmanager"]],
        cluster["endpoint"]: addresses[cluster.id],
        cluster["readerEndpoint"]: addresses[cluster.id],
        cache["primaryEndpointAddress"]: addresses[cache.id],
        "login.example.com": PROVIDER,
    }.items():
        assert asked(place, name) == ("NOERROR", wanted), name
        assert asked(place, name, "AAAA") == ("NOERROR", []), name
    assert made.refusals.entries == []


def test_what_is_not_on_the_list_is_blocked_whether_or_not_it_exists(served: tuple[Resolver, tuple[str, int]]) -> None:
    made, place = served
    of = made.access.stack
    (balancer,) = of.all("aws:lb/loadBalancer:LoadBalancer")
    for name in ("exfiltrate.example.net", "sts.amazonaws.com", balancer["dnsName"]):
        assert asked(place, name) == ("NXDOMAIN", [])
    causes = made.refusals.of("dns")
    assert len(causes) == 6
    assert all(
        "blocked by DNS Firewall rule network-dns-block (network-dns-everything, NXDOMAIN)" in one for one in causes
    )
    logged = [json.loads(one) for one in made.logs.of(f"/ai-interface/{of.name}/network/dns")]
    assert {(one["query_name"], one["rcode"], one["firewall_rule_action"]) for one in logged} >= {
        ("exfiltrate.example.net.", "NXDOMAIN", "BLOCK")
    }
    assert {one["transport"] for one in logged} == {"UDP", "TCP"}


def test_a_failover_moves_a_name_and_moves_it_back(served: tuple[Resolver, tuple[str, int]]) -> None:
    made, place = served
    (cluster,) = made.access.stack.all("aws:rds/cluster:Cluster")
    before = asked(place, cluster["endpoint"])
    made.names.point(cluster["endpoint"], "10.0.99.9")
    assert asked(place, cluster["endpoint"]) == ("NOERROR", ["10.0.99.9"])
    made.names.point(cluster["endpoint"])
    assert asked(place, cluster["endpoint"]) == before


def test_the_public_name_leads_to_the_load_balancer_outside_the_vpc() -> None:
    of = stack("prod")
    names = resolver(of).names
    (balancer,) = of.all("aws:lb/loadBalancer:LoadBalancer")
    found = names.find("chat.example.com", inside=False)
    assert found is not None
    assert (found.chain, list(found.addresses)) == (
        ("chat.example.com",),
        [one.address for one in nodes(of)[balancer.id]],
    )
    assert names.find(f"secretsmanager.{of.region}.amazonaws.com", inside=False) is None
    validation = next(one for one in of.all("aws:route53/record:Record") if one["type"] == "CNAME")
    assert names.find(str(validation["name"]), inside=False) is None


def test_hosts_has_every_name_that_the_firewall_lets_through() -> None:
    of = stack("prod")
    made = resolver(of)
    lines = [line.partition("\t")[2] for line in made.hosts().splitlines()]
    assert f"{of.account}.dkr.ecr.{of.region}.amazonaws.com" in lines
    assert all(made.firewall.blocking((name,)) is None for name in lines)
    assert all(made.resolve(name) for name in lines)
    assert not any(name.startswith("*") or name == "chat.example.com" for name in lines)


def broken(type_: str, name: str, **inputs: object) -> Resolver:
    of = stack("prod")
    return resolver(of.changed(next(one for one in of.all(type_) if one.name == name), **inputs))


def test_a_name_missing_from_the_list_is_refused_by_name() -> None:
    domains = "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList"
    made = broken(domains, "network-dns-allowed", domains=["*.cache.amazonaws.com."])
    with pytest.raises(LookupError, match=r"secretsmanager.*blocked by DNS Firewall rule network-dns-block"):
        made.resolve("secretsmanager.eu-west-1.amazonaws.com")


def test_an_endpoint_without_private_dns_or_a_vpc_without_names_has_none() -> None:
    for made in (
        broken(ENDPOINT, "endpoints-secretsmanager", privateDnsEnabled=False),
        broken("aws:ec2/vpc:Vpc", "network-vpc", enableDnsHostnames=False),
    ):
        with pytest.raises(LookupError, match="no endpoint, store or record of prod has this name"):
            made.resolve("secretsmanager.eu-west-1.amazonaws.com")


def test_rules_decide_by_priority_type_and_redirection() -> None:
    rule = "aws:route53/resolverFirewallRule:ResolverFirewallRule"
    assert broken(rule, "network-dns-block", priority=50).firewall.blocking(("login.example.com",)) is not None
    assert broken(rule, "network-dns-block", qType="TXT").firewall.blocking(("other.example",)) is None
    assert broken(rule, "network-dns-block", action="ALERT").firewall.blocking(("other.example",)) is None
    chain = ("login.example.com", "elsewhere.example.net")
    assert Firewall.of(stack("prod")).blocking(chain) is None
    inspected = broken(rule, "network-dns-allow", firewallDomainRedirectionAction="INSPECT_REDIRECTION_DOMAIN")
    assert inspected.firewall.blocking(chain) is not None


@pytest.mark.parametrize(("response", "expected"), [("NODATA", ("NOERROR", 0)), ("OVERRIDE", ("NOERROR", 1))])
def test_a_block_answers_as_its_rule_says(response: str, expected: tuple[str, int]) -> None:
    rule = "aws:route53/resolverFirewallRule:ResolverFirewallRule"
    override = {"blockOverrideDomain": "blocked.example.com", "blockOverrideTtl": 5, "blockOverrideDnsType": "CNAME"}
    made = broken(rule, "network-dns-block", blockResponse=response, **override)
    answer = made.answer(dns.message.make_query("other.example", "A"), "10.30.0.9", "UDP")
    assert (dns.rcode.to_text(answer.rcode()), len(answer.answer)) == expected


def test_a_query_log_that_may_not_be_delivered_names_the_cause() -> None:
    policy = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
    made = broken(policy, "network-dns", policyDocument=json.dumps({"Statement": []}))
    made.resolve("login.example.com")
    (cause,) = made.refusals.of("dns")
    assert "query log network-dns: logs:PutLogEvents" in cause
    assert made.logs.events == {}
