"""The edge: what is made with and without zone and machine clients, and every setting on which safety rests."""

import pytest
from pydantic import ValidationError

from components.edge import Edge
from components.edge_args import ClaimFormat, TlsPolicy
from preflight.recorder import RecordedResource, Recording, record
from preflight.wire import SECRET as SECRET_SIGNATURE
from preflight.wire import Json, is_signed, unwrap
from tests.components.edge_room import (
    CERTIFICATE,
    MACHINE,
    OIDC,
    SECRET,
    ZONE_ID,
    counts,
    edge_args,
    named,
    names,
    outputs_of,
    recorded_edge,
    untagged,
)

BALANCER = "aws:lb/loadBalancer:LoadBalancer"
LISTENER = "aws:lb/listener:Listener"
RULE = "aws:lb/listenerRule:ListenerRule"
RECORD = "aws:route53/record:Record"

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
    "SecurityGroupIngressRule": 3,
    "TargetGroup": 1,
}


def rule(recording: Recording, key: str) -> RecordedResource:
    return named(recording, f"edge-{key}", RULE)


def actions(recording: Recording, key: str) -> list[Json]:
    return unwrap(rule(recording, key).inputs["actions"])


@pytest.mark.parametrize(
    ("zone", "machine", "more"),
    [
        (True, False, {"Certificate": 1, "CertificateValidation": 1, "Record": 2, "ListenerRule": 14}),
        (False, False, {"ListenerRule": 14}),
        (
            True,
            True,
            {"Certificate": 2, "CertificateValidation": 2, "Record": 4, "ListenerRule": 15, "ListenerCertificate": 1},
        ),
        (False, True, {"ListenerRule": 15}),
    ],
)
def test_each_topology_makes_exactly_what_it_needs(zone: bool, machine: bool, more: dict[str, int]) -> None:
    recording = recorded_edge(zone=zone, machine=machine)

    assert counts(recording) == dict(sorted({**ALWAYS, **more}.items()))
    assert untagged(recording) == []


