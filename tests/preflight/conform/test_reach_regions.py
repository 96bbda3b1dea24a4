"""In every commercial region, the names that clients resolve are on the network's DNS list for that region.

``test_reach`` records the whole program in a few regions; here only the container's variables and the list are computed for
each region.
"""

from __future__ import annotations

from functools import cache

import pytest

from components.network.dns import allowed_domains
from components.network.endpoint_services import BEDROCK, FARGATE_SERVICES
from preflight.conform.reaching.names import matches, private_names
from preflight.conform.reaching.sdk import regions
from preflight.conform.reaching.uploads import upload_requests
from tests.components.task_fixtures import ACCOUNT
from tests.database.deployed import deployed

REGIONS = regions()
HERE = "eu-west-1"


def _environment(region: str) -> dict[str, str]:
    """The interface container's variables in another region: staging's, with the region's name replaced."""
    return {name: value.replace(HERE, region) for name, value in _here().items()}


@cache
def _here() -> dict[str, str]:
    return deployed("staging").environment("interface")


def _list(region: str) -> list[str]:
    return allowed_domains(region=region, account_id=ACCOUNT, services=[*FARGATE_SERVICES, BEDROCK])


def _outside(region: str, environment: dict[str, str]) -> set[str]:
    hosts = {sent.host for sent in upload_requests(environment)}
    return {host for host in hosts if not any(matches(domain, host) for domain in _list(region))}


def test_botocore_knows_the_commercial_regions() -> None:
    assert {"us-east-1", "eu-west-1", "eu-south-1", "ap-southeast-5"} <= set(REGIONS)
    assert not [region for region in REGIONS if region.startswith(("cn-", "us-gov-", "us-iso"))]


@pytest.mark.parametrize("region", REGIONS)
def test_uploads_ask_for_names_on_the_list(region: str) -> None:
    assert _outside(region, _environment(region)) == set()


@pytest.mark.parametrize("region", REGIONS)
def test_every_service_has_its_names_on_the_list(region: str) -> None:
    names = {name for service in (*FARGATE_SERVICES, BEDROCK) for name in private_names(service, region)}

    missing = {
        name for name in names if not any(matches(domain, name.replace("*", ACCOUNT)) for domain in _list(region))
    }

    assert missing == set()


def test_only_virginia_needs_the_variable_for_regional_names() -> None:
    variable = "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT"

    def outside(region: str) -> set[str]:
        return _outside(region, {name: value for name, value in _environment(region).items() if name != variable})

    assert {region: bool(outside(region)) for region in ("us-east-1", "us-east-2", "eu-south-1")} == {
        "us-east-1": True,
        "us-east-2": False,
        "eu-south-1": False,
    }
