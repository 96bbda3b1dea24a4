"""The edge: what is made with and without zone and machine clients, and every setting on which safety rests."""

import pytest
from pydantic import ValidationError

from components.edge import Edge
from preflight.recording.recorder import record
from preflight.sdk.wire import Json
from tests.components.edge_fixtures import (
    CERTIFICATE,
    MACHINE,
    OIDC,
    counts,
    edge_args,
    named,
    names,
    outputs_of,
    recorded_edge,
    untagged,
)

BALANCER = "aws:lb/loadBalancer:LoadBalancer"
VPC = "vpc-0123456789abcdef0"

CLAIMS = [{"name": "a", "values": ["x"]}, {"name": "b", "values": ["x"]}]

ALWAYS = {
    "Bucket": 1,
    "BucketLifecycleConfiguration": 1,
    "BucketOwnershipControls": 1,
    "BucketPolicy": 1,
    "BucketPublicAccessBlock": 1,
    "BucketServerSideEncryptionConfiguration": 1,
    "Listener": 2,
    "LoadBalancer": 1,
    "SecurityGroup": 1,
    "SecurityGroupEgressRule": 2,
    "SecurityGroupIngressRule": 4,
    "TargetGroup": 1,
}


@pytest.mark.parametrize(
    ("zone", "machine", "more"),
    [
        (True, False, {"Certificate": 1, "CertificateValidation": 1, "Record": 2}),
        (False, False, {}),
        (
            True,
            True,
            {"Certificate": 2, "CertificateValidation": 2, "Record": 4, "ListenerCertificate": 1},
        ),
        (False, True, {}),
    ],
)
def test_each_topology_makes_exactly_what_it_needs(zone: bool, machine: bool, more: dict[str, int]) -> None:
    recording = recorded_edge(zone=zone, machine=machine)

    made = counts(recording)
    assert made.pop("ListenerRule")
    assert made == dict(sorted({**ALWAYS, **more}.items()))
    assert untagged(recording) == []


def test_the_load_balancer_is_strict_about_requests_and_closed_about_failures() -> None:
    recording = recorded_edge()
    balancer = named(recording, "edge-balancer", BALANCER)
    bucket = named(recording, "edge-logs", "aws:s3/bucket:Bucket").outputs["bucket"]

    assert {key: value for key, value in balancer.inputs.items() if key != "tags"} == {
        "internal": False,
        "subnets": ["subnet-00000000000000001", "subnet-00000000000000002"],
        "loadBalancerType": "application",
        "ipAddressType": "ipv4",
        "securityGroups": [named(recording, "edge-group", "aws:ec2/securityGroup:SecurityGroup").id],
        "idleTimeout": 600,
        "clientKeepAlive": 3600,
        "desyncMitigationMode": "strictest",
        "dropInvalidHeaderFields": True,
        "preserveHostHeader": True,
        "xffHeaderProcessingMode": "append",
        "enableXffClientPort": False,
        "enableTlsVersionAndCipherSuiteHeaders": False,
        "enableCrossZoneLoadBalancing": True,
        "enableHttp2": True,
        "enableZonalShift": True,
        "enableWafFailOpen": False,
        "enableDeletionProtection": True,
        "accessLogs": {"bucket": bucket, "prefix": "access", "enabled": True},
        "connectionLogs": {"bucket": bucket, "prefix": "connection", "enabled": True},
        "healthCheckLogs": {"bucket": bucket, "prefix": "health-check", "enabled": True},
    }


def test_the_edge_admits_clients_on_80_and_443_and_reaches_tasks_and_443_only() -> None:
    recording = recorded_edge()
    group = named(recording, "edge-group", "aws:ec2/securityGroup:SecurityGroup").id
    tasks = "sg-00000000000000001"
    rules = [
        {key: value for key, value in one.inputs.items() if key not in ("tags", "description")}
        for kind in (
            "securityGroupIngressRule:SecurityGroupIngressRule",
            "securityGroupEgressRule:SecurityGroupEgressRule",
        )
        for one in recording.of_type(f"aws:vpc/{kind}")
    ]

    def on(port: int, **more: str) -> dict[str, Json]:
        return {"ipProtocol": "tcp", "fromPort": port, "toPort": port, **more}

    assert rules == [
        on(80, securityGroupId=group, cidrIpv4="0.0.0.0/0"),
        on(443, securityGroupId=group, cidrIpv4="0.0.0.0/0"),
        {"ipProtocol": "icmp", "fromPort": 3, "toPort": 4, "securityGroupId": group, "cidrIpv4": "0.0.0.0/0"},
        on(8443, securityGroupId=tasks, referencedSecurityGroupId=group),
        on(443, securityGroupId=group, cidrIpv4="0.0.0.0/0"),
        on(8443, securityGroupId=group, referencedSecurityGroupId=tasks),
    ]
    assert named(recording, "edge-group", "aws:ec2/securityGroup:SecurityGroup").inputs["vpcId"] == VPC


def test_clients_can_be_limited_to_given_blocks() -> None:
    recording = record(lambda: Edge("edge", edge_args(client_cidr_blocks=["203.0.113.0/24"])))

    assert names(recording, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule") == [
        "edge-http-from-203.0.113.0/24",
        "edge-https-from-203.0.113.0/24",
        "edge-packet-too-large",
        "edge-tasks-from-edge",
    ]


