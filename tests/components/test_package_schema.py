"""The components as a package: what programs in other languages see, pinned without the pulumi command line."""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import cast

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

import components
from components.package import COMPONENTS
from preflight.sdk.wire import Json
from tests.engine.package_schema import PINNED, inferred
from tests.settings.stack_files import ROOT

REQUIRED = {
    "Edge": [
        "accountId",
        "hostNames",
        "oidc",
        "publicSubnetIds",
        "region",
        "tags",
        "targetSecurityGroupId",
        "vpcId",
    ],
    "Firewall": ["accountId", "loadBalancerArn", "logRetentionDays", "region", "tags"],
    "PrivateEndpoints": [
        "accountId",
        "clientSecurityGroupId",
        "executionRoleArn",
        "logGroupArns",
        "region",
        "repositoryArns",
        "routeTableIds",
        "secretArns",
        "subnetIds",
        "tags",
        "taskRoleArn",
        "vpcId",
    ],
    "PrivateNetwork": [
        "accountId",
        "allowedDomains",
        "availabilityZones",
        "cidrBlock",
        "flowLogRetentionDays",
        "region",
        "tags",
    ],
}


@cache
def schema_text() -> str:
    return inferred()


@pytest.fixture(scope="module")
def schema() -> dict[str, Json]:
    return cast("dict[str, Json]", json.loads(schema_text()))


def test_the_schema_is_the_pinned_one() -> None:
    assert json.loads(schema_text()) == json.loads(PINNED.read_text()), (
        "the package's interface changed: if that is meant, run python -m tests.engine.package_schema"
    )


def test_the_host_starts_as_the_engine_starts_it_and_serves_this_schema(tmp_path: Path) -> None:
    folder = Path(components.__file__).parent
    with subprocess.Popen(  # noqa: S603 - this repository's own host
        [sys.executable, str(folder), "127.0.0.1:1"], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as host:
        try:
            port = int((host.stdout or sys.stdin).readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                provider: Json = provider_pb2_grpc.ResourceProviderStub(channel)
                served: Json = provider.GetSchema(provider_pb2.GetSchemaRequest(version=0), timeout=60)
        finally:
            host.kill()

    assert json.loads(served.schema) == json.loads(schema_text())


def test_every_component_has_its_type_token(schema: dict[str, Json]) -> None:
    assert sorted(schema["resources"]) == sorted(f"ai-interface:index:{one.__name__}" for one in COMPONENTS)


def test_every_component_is_in_the_package_and_in_the_readme() -> None:
    """A component that is not listed cannot be used from another language, and no one would notice."""
    folder = Path(components.__file__).parent
    defined = {
        name
        for path in folder.rglob("*.py")
        for name in re.findall(
            r"^class (\w+)\((?:Component|pulumi\.ComponentResource)\):", path.read_text("utf-8"), re.M
        )
    } - {"Component"}
    table = (ROOT / "README.md").read_text("utf-8").partition("## What it creates")[2].partition("\n## ")[0]

    assert len(defined) > 25
    assert {one.__name__ for one in COMPONENTS} == defined
    assert defined - set(re.findall(r"`(\w+)`", table)) == set()


@pytest.mark.parametrize("component", sorted(REQUIRED))
def test_only_what_has_no_sensible_default_is_required(schema: dict[str, Json], component: str) -> None:
    assert sorted(schema["resources"][f"ai-interface:index:{component}"]["requiredInputs"]) == REQUIRED[component]


def test_no_property_lost_its_type_on_the_way(schema: dict[str, Json]) -> None:
    places = {**schema["resources"], **schema["types"]}
    properties = {
        f"{place}.{name}": spec
        for place, content in places.items()
        for kind in ("inputProperties", "properties")
        for name, spec in content.get(kind, {}).items()
    }

    assert len(properties) > 100
    assert [name for name, spec in properties.items() if "type" not in spec and "$ref" not in spec] == []
    referenced = set(re.findall(r"#/types/([^\"]+)", json.dumps(schema)))
    assert referenced <= set(schema["types"])


def test_every_input_is_described(schema: dict[str, Json]) -> None:
    assert [
        f"{component}.{name}"
        for component in REQUIRED
        for name, spec in schema["resources"][f"ai-interface:index:{component}"]["inputProperties"].items()
        if not spec.get("description")
    ] == []


def test_every_public_name_loads_and_an_unknown_one_is_an_attribute_error() -> None:
    assert {name for name in components.__all__ if getattr(components, name).__name__ != name} == set()
    assert {one.__name__ for one in COMPONENTS} <= set(components.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        components.Nothing  # noqa: B018 - the access is the test
