"""Two accounts on loopback: the committed staging, and a stack with the options that staging does not use."""

from __future__ import annotations

import importlib
import json
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from preflight.ready import command
from preflight.ready.command import wanted_of
from preflight.ready.outside import Dns, Https
from preflight.ready.wanted import Wanted
from preflight.recording.recorder import Recording, record
from releases.manifest import load_release
from settings import StackSettings
from settings.stack import PREFIX
from tests.bootstrap.program import BOOTSTRAP
from tests.bootstrap.program import PREFIX as BOOTSTRAP_PREFIX
from tests.bootstrap.program import stack_file as bootstrap_file
from tests.once import main_program
from tests.preflight.account.loopback import LOOPBACK, Cloud, Names, Site
from tests.preflight.ready.aws_responses import certificate
from tests.preflight.ready.right_account import make
from tests.preflight.ready.world import World
from tests.settings.stack_files import ROOT, stack_file

HOST, MACHINES = "chat.example.org", "models.example.org"
OTHER_ACCOUNT = "222233334444"
BUCKET = "example-pulumi-state"
CERTIFICATE_DAYS = 90


@pytest.fixture(scope="package")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The committed staging in a complete account."""
    wanted = wanted_of(ROOT, "staging", {})
    yield from _world(wanted, Cloud(wanted.account), tmp_path_factory.mktemp("staging"))


@pytest.fixture(scope="package")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A stack with an existing VPC, a given certificate, machine clients, and the state in S3."""
    folder = tmp_path_factory.mktemp("elsewhere")
    cloud = Cloud(OTHER_ACCOUNT)
    values = stack_file("staging")
    region = values["aws:region"]
    session: Any = importlib.import_module("boto3").Session(
        aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    network = values["ai-interface:network"]
    values |= {
        "aws:allowedAccountIds": [OTHER_ACCOUNT],
        "ai-interface:network": {
            **network,
            "existing": _existing(session.client("ec2", region, endpoint_url=cloud.url), network),
        },
        "ai-interface:domain": {
            "hostName": HOST,
            "certificateArn": import_certificate(session.client("acm", region, endpoint_url=cloud.url), folder),
        },
    }
    values["ai-interface:identity"]["machineClients"] = {
        "hostName": MACHINES,
        "issuer": values["ai-interface:identity"]["issuer"],
        "jwksEndpoint": "https://keys.example.com/jwks",
        "audience": "models",
    }
    yield from _world(_wanted(values), cloud, folder)


@pytest.fixture(autouse=True)
def kept(request: pytest.FixtureRequest) -> Iterator[None]:
    """Restore an account's responses after each test."""
    worlds = [request.getfixturevalue(n) for n in ("staging", "elsewhere") if n in request.fixturenames]
    if not worlds:
        yield
        return
    with worlds[0].kept():
        yield


def _world(wanted: Wanted, cloud: Cloud, folder: Path) -> Iterator[World]:
    names = Names()
    site = Site(folder, [str(urlsplit(wanted.settings.identity.issuer).hostname)])
    try:
        yield make(cloud, names, site, wanted)
    finally:
        for server in (cloud, names, site):
            server.stop()


def _existing(ec2: Any, network: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401
    """A VPC with a public and a private subnet in each zone, and one table of the private ones."""
    vpc = ec2.create_vpc(CidrBlock=network["cidrBlock"])["Vpc"]["VpcId"]
    prefix = network["cidrBlock"].rpartition(".0.0/")[0]

    def subnet(zone: str, third: int) -> str:
        made = ec2.create_subnet(VpcId=vpc, AvailabilityZone=zone, CidrBlock=f"{prefix}.{third}.0/24")
        return made["Subnet"]["SubnetId"]

    zones = network["availabilityZones"]
    return {
        "vpcId": vpc,
        "publicSubnetIds": [subnet(zone, number) for number, zone in enumerate(zones)],
        "privateSubnetIds": [subnet(zone, 100 + number) for number, zone in enumerate(zones)],
        "privateRouteTableIds": [ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]],
    }


def import_certificate(
    acm: Any,  # noqa: ANN401
    folder: Path,
    days: int = CERTIFICATE_DAYS,
    hosts: tuple[str, ...] = (HOST, MACHINES),
) -> str:
    """A certificate in ACM, and its ARN."""
    public, private = certificate(folder, list(hosts), days)
    return acm.import_certificate(Certificate=public, PrivateKey=private)["CertificateArn"]


def _wanted(values: dict[str, Any]) -> Wanted:
    """The real program and the real bootstrap for these values."""
    account = values["aws:allowedAccountIds"][0]
    config = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    graph = main_program("staging", config)
    own = {key.removeprefix(PREFIX): value for key, value in values.items() if key.startswith(PREFIX)}
    settings = StackSettings.parse(own, environment="staging", region=values["aws:region"], accounts=[account])
    return Wanted(settings, load_release(settings.release), graph, _bootstrap(account), f"s3://{BUCKET}", BUCKET)


def _bootstrap(account: str) -> Recording:
    """The real bootstrap for another account, with a bucket for the state."""
    values = bootstrap_file("staging")
    values |= {
        "aws:allowedAccountIds": [account],
        f"{BOOTSTRAP_PREFIX}environments": [{"name": "staging", "stateBucket": BUCKET}],
        f"{BOOTSTRAP_PREFIX}onCall": {"principals": [f"arn:aws:iam::{account}:role/on-call"]},
    }
    config = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    path = list(sys.path)
    try:
        return record(
            lambda: runpy.run_path(str(BOOTSTRAP / "__main__.py"), run_name="__main__"),
            project="ai-interface-bootstrap",
            stack="staging",
            config=config,
        )
    finally:
        sys.path[:] = path


@pytest.fixture
def credentials(staging: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials in the environment, and fake services instead of the internet."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", staging.cloud.url)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")

    def recorded(_root: Path, _stack: str, _environment: object) -> Wanted:
        return staging.wanted

    monkeypatch.setattr(command, "wanted_of", recorded)
    monkeypatch.setattr(command, "Dns", lambda: Dns((LOOPBACK,), staging.names.port))
    monkeypatch.setattr(command, "Https", lambda: Https(staging.site.context, staging.site.route))