def test_targets_are_spoken_to_and_asked_for_health_by_tls() -> None:
    target = named(recorded_edge(), "edge-targets", "aws:lb/targetGroup:TargetGroup").inputs

    assert {key: value for key, value in target.items() if key != "tags"} == {
        "vpcId": VPC,
        "targetType": "ip",
        "ipAddressType": "ipv4",
        "protocol": "HTTPS",
        "protocolVersion": "HTTP1",
        "port": 8443,
        "deregistrationDelay": 600,
        "loadBalancingAlgorithmType": "least_outstanding_requests",
        "healthCheck": {
            "enabled": True,
            "protocol": "HTTPS",
            "port": "traffic-port",
            "path": "/health",
            "matcher": "200",
            "interval": 15,
            "timeout": 5,
            "healthyThreshold": 2,
            "unhealthyThreshold": 3,
        },
    }


@pytest.mark.parametrize("allowed", [True, False])
def test_deletion_is_refused_by_aws_and_by_the_engine_unless_it_is_allowed(allowed: bool) -> None:
    recording = record(lambda: Edge("edge", edge_args(allow_deletion=allowed)))
    balancer = named(recording, "edge-balancer", BALANCER)

    assert (balancer.inputs["enableDeletionProtection"], balancer.protect) == (not allowed, not allowed)


@pytest.mark.parametrize("allowed", [True, False])
def test_the_logs_go_with_the_load_balancer_where_deletion_is_allowed(allowed: bool) -> None:
    recording = record(lambda: Edge("edge", edge_args(allow_deletion=allowed)))

    assert named(recording, "edge-logs", "aws:s3/bucket:Bucket").inputs["forceDestroy"] is allowed


def test_outputs_are_those_of_the_load_balancer_and_the_target_group() -> None:
    recording = recorded_edge()
    balancer = named(recording, "edge-balancer", BALANCER).outputs
    target = named(recording, "edge-targets", "aws:lb/targetGroup:TargetGroup").outputs

    assert outputs_of(
        lambda: Edge("edge", edge_args()),
        "load_balancer_arn",
        "load_balancer_arn_suffix",
        "dns_name",
        "target_group_arn",
        "target_group_arn_suffix",
    ) == {
        "load_balancer_arn": balancer["arn"],
        "load_balancer_arn_suffix": balancer["arnSuffix"],
        "dns_name": balancer["dnsName"],
        "target_group_arn": target["arn"],
        "target_group_arn_suffix": target["arnSuffix"],
    }


@pytest.mark.parametrize(
    ("field", "least", "most"),
    [
        ("idle_timeout_seconds", 1, 4000),
        ("client_keep_alive_seconds", 60, 604_800),
        ("deregistration_delay_seconds", 0, 3600),
        ("access_log_retention_days", 1, 30),
    ],
)
def test_what_the_provider_does_not_check_is_held_to_aws_s_range(field: str, least: int, most: int) -> None:
    def given(value: int) -> dict[str, Json]:
        return {field: value}

    assert [getattr(edge_args(**given(value)), field) for value in (least, most)] == [least, most]
    for beyond in (least - 1, most + 1):
        with pytest.raises(ValidationError, match=field):
            edge_args(**given(beyond))


def test_a_login_lasts_between_a_second_and_a_week() -> None:
    lasts = [edge_args(oidc={**OIDC, "session_timeout_seconds": s}).oidc.session_timeout_seconds for s in (1, 604_800)]

    assert lasts == [1, 604_800]
    for beyond in (0, 604_801):
        with pytest.raises(ValidationError, match="session_timeout_seconds"):
            edge_args(oidc={**OIDC, "session_timeout_seconds": beyond})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"certificate_arn": CERTIFICATE}, "exactly one of hosted_zone_id"),
        ({"hosted_zone_id": None}, "exactly one of hosted_zone_id"),
        ({"access_log_retention_days": 31}, "less than or equal to 30"),
        ({"idle_timeout_seconds": 4001}, "less than or equal to 4000"),
        ({"paths": {"pages": ["/*", "/oauth2/idpresponse"]}}, "would offer every path"),
        ({"paths": {"api": ["/?*"]}}, "would offer every path"),
        ({"paths": {"blocked": ["/oauth2/*"]}}, "no login could complete: remove it"),
        ({"machine_clients": {**MACHINE, "host_name": "chat.example.com"}}, "a separate host name"),
        (
            {"machine_clients": {**MACHINE, "claims": [{"name": "iss", "values": ["x"]}]}},
            "is always checked by the load balancer: remove it",
        ),
        ({"machine_clients": {**MACHINE, "claims": CLAIMS * 5}}, "at most 9 items"),
        ({"machine_clients": {**MACHINE, "claims": [{"name": "a", "values": ["x"] * 11}]}}, "at most 10 items"),
        ({"tls_policy": "ELBSecurityPolicy-2016-08"}, "Input should be"),
        ({"paths": {"pages": ["/"]}}, "so no login could complete"),
        ({"client_cidr_blocks": ["203.0.113.1/24"]}, "has host bits set"),
        ({"client_cidr_blocks": ["203.0.113.0/24", "0.0.0.0/0"]}, "which is part of 0.0.0.0/0"),
        ({"client_cidr_blocks": ["203.0.113.0/24", "203.0.113.0/24"]}, "which is part of 203.0.113.0/24: remove one"),
        ({"client_cidr_blocks": [f"10.0.{n}.0/24" for n in range(30)]}, "at most 29 items"),
        ({"health_check_path": "health"}, "a path must start with /"),
        ({"oidc": {**OIDC, "token_endpoint": "http://login.example.com/token"}}, "it must be a full https URL"),
        ({"oidc": {**OIDC, "scopes": ["email"]}}, "add openid"),
    ],
)
def test_unsafe_or_impossible_arguments_are_refused(changes: dict[str, Json], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        edge_args(**changes)
