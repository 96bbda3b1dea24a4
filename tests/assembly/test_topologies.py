"""Every shape of a stack: how many of each resource there are, who may speak to whom, and who gets past the edge."""

from __future__ import annotations

import json

import pytest

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.graph.verdicts import Verdict
from policies.guardrails.topology.reachability.evaluation import reachability
from preflight.recording.recorder import Recording
from preflight.sdk.wire import Json, unwrap
from tests.assembly.topologies import CERTIFICATE, HOST, MACHINE_HOST, PRIVATE_IDS, PUBLIC_IDS, SHAPES, Shape, recorded
from tests.components.edge_fixtures import counts

EVERY_SHAPE = pytest.mark.parametrize("shape", SHAPES, ids=str)

ALWAYS = {
    "FlowLog": 1,
    "Listener": 2,
    "LoadBalancer": 1,
    "SecurityGroup": 7,
    "SecurityGroupEgressRule": 8,
    "SecurityGroupIngressRule": 8,
    "TargetGroup": 1,
    "VpcEndpoint": 6,
    "WebAcl": 1,
    "WebAclAssociation": 1,
    "WebAclLoggingConfiguration": 1,
}
OWN_VPC = {
    "DefaultNetworkAcl": 1,
    "DefaultRouteTable": 1,
    "DefaultSecurityGroup": 1,
    "InternetGateway": 1,
    "NetworkAcl": 2,
    "NetworkAclRule": 15,
    "ResolverFirewallConfig": 1,
    "ResolverFirewallDomainList": 2,
    "ResolverFirewallRule": 2,
    "ResolverFirewallRuleGroup": 1,
    "ResolverFirewallRuleGroupAssociation": 1,
    "ResolverQueryLogConfig": 1,
    "ResolverQueryLogConfigAssociation": 1,
    "Route": 1,
    "RouteTable": 1,
    "Vpc": 1,
}
EACH_ZONE_OF_IT = {"NetworkAclRule": 8, "RouteTable": 1, "RouteTableAssociation": 2, "Subnet": 2}
EXISTING_VPC = {"FlowLog": -1, "RouteTable (read)": 1, "SecurityGroup (read)": 1, "Vpc (read)": 1}
EACH_ZONE_OF_AN_EXISTING_ONE = {"FlowLog": 2, "Subnet (read)": 1}
HOSTED_ZONE = {"Certificate": 1, "CertificateValidation": 1, "Record": 2}
MACHINES_IN_A_HOSTED_ZONE = {**HOSTED_ZONE, "ListenerCertificate": 1}
ROOM = {
    kind
    for part in (
        ALWAYS,
        OWN_VPC,
        EACH_ZONE_OF_IT,
        EXISTING_VPC,
        EACH_ZONE_OF_AN_EXISTING_ONE,
        MACHINES_IN_A_HOSTED_ZONE,
    )
    for kind in part
}


def expected(shape: Shape) -> dict[str, int]:
    parts = [
        ALWAYS,
        OWN_VPC if shape.own_vpc else EXISTING_VPC,
        *([EACH_ZONE_OF_IT if shape.own_vpc else EACH_ZONE_OF_AN_EXISTING_ONE] * shape.zones),
        *([HOSTED_ZONE] if shape.hosted_zone else []),
        *([MACHINES_IN_A_HOSTED_ZONE] if shape.machine_clients and shape.hosted_zone else []),
    ]
    total = {kind: sum(part.get(kind, 0) for part in parts) for kind in sorted(ROOM)}
    return {kind: number for kind, number in total.items() if number}


@EVERY_SHAPE
def test_a_shape_has_exactly_the_network_and_edge_that_it_needs(shape: Shape) -> None:
    made = counts(recorded(shape))

    assert {kind: number for kind, number in made.items() if kind in ROOM} == expected(shape)


Spoken = tuple[str, str, str, str, int | tuple[int, int]]


def spoken(recording: Recording) -> set[Spoken]:
    """Every rule of every security group: group, direction, peer, protocol, and port or ICMP's type and code."""
    names = {r.id: r.name for r in recording.of_type("aws:ec2/securityGroup:SecurityGroup") if not r.external}
    prefixes = {
        r.outputs["prefixListId"]: r.name
        for r in recording.of_type("aws:ec2/vpcEndpoint:VpcEndpoint")
        if r.inputs["vpcEndpointType"] == "Gateway"
    }
    found: set[Spoken] = set()
    for direction in ("Ingress", "Egress"):
        for rule in recording.of_type(f"aws:vpc/securityGroup{direction}Rule:SecurityGroup{direction}Rule"):
            given = rule.inputs
            protocol, first, last = given["ipProtocol"], given["fromPort"], given["toPort"]
            assert first == last or protocol == "icmp", rule.name
            peer = given.get("cidrIpv4") or prefixes.get(given.get("prefixListId"), "")
            peer = peer or names[given["referencedSecurityGroupId"]]
            group = names[given["securityGroupId"]]
            found.add((group, direction.lower(), peer, protocol, (first, last) if protocol == "icmp" else first))
    return found


