"""Arguments and readers that the tests of network, endpoints, edge and firewall share."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pulumi

from components.edge import Edge, EdgeArgs
from components.network import PrivateEndpoints, PrivateEndpointsArgs, PrivateNetwork, PrivateNetworkArgs
from components.waf import Firewall, FirewallArgs
from preflight.recording.recorder import RecordedResource, Recording, record
from preflight.sdk.wire import Json, unwrap

ACCOUNT, REGION = "111122223333", "eu-west-1"
TAGS = {"owner": "ai-platform", "environment": "test", "project": "ai-interface"}
ZONES = {2: ("eu-west-1a", "eu-west-1b"), 3: ("eu-west-1a", "eu-west-1b", "eu-west-1c")}
LISTENER_RULE = "aws:lb/listenerRule:ListenerRule"
ZONE_ID = "Z0123456789ABCDEFGHIJ"
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/00000000-0000-0000-0000-000000000000"
EXISTING: Mapping[str, Any] = {
    "vpc_id": "vpc-0123456789abcdef0",
    "public_subnet_ids": ["subnet-00000000000000002", "subnet-00000000000000001"],
    "private_subnet_ids": ["subnet-00000000000000003", "subnet-00000000000000004"],
    "private_route_table_ids": ["rtb-00000000000000001", "rtb-00000000000000002"],
}
MACHINE: Mapping[str, Any] = {
    "host_name": "models.example.com",
    "issuer": "https://login.example.com",
    "jwks_endpoint": "https://login.example.com/keys",
    "audience": "models",
    "claims": [{"name": "scope", "values": ["models.call"]}],
    "model_paths": ["/standard/v1/*"],
}
SECRET = "client-secret-for-tests"
OIDC: Mapping[str, Any] = {
    "issuer": "https://login.example.com",
    "authorization_endpoint": "https://login.example.com/authorize",
    "token_endpoint": "https://login.example.com/token",
    "user_info_endpoint": "https://login.example.com/userinfo",
    "client_id": "ai-interface",
    "client_secret": SECRET,
}


def network_args(zones: int = 2, **changes: Json) -> PrivateNetworkArgs:
    return PrivateNetworkArgs.model_validate(
        {
            "cidr_block": "10.20.0.0/16",
            "availability_zones": list(ZONES[zones]),
            "flow_log_retention_days": 90,
            "allowed_domains": ["logs.eu-west-1.amazonaws.com", "login.example.com"],
            "account_id": ACCOUNT,
            "region": REGION,
            "tags": TAGS,
            **changes,
        }
    )


def endpoints_args(**changes: Json) -> PrivateEndpointsArgs:
    return PrivateEndpointsArgs.model_validate(
        {
            "vpc_id": "vpc-0123456789abcdef0",
            "subnet_ids": ["subnet-00000000000000003", "subnet-00000000000000004"],
            "route_table_ids": ["rtb-00000000000000001"],
            "client_security_group_id": "sg-00000000000000001",
            "region": REGION,
            "account_id": ACCOUNT,
            "execution_role_arn": f"arn:aws:iam::{ACCOUNT}:role/execution",
            "task_role_arn": f"arn:aws:iam::{ACCOUNT}:role/task",
            "repository_arns": [f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/ai-interface/proxy"],
            "secret_arns": [f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:ai-interface-a1b2c3"],
            "log_group_arns": [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/ai-interface/proxy"],
            "tags": TAGS,
            **changes,
        }
    )


def edge_args(*, zone: bool = True, machine: bool = False, **changes: Json) -> EdgeArgs:
    names = {"hosted_zone_id": ZONE_ID} if zone else {"certificate_arn": CERTIFICATE}
    return EdgeArgs.model_validate(
        {
            "vpc_id": "vpc-0123456789abcdef0",
            "public_subnet_ids": ["subnet-00000000000000001", "subnet-00000000000000002"],
            "target_security_group_id": "sg-00000000000000001",
            "account_id": ACCOUNT,
            "region": REGION,
            "host_names": ["chat.example.com"],
            "oidc": dict(OIDC),
            "machine_clients": dict(MACHINE) if machine else None,
            "tags": TAGS,
            **names,
            **changes,
        }
    )


def firewall_args(**changes: Json) -> FirewallArgs:
    return FirewallArgs.model_validate(
        {
            "load_balancer_arn": f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/edge/0123456789abcdef",
            "account_id": ACCOUNT,
            "region": REGION,
            "log_retention_days": 90,
            "tags": TAGS,
            **changes,
        }
    )


@cache
def recorded_network(zones: int = 2, *, existing: bool = False, filter_dns: bool = False) -> Recording:
    changes = {"existing": {**EXISTING, "filter_dns": filter_dns}} if existing else {}
    return record(lambda: PrivateNetwork("network", network_args(zones, **changes)))


@cache
def recorded_edge(*, zone: bool = True, machine: bool = False) -> Recording:
    return record(lambda: Edge("edge", edge_args(zone=zone, machine=machine)))


@cache
def recorded_firewall() -> Recording:
    return record(lambda: Firewall("firewall", firewall_args()))


def recorded_endpoints(**changes: Json) -> Recording:
    return record(lambda: PrivateEndpoints("endpoints", endpoints_args(**changes)))


def named(recording: Recording, name: str, type_: str) -> RecordedResource:
    """The one resource of that logical name and type."""
    (found,) = [r for r in recording.resources if r.name == name and r.type == type_]
    return found


def listener_rule(recording: Recording, key: str) -> RecordedResource:
    """The edge's listener rule of that key."""
    return named(recording, f"edge-{key}", LISTENER_RULE)


def rule_actions(recording: Recording, key: str) -> list[Json]:
    """What that listener rule does, in order."""
    return unwrap(listener_rule(recording, key).inputs["actions"])


def names(recording: Recording, type_: str) -> list[str]:
    return sorted(r.name for r in recording.of_type(type_))


def counts(recording: Recording) -> dict[str, int]:
    """How many resources of each AWS type were made; reads are marked."""
    found: dict[str, int] = {}
    for resource in recording.resources:
        if resource.type.startswith("aws:"):
            short = resource.type.rpartition(":")[2] + (" (read)" if resource.external else "")
            found[short] = found.get(short, 0) + 1
    return dict(sorted(found.items()))


def untagged(recording: Recording) -> list[str]:
    """Resources whose type takes tags and that lack one of ours."""
    lacking: list[str] = []
    for resource in recording.resources:
        takes_tags = "tagsAll" in resource.outputs and not resource.external
        tags = resource.inputs.get("tags", {})
        if takes_tags and any(tags.get(key) != value for key, value in TAGS.items()):
            lacking.append(resource.urn)
    return lacking


def outputs_of(make: Callable[[], pulumi.ComponentResource], *wanted: str) -> dict[str, Any]:
    """The component's outputs, as they resolve."""
    found: dict[str, Any] = {}

    def keep(name: str) -> Callable[[Any], None]:
        return lambda value: found.__setitem__(name, value)

    def program() -> None:
        component = make()
        for name in wanted:
            pulumi.Output.from_input(getattr(component, name)).apply(keep(name))

    record(program)
    return found
