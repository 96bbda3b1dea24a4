"""A component in a Python program refuses an account or a region that is not its AWS provider's, before it registers anything."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pulumi
import pulumi_aws as aws
import pytest
from pulumi.runtime import mocks

import components
from components.component import Component
from components.network import PrivateNetwork, PrivateNetworkArgs
from preflight.recording.recorder import Recording, record
from tests.components.edge_fixtures import ACCOUNT, REGION, network_args

CONFIGURED = {"aws:region": REGION, "aws:allowedAccountIds": f'["{ACCOUNT}"]'}


def made(config: dict[str, str], **changes: Any) -> Recording:  # noqa: ANN401
    args = network_args(2).model_copy(update=changes)
    return record(lambda: PrivateNetwork("network", args), config=config)


def test_every_component_compares() -> None:
    found = [getattr(components, name) for name in components.__all__]
    made_by_us = [one for one in found if isinstance(one, type) and issubclass(one, pulumi.ComponentResource)]

    assert len(made_by_us) > 25
    assert [one.__name__ for one in made_by_us if not issubclass(one, Component)] == []


def test_every_component_passes_its_arguments_to_the_comparison() -> None:
    calls = {
        f"{file.name}: {call}"
        for file in sorted(Path(components.__file__).parent.rglob("*.py"))
        for call in re.findall(r'super\(\).__init__\("ai-interface:index:\w+", name, (\S+),', file.read_text("utf-8"))
        if call != "args"
    }

    assert calls == set()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("account_id", "444455556666", f"account_id is '444455556666', and the AWS provider's account is '{ACCOUNT}'"),
        ("region", "eu-central-1", f"region is 'eu-central-1', and the AWS provider's region is '{REGION}'"),
    ],
)
def test_another_account_or_region_than_the_providers_is_refused(field: str, value: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        made(CONFIGURED, **{field: value})


def test_the_providers_own_are_accepted() -> None:
    assert made(CONFIGURED).of_type("aws:ec2/vpc:Vpc")


def test_offline_a_stack_that_configures_neither_is_not_refused() -> None:
    """``preflight`` does not know the account and the region that the environment of a deployment selects."""
    assert made({}, account_id="444455556666", region="eu-central-1").of_type("aws:ec2/vpc:Vpc")


def test_the_explicit_provider_is_the_one_that_is_asked() -> None:
    asked: list[str] = []

    class Answers(mocks.Mocks):
        def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
            return f"{args.name}-id", cast("dict[str, Any]", args.inputs)  # pyright: ignore[reportUnknownMemberType]

        def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
            asked.append(args.provider or "")
            return {"accountId": ACCOUNT, "userId": "someone", "region": "eu-west-3"}, []

    mocks.set_mocks(Answers(), preview=False)
    provider = aws.Provider("other", region="eu-west-3")

    with pytest.raises(ValueError, match="the AWS provider's region is 'eu-west-3'"):
        PrivateNetwork(
            "network",
            PrivateNetworkArgs.model_validate(network_args(2)),
            pulumi.ResourceOptions(providers={"aws": provider}),
        )
    assert all("other" in one for one in asked)
    assert asked
