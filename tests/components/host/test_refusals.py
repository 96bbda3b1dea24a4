"""Wrong arguments over the protocol, as the engine sends a TypeScript program's."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2, struct_pb2
from pulumi.runtime.proto import errors_pb2, provider_pb2, provider_pb2_grpc, status_pb2

import components
from preflight.sdk.wire import Json, secret, to_struct

ACCOUNT, REGION = "111122223333", "eu-west-1"
TAGS = {"owner": "platform", "environment": "test", "project": "consumer"}
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The protocol's mark of a value that a preview does not know."""
NETWORK: Mapping[str, Json] = {
    "accountId": ACCOUNT,
    "region": REGION,
    "cidrBlock": "10.60.0.0/16",
    "availabilityZones": ["eu-west-1a", "eu-west-1b"],
    "flowLogRetentionDays": 30,
    "allowedDomains": ["*.eu-west-1.amazonaws.com"],
    "tags": TAGS,
}
OIDC: Mapping[str, Json] = {
    "issuer": "https://login.example.com",
    "authorizationEndpoint": "https://login.example.com/authorize",
    "tokenEndpoint": "https://login.example.com/token",
    "userInfoEndpoint": "https://login.example.com/userinfo",
    "clientId": "consumer",
    "clientSecret": secret("canary-client-secret"),
}
EDGE: Mapping[str, Json] = {
    "accountId": ACCOUNT,
    "region": REGION,
    "vpcId": "vpc-0123456789abcdef0",
    "publicSubnetIds": ["subnet-00000000000000001", "subnet-00000000000000002"],
    "targetSecurityGroupId": "sg-0123456789abcdef0",
    "hostNames": ["chat.example.com"],
    "hostedZoneId": "Z0123456789ABCDEFGHIJ",
    "oidc": dict(OIDC),
    "tags": TAGS,
}
DATA: Mapping[str, Json] = {
    "environment": "test",
    "accountId": ACCOUNT,
    "region": REGION,
    "vpcId": "vpc-0123456789abcdef0",
    "subnetIds": ["subnet-00000000000000001", "subnet-00000000000000002"],
    "availabilityZones": ["eu-west-1a", "eu-west-1b"],
    "clientSecurityGroupId": "sg-0123456789abcdef0",
    "taskRoleName": "task",
    "executionRoleName": "execution",
    "logKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000",
    "alarmTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms",
    "tags": TAGS,
}


GROUP: Mapping[str, Json] = {"name": "general", "models": ["openai.gpt-oss-120b-1:0"]}
MODELS: Mapping[str, Json] = {
    "environment": "test",
    "accountId": ACCOUNT,
    "taskRoleName": "task",
    "securityGroupId": "sg-0123456789abcdef0",
    "tags": TAGS,
}


def without(content: Mapping[str, Json], name: str) -> dict[str, Json]:
    return {key: value for key, value in content.items() if key != name}


WRONG: Mapping[str, tuple[str, dict[str, Json], str, tuple[str, ...]]] = {
    "missing": (
        "PrivateNetwork",
        without(NETWORK, "cidrBlock"),
        "cidrBlock",
        ("value: (not set)", "allowed: text", "fix: set cidrBlock"),
    ),
    "misspelt": (
        "PrivateNetwork",
        {**NETWORK, "allowDeletions": True},
        "allowDeletions",
        ("value: true", "allowDeletion,", "fix: did you mean allowDeletion?"),
    ),
    "snake case from YAML": (
        "PrivateNetwork",
        {**NETWORK, "target_port": 8443},
        "target_port",
        ("value: 8443", "targetPort", "fix: did you mean targetPort?"),
    ),
    "of another type": (
        "PrivateNetwork",
        {**NETWORK, "availabilityZones": "eu-west-1a"},
        "availabilityZones",
        ('value: "eu-west-1a"', "allowed: a list, each entry text", "fix: write a list, each entry text"),
    ),
    "of another type, with a range": (
        "Data",
        {**DATA, "availabilityZones": "eu-west-1a"},
        "availabilityZones",
        ('value: "eu-west-1a"', "allowed: a list, each entry text: 2 entries or more", "fix: write a list"),
    ),
    "above its range": (
        "Edge",
        {**EDGE, "accessLogRetentionDays": 90},
        "accessLogRetentionDays",
        ("value: 90", "allowed: 1 to 30", "fix: set accessLogRetentionDays to a value that is allowed"),
    ),
    "no choice": (
        "Edge",
        {**EDGE, "tlsPolicy": "ELBSecurityPolicy-2016-08"},
        "tlsPolicy",
        ('value: "ELBSecurityPolicy-2016-08"', "allowed: ELBSecurityPolicy-TLS13-1-2-Res-", "fix: set tlsPolicy"),
    ),
    "no https": (
        "Edge",
        {**EDGE, "oidc": {**OIDC, "tokenEndpoint": "http://login.example.com/token"}},
        "oidc.tokenEndpoint",
        (
            'value: "http://login.example.com/token"',
            "allowed: a full https URL",
            "fix: write a full https URL",
        ),
    ),
    "two that exclude each other": (
        "Edge",
        {**EDGE, "certificateArn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/0"},
        "hostedZoneId",
        ("exactly one of hostedZoneId", "and certificateArn"),
    ),
    "below its range in an object": (
        "Data",
        {**DATA, "database": {"backupRetentionDays": 0}},
        "database.backupRetentionDays",
        ("value: 0", "allowed: 1 to 35", "fix: set database.backupRetentionDays"),
    ),
    "between two steps": (
        "Data",
        {**DATA, "database": {"minimumCapacityUnits": 1.3}},
        "database.minimumCapacityUnits",
        ("value: 1.3", "allowed: Aurora capacity is in steps of 0.5", "fix: Aurora capacity is in steps of 0.5"),
    ),
    "too large a block": (
        "PrivateNetwork",
        {**NETWORK, "cidrBlock": "10.0.0.0/8"},
        "cidrBlock",
        ('value: "10.0.0.0/8"', "/16"),
    ),
    "not known in a preview": (
        "PrivateNetwork",
        {**NETWORK, "cidrBlock": UNKNOWN},
        "cidrBlock",
        ("value: (not known in this preview)", "fix: pass a literal"),
    ),
    "no kind of a server": (
        "ModelAccess",
        {**MODELS, "groups": [{**GROUP, "upstreams": [{"kind": "azure", "region": REGION}]}]},
        "groups[0].upstreams[0].kind",
        ('value: "azure"', "allowed: bedrock or bedrockMantle or", "fix: use bedrock or bedrockMantle or"),
    ),
    "a secret in plain text": (
        "PrivateNetwork",
        {**NETWORK, "tags": {**TAGS, "owner": secret("canary-owner")}},
        "tags",
        ("value: (not shown: it may be a secret)", "fix: pass the value without secret()"),
    ),
}


