"""AWS's SDK for Python as configured in a container: with the container's variables, and no settings of this machine."""

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
"""Placeholders for the credentials that Fargate provides, and variables that disable this machine's configuration."""


@contextlib.contextmanager
def inside(environment: Mapping[str, str]) -> Generator[None]:
    """Replace this process's variables by the container's until the block ends."""
    with mock.patch.dict(os.environ, {**environment, **_REPLACED}, clear=True):
        yield


@cache
def host(service: str, region: str) -> str:
    """The host that AWS's SDKs use by default for a service in a region, according to botocore's endpoint rules.

    Raises ``botocore.exceptions.UnknownServiceError`` for a service that botocore does not support.
    """
    with inside({}):
        client = session().create_client(service, region_name=region)
    return str(urlsplit(str(client.meta.endpoint_url)).hostname)


def regions(partition: str = "aws") -> list[str]:
    """Every region of a partition in botocore, sorted; ``aws`` is the commercial partition."""
    with inside({}):
        return sorted(session().get_available_regions("s3", partition_name=partition))


def session() -> Any:  # noqa: ANN401 - botocore has no types
    """A new botocore session with the current variables of this process."""
    made = cast("Any", botocore.session).Session()
    made.register_component("data_loader", _loader())
    return made


@cache
def _loader() -> Any:  # noqa: ANN401 - botocore has no types
    """The loader of the service models, shared by all sessions because the models do not differ."""
    return cast("Any", botocore.session).Session().get_component("data_loader")
