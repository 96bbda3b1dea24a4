"""The host constructs a component from what the engine delivers, and compares account and region with the provider's."""

from collections.abc import Callable, Mapping
from typing import Any

import pulumi
import pytest
from pulumi.errors import InputPropertiesError
from pulumi.output import UNKNOWN

from components.host.provider import PackageProvider
from components.package import COMPONENTS, NAME, VERSION
from preflight.recording.recorder import Recording, record
from preflight.sdk.runtime import event_loop
from tests.components.host.test_refusals import ACCOUNT, EDGE, NETWORK, OIDC, REGION

CONFIG = {"aws:region": REGION, "aws:allowedAccountIds": f'["{ACCOUNT}"]'}


@pytest.fixture(scope="module")
def provider() -> PackageProvider:
    event_loop()  # an earlier test may have ended the thread's, and the arguments' defaults are outputs
    return PackageProvider(COMPONENTS, NAME, VERSION)


def constructed(
    provider: PackageProvider,
    component: str,
    inputs: Callable[[], Mapping[str, Any]],
    *,
    preview: bool = False,
    config: Mapping[str, str] = CONFIG,
) -> Recording:
    """The resources of one component. ``inputs`` are made inside the program, because outputs belong to its run."""
    return record(
        lambda: provider.construct("one", f"ai-interface:index:{component}", dict(inputs())),
        project="consumer",
        config=config,
        preview=preview,
    )


def test_zone_account_and_client_may_be_outputs(provider: PackageProvider) -> None:
    def inputs() -> Mapping[str, Any]:
        return {
            **EDGE,
            "accountId": pulumi.Output.from_input(ACCOUNT),
            "hostNames": pulumi.Output.from_input(["chat.example.com"]),
            "hostedZoneId": pulumi.Output.from_input(UNKNOWN),
            "oidc": {
                **OIDC,
                "clientId": pulumi.Output.from_input(UNKNOWN),
                "clientSecret": pulumi.Output.secret("canary"),
            },
        }

    recording = constructed(provider, "Edge", inputs, preview=True)

    records = recording.of_type("aws:route53/record:Record")
    assert [r.name for r in records] == ["one-chat.example.com", "one-chat.example.com-validation"]
    assert len(recording.of_type("aws:lb/listenerRule:ListenerRule")) > 2
    assert "canary" not in str(
        [r for r in recording.of_type("aws:lb/listenerRule:ListenerRule") if "secret" not in str(r)]
    )


def test_an_object_that_is_a_secret_keeps_its_outputs_secret(provider: PackageProvider) -> None:
    oidc = {**OIDC, "clientSecret": "canary"}

    recording = constructed(provider, "Edge", lambda: {**EDGE, "oidc": pulumi.Output.secret(oidc)})

    rules = recording.of_type("aws:lb/listenerRule:ListenerRule")
    logins = [
        action["authenticateOidc"]
        for rule in rules
        for action in rule.inputs["actions"]
        if "authenticateOidc" in action
    ]
    assert logins
    assert {str(login["clientSecret"]) for login in logins} == {str(logins[0]["clientSecret"])}
    assert isinstance(logins[0]["clientSecret"], dict), "a secret on the wire"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("accountId", "444455556666", f'value: "444455556666"; allowed: "{ACCOUNT}", the account of the AWS provider'),
        ("region", "eu-central-1", f'value: "eu-central-1"; allowed: "{REGION}", the region of the AWS provider'),
    ],
)
def test_another_account_or_region_than_the_providers_is_refused(
    provider: PackageProvider, name: str, value: str, expected: str
) -> None:
    with pytest.raises(InputPropertiesError) as caught:
        constructed(provider, "PrivateNetwork", lambda: {**NETWORK, name: value})

    (one,) = caught.value.errors or []
    assert one["property_path"] == name
    assert one["reason"].startswith(expected)


def test_the_outputs_of_the_component_are_returned_by_the_names_of_the_schema(provider: PackageProvider) -> None:
    states: list[Mapping[str, Any]] = []
    record(
        lambda: states.append(provider.construct("one", "ai-interface:index:PrivateNetwork", dict(NETWORK)).state),
        config=CONFIG,
    )

    assert {"vpcId", "privateSubnetIds", "publicSubnetIds"} <= set(states[0])


def test_an_object_or_value_that_a_preview_does_not_know_is_refused(provider: PackageProvider) -> None:
    def inputs() -> Mapping[str, Any]:
        unknown = pulumi.Output.from_input(UNKNOWN).apply(str)
        return {**EDGE, "oidc": unknown, "tags": {**EDGE["tags"], "owner": unknown}}

    with pytest.raises(InputPropertiesError) as caught:
        constructed(provider, "Edge", inputs, preview=True)

    reasons = {one["property_path"]: one["reason"] for one in caught.value.errors or []}
    assert sorted(reasons) == ["oidc", "tags.owner"]
    assert {reason.partition(";")[0] for reason in reasons.values()} == {"value: (not known in this preview)"}


def test_an_output_of_nothing_is_an_omitted_argument(provider: PackageProvider) -> None:
    recording = constructed(
        provider, "Edge", lambda: {**EDGE, "certificateArn": pulumi.Output.from_input(None), "paths": None}
    )

    assert recording.of_type("aws:acm/certificate:Certificate")