def test_the_load_balancer_is_strict_about_requests_and_closed_about_failures() -> None:
    recording = recorded_edge()
    balancer = named(recording, "edge-balancer", BALANCER)
    bucket = named(recording, "edge-logs", "aws:s3/bucket:Bucket").outputs["bucket"]

    assert {key: value for key, value in balancer.inputs.items() if key not in ("tags", "subnets")} == {
        "internal": False,
        "loadBalancerType": "application",
        "ipAddressType": "ipv4",
        "securityGroups": [named(recording, "edge-group", "aws:ec2/securityGroup:SecurityGroup").id],
        "idleTimeout": 120,
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


def test_https_ends_with_a_restricted_policy_answers_404_by_default_and_sets_response_headers() -> None:
    recording = recorded_edge(zone=False)
    listener = named(recording, "edge-https", LISTENER)

    assert {key: value for key, value in listener.inputs.items() if key not in ("tags", "loadBalancerArn")} == {
        "port": 443,
        "protocol": "HTTPS",
        "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
        "certificateArn": CERTIFICATE,
        "defaultActions": [
            {
                "type": "fixed-response",
                "fixedResponse": {"contentType": "text/plain", "messageBody": "Not found\n", "statusCode": "404"},
            }
        ],
        "routingHttpResponseServerEnabled": False,
        "routingHttpResponseStrictTransportSecurityHeaderValue": "max-age=63072000; includeSubDomains",
        "routingHttpResponseXContentTypeOptionsHeaderValue": "nosniff",
        "routingHttpResponseXFrameOptionsHeaderValue": "SAMEORIGIN",
    }


def test_tls_1_3_only_and_a_content_security_policy_are_choices() -> None:
    args = edge_args(tls_policy=TlsPolicy.TLS_1_3_ONLY, content_security_policy="default-src 'self'")
    listener = named(record(lambda: Edge("edge", args)), "edge-https", LISTENER)

    assert listener.inputs["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09"
    assert listener.inputs["routingHttpResponseContentSecurityPolicyHeaderValue"] == "default-src 'self'"


@pytest.mark.parametrize("machine", [False, True])
def test_without_tls_declared_names_are_redirected_and_all_else_is_404(machine: bool) -> None:
    recording = recorded_edge(machine=machine)
    listener, redirect = named(recording, "edge-http", LISTENER), rule(recording, "redirect")

    assert listener.inputs["port"] == 80
    assert listener.inputs["defaultActions"][0]["fixedResponse"]["statusCode"] == "404"
    assert redirect.inputs["listenerArn"] == listener.outputs["arn"]
    assert redirect.inputs["conditions"] == [
        {"hostHeader": {"values": ["chat.example.com", *(["models.example.com"] if machine else [])]}}
    ]
    assert redirect.inputs["actions"] == [
        {
            "type": "redirect",
            "order": 1,
            "redirect": {
                "protocol": "HTTPS",
                "port": "443",
                "host": "#{host}",
                "path": "/#{path}",
                "query": "#{query}",
                "statusCode": "HTTP_301",
            },
        }
    ]


def test_pages_redirect_to_log_in_and_api_paths_answer_401_with_the_same_session() -> None:
    recording = recorded_edge()
    target = named(recording, "edge-targets", "aws:lb/targetGroup:TargetGroup").outputs["arn"]
    login = {
        "issuer": "https://login.example.com",
        "authorizationEndpoint": "https://login.example.com/authorize",
        "tokenEndpoint": "https://login.example.com/token",
        "userInfoEndpoint": "https://login.example.com/userinfo",
        "clientId": "ai-interface",
        "clientSecret": SECRET,
        "scope": "openid email profile",
        "sessionCookieName": "AWSELBAuthSessionCookie",
        "sessionTimeout": 28_800,
    }
    forward = {"type": "forward", "order": 2, "targetGroupArn": target}

    for key, answer in (("page-1", "authenticate"), ("api-1", "deny")):
        assert actions(recording, key) == [
            {
                "type": "authenticate-oidc",
                "order": 1,
                "authenticateOidc": {**login, "onUnauthenticatedRequest": answer},
            },
            forward,
        ]


@pytest.mark.parametrize("zone", [True, False])
@pytest.mark.parametrize("machine", [True, False])
def test_every_forward_comes_after_an_authentication_in_the_same_rule(zone: bool, machine: bool) -> None:
    recording = recorded_edge(zone=zone, machine=machine)
    forwarding = 0
    for one in recording.of_type(RULE):
        kinds = [action["type"] for action in unwrap(one.inputs["actions"])]
        if "forward" in kinds:
            forwarding += 1
            assert kinds in (["authenticate-oidc", "forward"], ["jwt-validation", "forward"])
            assert [action["order"] for action in unwrap(one.inputs["actions"])] == [1, 2]

    assert forwarding == (11 if machine else 10)


def test_blocked_paths_are_answered_404_by_the_edge_itself() -> None:
    assert actions(recorded_edge(), "blocked-1") == [
        {
            "type": "fixed-response",
            "order": 1,
            "fixedResponse": {"contentType": "text/plain", "messageBody": "Not found\n", "statusCode": "404"},
        }
    ]


def test_every_rule_requires_a_declared_host_and_a_listed_path() -> None:
    recording = recorded_edge(machine=True)

    for one in recording.of_type(RULE):
        if one.name != "edge-redirect":
            host, path = one.inputs["conditions"]
            expected = ["models.example.com"] if "machine" in one.name else ["chat.example.com"]
            assert host == {"hostHeader": {"values": expected}}
            assert path["pathPattern"]["values"]


def test_machine_clients_need_a_token_with_audience_and_claims() -> None:
    machine = {
        **MACHINE,
        "claims": [
            {"name": "scope", "values": ["models.call"], "format": ClaimFormat.SPACE_SEPARATED_VALUES},
            {"name": "groups", "values": ["a", "b"]},
        ],
    }
    recording = record(lambda: Edge("edge", edge_args(machine_clients=machine)))
    validation, forward = actions(recording, "machine-1")

    assert validation == {
        "type": "jwt-validation",
        "order": 1,
        "jwtValidation": {
            "issuer": "https://login.example.com",
            "jwksEndpoint": "https://login.example.com/keys",
            "additionalClaims": [
                {"name": "aud", "format": "single-string", "values": ["models"]},
                {"name": "scope", "format": "space-separated-values", "values": ["models.call"]},
                {"name": "groups", "format": "string-array", "values": ["a", "b"]},
            ],
        },
    }
    assert forward["type"] == "forward"


@pytest.mark.parametrize("preview", [True, False])
def test_the_client_secret_is_a_secret_in_every_rule_even_when_given_as_plain_text(preview: bool) -> None:
    recording = record(lambda: Edge("edge", edge_args()), preview=preview)
    secrets = [
        action["authenticateOidc"]["clientSecret"]
        for one in recording.of_type(RULE)
        for action in one.inputs["actions"]
        if action["type"] == "authenticate-oidc"
    ]

    assert len(secrets) == 10
    assert all(is_signed(value, SECRET_SIGNATURE) for value in secrets)


def test_the_edge_admits_clients_on_80_and_443_and_reaches_tasks_and_443_only() -> None:
    recording = recorded_edge()
    group = named(recording, "edge-group", "aws:ec2/securityGroup:SecurityGroup").id
    tasks = "sg-00000000000000001"
    rules = [
        {key: value for key, value in one.inputs.items() if key not in ("tags", "description", "ipProtocol")}
        for kind in (
            "securityGroupIngressRule:SecurityGroupIngressRule",
            "securityGroupEgressRule:SecurityGroupEgressRule",
        )
        for one in recording.of_type(f"aws:vpc/{kind}")
    ]

    assert rules == [
        {"securityGroupId": group, "cidrIpv4": "0.0.0.0/0", "fromPort": 80, "toPort": 80},
        {"securityGroupId": group, "cidrIpv4": "0.0.0.0/0", "fromPort": 443, "toPort": 443},
        {"securityGroupId": tasks, "referencedSecurityGroupId": group, "fromPort": 8443, "toPort": 8443},
        {"securityGroupId": group, "cidrIpv4": "0.0.0.0/0", "fromPort": 443, "toPort": 443},
        {"securityGroupId": group, "referencedSecurityGroupId": tasks, "fromPort": 8443, "toPort": 8443},
    ]


def test_clients_can_be_limited_to_given_blocks() -> None:
    recording = record(lambda: Edge("edge", edge_args(client_cidr_blocks=["203.0.113.0/24"])))

    assert names(recording, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule") == [
        "edge-http-from-203.0.113.0/24",
        "edge-https-from-203.0.113.0/24",
        "edge-tasks-from-edge",
    ]


def test_targets_are_spoken_to_and_asked_for_health_by_tls() -> None:
    target = named(recorded_edge(), "edge-targets", "aws:lb/targetGroup:TargetGroup").inputs

    assert (target["protocol"], target["port"], target["targetType"]) == ("HTTPS", 8443, "ip")
    assert target["deregistrationDelay"] == 600
    assert target["healthCheck"] == {
        "enabled": True,
        "protocol": "HTTPS",
        "port": "traffic-port",
        "path": "/health",
        "matcher": "200",
        "interval": 15,
        "timeout": 5,
        "healthyThreshold": 2,
        "unhealthyThreshold": 3,
    }


def test_with_a_zone_each_name_has_a_validated_certificate_and_an_alias_record() -> None:
    recording = recorded_edge(machine=True)
    balancer = named(recording, "edge-balancer", BALANCER).outputs
    listener = named(recording, "edge-https", LISTENER)
    validated = {
        v.name: v.outputs["certificateArn"]
        for v in recording.of_type("aws:acm/certificateValidation:CertificateValidation")
    }

    assert names(recording, RECORD) == [
        "edge-chat.example.com",
        "edge-chat.example.com-validation",
        "edge-models.example.com",
        "edge-models.example.com-validation",
    ]
    for host in ("chat.example.com", "models.example.com"):
        assert named(recording, f"edge-{host}", RECORD).inputs == {
            "zoneId": ZONE_ID,
            "name": host,
            "type": "A",
            "aliases": [{"name": balancer["dnsName"], "zoneId": balancer["zoneId"], "evaluateTargetHealth": True}],
        }
        certificate = named(recording, f"edge-{host}", "aws:acm/certificate:Certificate").inputs
        assert (certificate["domainName"], certificate["validationMethod"]) == (host, "DNS")
    assert listener.inputs["certificateArn"] == validated["edge-chat.example.com"]
    (further,) = recording.of_type("aws:lb/listenerCertificate:ListenerCertificate")
    assert further.inputs["certificateArn"] == validated["edge-models.example.com"]


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
    ("changes", "message"),
    [
        ({"certificate_arn": CERTIFICATE}, "exactly one of hosted_zone_id"),
        ({"hosted_zone_id": None}, "exactly one of hosted_zone_id"),
        ({"access_log_retention_days": 31}, "less than or equal to 30"),
        ({"idle_timeout_seconds": 4001}, "less than or equal to 4000"),
        ({"paths": {"pages": ["/*", "/oauth2/idpresponse"]}}, "would offer every path"),
        ({"paths": {"api": ["/?*"]}}, "would offer every path"),
        ({"paths": {"blocked": ["/oauth2/*"]}}, "nobody could log in"),
        ({"machine_clients": {**MACHINE, "host_name": "chat.example.com"}}, "a host name of their own"),
        ({"machine_clients": {**MACHINE, "claims": [{"name": "iss", "values": ["x"]}]}}, "in any case: remove it"),
        ({"tls_policy": "ELBSecurityPolicy-2016-08"}, "Input should be"),
        ({"paths": {"pages": ["/"]}}, "without which nobody can finish logging in"),
        ({"client_cidr_blocks": ["203.0.113.1/24"]}, "has host bits set"),
        ({"client_cidr_blocks": ["203.0.113.0/24", "0.0.0.0/0"]}, "0.0.0.0/0 admits already"),
        ({"client_cidr_blocks": ["203.0.113.0/24", "203.0.113.0/24"]}, "admits already: remove one"),
        ({"client_cidr_blocks": [f"10.0.{n}.0/24" for n in range(31)]}, "at most 30 items"),
        ({"health_check_path": "health"}, "a path starts with /"),
        ({"oidc": {**OIDC, "token_endpoint": "http://login.example.com/token"}}, "a full https URL is needed"),
        ({"oidc": {**OIDC, "scopes": ["email"]}}, "openid is needed"),
    ],
)
def test_unsafe_or_impossible_arguments_are_refused(changes: dict[str, Json], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        edge_args(**changes)