class Host:
    """The package's host as the engine starts it."""

    def __init__(self, port: int) -> None:
        self._stub: Any = provider_pb2_grpc.ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{port}"))

    def refusal(self, component: str, inputs: Mapping[str, Json]) -> tuple[str, dict[str, str]]:
        """The message and the reason by property path. Nothing is registered before the arguments are valid, so there is no
        monitor."""
        request = provider_pb2.ConstructRequest(
            project="consumer",
            stack="test",
            type=f"ai-interface:index:{component}",
            name="one",
            dryRun=True,
            parallel=1,
            inputs=to_struct(inputs, struct_pb2.Struct()),
        )
        with pytest.raises(grpc.RpcError) as caught:
            self._stub.Construct(request, timeout=60)
        error: Any = caught.value
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT, error.details()
        trailer = dict(error.trailing_metadata())["grpc-status-details-bin"]
        status = status_pb2.Status.FromString(trailer)
        content = errors_pb2.InputPropertiesError()
        packed: any_pb2.Any = status.details[0]
        packed.Unpack(content)
        return error.details(), {one.property_path: one.reason for one in content.errors}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = Path(components.__file__).parent
    with subprocess.Popen(  # noqa: S603 - this repository's own host
        [sys.executable, str(folder), "127.0.0.1:1"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path_factory.mktemp("host"),
    ) as process:
        try:
            yield Host(int((process.stdout or sys.stdin).readline()))
        finally:
            process.kill()


@pytest.mark.parametrize("case", sorted(WRONG))
def test_a_wrong_argument_is_named_with_value_allowed_and_fix(host: Host, case: str) -> None:
    component, inputs, path, words = WRONG[case]

    message, reasons = host.refusal(component, inputs)

    assert message == f"{component}: 1 argument is wrong"
    ((printed, reason),) = reasons.items()
    # The engine prints the value of each path that it finds among the inputs, a secret too.
    hidden = reason.startswith(("value: (not shown", "value: an object", "value: a list of ", "value: see the rule"))
    assert printed == (f"{path} (value not shown)" if hidden else path)
    path = printed
    assert [word for word in words if word not in reasons[path]] == [], reasons[path]
    assert [part for part in ("value: ", "; allowed: ", "; fix: ") if part not in reasons[path]] == []
    found = dict(part.split(": ", 1) for part in reasons[path].split("; ", 2))
    assert found["value"] not in found["allowed"], "what is allowed is not the wrong value"
    assert "canary" not in f"{message} {reasons}"
    assert "Unexpected" not in message


def test_every_wrong_argument_is_reported_at_once(host: Host) -> None:
    message, reasons = host.refusal("Edge", {**without(EDGE, "vpcId"), "idleTimeoutSeconds": 0, "hostnames": []})

    assert message == "Edge: 3 arguments are wrong"
    assert sorted(reasons) == ["hostnames (value not shown)", "idleTimeoutSeconds", "vpcId"]