@EVERY_SHAPE
def test_whoever_may_speak_to_whom_is_the_same_in_every_shape(shape: Shape) -> None:
    assert spoken(recorded(shape)) == {
        ("edge-group", "ingress", "0.0.0.0/0", "tcp", 80),
        ("edge-group", "ingress", "0.0.0.0/0", "tcp", 443),
        ("edge-group", "ingress", "0.0.0.0/0", "icmp", (3, 4)),
        ("edge-group", "egress", "0.0.0.0/0", "tcp", 443),
        ("edge-group", "egress", "workload-tasks", "tcp", 8443),
        ("workload-tasks", "ingress", "edge-group", "tcp", 8443),
        ("workload-tasks", "egress", "endpoints-group", "tcp", 443),
        ("workload-tasks", "egress", "endpoints-s3", "tcp", 443),
        ("workload-tasks", "egress", "state-database-group", "tcp", 5432),
        ("workload-tasks", "egress", "state-cache-group", "tcp", 6379),
        ("synthetic-group", "egress", "endpoints-group", "tcp", 443),
        ("synthetic-group", "egress", "endpoints-s3", "tcp", 443),
        ("endpoints-group", "ingress", "workload-tasks", "tcp", 443),
        ("endpoints-group", "ingress", "synthetic-group", "tcp", 443),
        ("state-database-group", "ingress", "workload-tasks", "tcp", 5432),
        ("state-cache-group", "ingress", "workload-tasks", "tcp", 6379),
    }


def placed(recording: Recording) -> dict[str, set[str]]:
    """Kind of resource → the subnets that it stands in."""
    found: dict[str, set[str]] = {}
    for resource in recording.resources:
        given = resource.inputs
        subnets = [
            *given.get("subnets", []),
            *given.get("subnetIds", []),
            *given.get("networkConfiguration", {}).get("subnets", []),
        ]
        if subnets:
            found.setdefault(resource.type.rpartition(":")[2], set()).update(subnets)
    return found


@EVERY_SHAPE
def test_the_load_balancer_alone_stands_in_the_public_subnets(shape: Shape) -> None:
    recording = recorded(shape)
    if shape.own_vpc:
        own = recording.of_type("aws:ec2/subnet:Subnet")
        public, private = ({r.id for r in own if f"-{kind}-" in r.name} for kind in ("public", "private"))
    else:
        public, private = set(PUBLIC_IDS[: shape.zones]), set(PRIVATE_IDS[: shape.zones])
    acls = {"NetworkAcl": public | private} if shape.own_vpc else {}

    assert len(public) == len(private) == shape.zones
    assert placed(recording) == {
        "LoadBalancer": public,
        "Service": private,
        "SubnetGroup": private,
        "VpcEndpoint": private,
        **acls,
    }


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape.own_vpc], ids=str)
def test_only_names_of_declared_destinations_resolve(shape: Shape) -> None:
    lists = recorded(shape).of_type("aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList")

    assert {r.name: r.inputs["domains"] for r in lists} == {
        "network-dns-everything": ["*."],
        "network-dns-allowed": [
            "*.cache.amazonaws.com.",
            "*.eu-west-1.rds.amazonaws.com.",
            "*.s3.eu-west-1.amazonaws.com.",
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com.",
            "api.ecr.eu-west-1.amazonaws.com.",
            "bedrock-runtime.eu-west-1.amazonaws.com.",
            *(["keys.example.com."] if shape.machine_clients else []),
            "login.example.com.",
            "logs.eu-west-1.amazonaws.com.",
            "s3.eu-west-1.amazonaws.com.",
            "secretsmanager.eu-west-1.amazonaws.com.",
        ],
    }


@EVERY_SHAPE
def test_each_endpoint_serves_one_role_of_each_of_this_stacks_tasks_alone(shape: Shape) -> None:
    recording = recorded(shape)
    roles = {r.outputs["arn"]: r.name for r in recording.of_type("aws:iam/role:Role")}
    served: dict[str, set[str]] = {}
    for endpoint in recording.of_type("aws:ec2/vpcEndpoint:VpcEndpoint"):
        callers = served.setdefault(endpoint.name.removeprefix("endpoints-"), set())
        for statement in json.loads(endpoint.inputs["policy"])["Statement"]:
            if statement["Effect"] == "Allow":
                bounds = statement.get("Condition", {}).get("StringEquals", {})
                callers.update(roles[arn] for arn in bounds.get("aws:PrincipalArn", []))
                if not bounds:
                    callers.add(f"anybody for {statement['Resource'][0]}")

    assert served == {
        "bedrock-runtime-eu-west-1": {"workload-task", "synthetic-task"},
        "ecr-api": {"workload-execution", "synthetic-execution"},
        "ecr-dkr": {"workload-execution", "synthetic-execution"},
        "logs": {"workload-execution", "synthetic-execution"},
        "secretsmanager": {"workload-execution"},
        "s3": {"workload-task", "anybody for arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*"},
    }


