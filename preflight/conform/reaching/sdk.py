"""AWS's SDK for Python as a container has it: with the container's variables, and nothing of this machine's."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Mapping
from functools import cache
from typing import Any, cast
from unittest import mock
from urllib.parse import urlsplit

import botocore.session  # pyright: ignore[reportMissingTypeStubs] - it has none

_REPLACED = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
"""What stands for the credentials that Fargate hands out, and keeps this machine's own configuration out of it."""


@contextlib.contextmanager
def inside(environment: Mapping[str, str]) -> Generator[None]:
    """This process has the container's variables until the block ends."""
    with mock.patch.dict(os.environ, {**environment, **_REPLACED}, clear=True):
        yield


@cache
def host(service: str, region: str) -> str:
    """The host that AWS's SDKs call for a service in a region, by botocore's endpoint rules without any option.

    Raises ``botocore.exceptions.UnknownServiceError`` for a service that botocore does not know.
    """
    with inside({}):
        client = session().create_client(service, region_name=region)
    return str(urlsplit(str(client.meta.endpoint_url)).hostname)


def regions(partition: str = "aws") -> list[str]:
    """Every region of a partition that botocore knows, sorted; ``aws`` is the commercial one."""
    with inside({}):
        return sorted(session().get_available_regions("s3", partition_name=partition))


def session() -> Any:  # noqa: ANN401 - botocore has no types
    """A new session of botocore, for the variables that this process has now."""
    made = cast("Any", botocore.session).Session()
    made.register_component("data_loader", _loader())
    return made


@cache
def _loader() -> Any:  # noqa: ANN401 - botocore has no types
    """What reads the models of services, which are the same for every session."""
    return cast("Any", botocore.session).Session().get_component("data_loader")