def lanes(recording: Recording) -> dict[str, tuple[set[str], set[tuple[str, ...]]]]:
    """Lane → the hosts that its rules name, and what they do in order."""
    found: dict[str, tuple[set[str], set[tuple[str, ...]]]] = {}
    for rule in recording.of_type("aws:lb/listenerRule:ListenerRule"):
        hosts, did = found.setdefault(rule.name.removeprefix("edge-").partition("-")[0], (set(), set()))
        hosts.update(*(c["hostHeader"]["values"] for c in rule.inputs["conditions"] if "hostHeader" in c))
        actions = sorted(unwrap(rule.inputs["actions"]), key=lambda action: action["order"])
        did.add(tuple(_deed(action) for action in actions))
    return found


def _deed(action: Json) -> str:
    login = action.get("authenticateOidc", {}).get("onUnauthenticatedRequest")
    return f"{action['type']} {login}" if login else action["type"]


@EVERY_SHAPE
def test_each_lane_asks_for_what_it_should_on_its_own_hosts(shape: Shape) -> None:
    people = {HOST}
    machines = {"machine": ({MACHINE_HOST}, {("jwt-validation", "forward")})} if shape.machine_clients else {}

    found = lanes(recorded(shape))
    expected_lanes = {
        "blocked": (people, {("fixed-response",)}),
        "api": (people, {("authenticate-oidc deny", "forward")}),
        "page": (people, {("authenticate-oidc authenticate", "forward")}),
        "redirect": (set(shape.hosts), {("redirect",)}),
        **machines,
    }
    assert {lane: found.get(lane) for lane in expected_lanes} == expected_lanes
    others = found.keys() - expected_lanes.keys()
    assert "machine" not in others
    assert not any("forward" in actions for lane in others for actions in found[lane][1])


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape.machine_clients], ids=str)
def test_machine_clients_reach_the_models_with_the_audience_and_claims_that_their_tokens_hold(shape: Shape) -> None:
    (rule,) = [r for r in recorded(shape).of_type("aws:lb/listenerRule:ListenerRule") if r.name == "edge-machine-1"]
    (validation, _) = unwrap(rule.inputs["actions"])

    assert [c["pathPattern"]["values"] for c in rule.inputs["conditions"] if "pathPattern" in c] == [["/general/v1/*"]]
    assert validation["jwtValidation"] == {
        "issuer": "https://login.example.com",
        "jwksEndpoint": "https://keys.example.com/jwks",
        "additionalClaims": [
            {"name": "aud", "format": "string-array", "values": ["models"]},
            {"name": "scope", "format": "space-separated-values", "values": ["models.call"]},
        ],
    }


@EVERY_SHAPE
def test_every_name_is_served_with_a_certificate_that_is_valid_there(shape: Shape) -> None:
    recording = recorded(shape)
    (https,) = [r for r in recording.of_type("aws:lb/listener:Listener") if r.inputs["port"] == 443]
    further = recording.of_type("aws:lb/listenerCertificate:ListenerCertificate")
    validated = {
        r.outputs["certificateArn"]: r.name.removeprefix("edge-")
        for r in recording.of_type("aws:acm/certificateValidation:CertificateValidation")
    }
    used = [https.inputs["certificateArn"], *(r.inputs["certificateArn"] for r in further)]
    records = {r.name.removeprefix("edge-") for r in recording.of_type("aws:route53/record:Record")}

    if shape.hosted_zone:
        assert [validated[arn] for arn in used] == list(shape.hosts)
        assert records == {*shape.hosts, *(f"{host}-validation" for host in shape.hosts)}
    else:
        assert (used, records) == ([CERTIFICATE], set())


@EVERY_SHAPE
def test_only_the_edge_leads_in_and_what_cannot_be_seen_of_an_existing_vpc_is_not_proven(shape: Shape) -> None:
    evaluated = reachability(Graph.from_recorded(recorded(shape).resources))
    open_ = {(finding.verdict, finding.property) for finding in evaluated.exposures}

    assert {path.edges[0].entry.kind for path in evaluated.paths} == {"lb.LoadBalancer"}
    assert (evaluated.unprotected, evaluated.unauthenticated, evaluated.bypasses) == ((), (), ())
    assert open_ == (
        set()
        if shape.own_vpc
        else {
            (Verdict.NOT_PROVEN, place)
            for place in (
                "networkConfiguration.subnets",
                "target.ecsParameters.networkConfiguration.subnets",
                "subnetIds",
                "dbSubnetGroupName",
                "subnetGroupName",
            )
        }
    )
