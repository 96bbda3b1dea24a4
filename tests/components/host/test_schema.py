"""What the schema promises to programs in other languages: names, defaults, allowed values, and where outputs are accepted."""

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import cast

import pytest
from pydantic import ValidationError, create_model

from components.host.models import Member, all_models, args_of, constraints, kinds_of, members
from components.host.schema import KNOWN, type_name
from components.package import COMPONENTS
from preflight.sdk.wire import Json
from tests.engine.package_schema import PINNED

PREVIEW_KNOWS: Mapping[str, tuple[str, ...]] = {
    "part of logical or physical names, so that two deployments of one program agree on them": (
        "*.environment",
        "*.availabilityZones",
        "*.hostNames",
        "AIInterface.hostName",
        "*MachineClients.hostName",
        "*.name",
        "ModelUpstream.*",
        "*.machineHostNames",
        "SearchServer.*",
        "ToolServer.*",
        "DataDatabase.snapshotIdentifier",
        "AlertSubscription.*",
        "SlackChannel.*",
        "SavedQueries.logs",
        "EdgeAlarms.rateRules",
        "LogProtection.roles",
        "PrivateService.serviceName",
        "ExistingNetwork.*",
    ),
    "decides which resources, rules or statements exist": (
        "*.cidrBlock",
        "*.allowedDomains",
        "*.clientCidrBlocks",
        "*.officeCidrBlocks",
        "*.countOnlyRules",
        "Firewall.*",
        "Paths.*",
        "InterfacePaths.*",
        "MachineClients.modelPaths",
        "PrivateEndpoints.services",
        "PrivateEndpoints.modelRegions",
        "PrivateEndpoints.mantleRegions",
        "ModelGroup.*",
        "*.billedServices",
        "InterfaceGateway.messagesModels",
        "EgressProxy.hostNames",
        "GatewayModel.*",
    ),
    "part of documents that the program renders when it runs: key policies, trust policies, ARNs": (
        "*.accountId",
        "*.region",
        "*.copyVaultArn",
        "*.copyKeyArn",
    ),
    "part of every resource, of alarms or of the container definitions, and no attribute of a resource": (
        "*.tags",
        "*.runbookUrl",
        "*.contactEmail",
        "*.release",
        "*.architecture",
        "*.image",
        "*.interfaceImage",
        "*.proxyImage",
        "InterfaceService.proxySecrets",
        "SyntheticChat.proxySecrets",
        "SyntheticGroup.*",
        "ChangeEvents.generatedSecrets",
        "Dashboard*",
        "InterfaceImages.*",
        "*.application",
        "*.promptEnvironment",
        "Preset.version",
        "Application.*",
        "Database.*",
        "Schema.*",
        "Guardrail.*",
        "DataDatabase.engineVersion",
        "DataCache.engineVersion",
        "DataCache.nodeType",
    ),
    "checked when the program runs: an address or a claim that would not work is refused": (
        "*.contentSecurityPolicy",
        "AIInterface.blockedUsers",
        "AIInterface.requiredClaim*",
        "Edge.healthCheckPath",
        "Oidc.*",
        "*.logoutUrl",
        "Preset.sessionCookieName",
        "Access.*",
        "People.*",
        "TokenClaim.*",
        "*MachineClients.*",
    ),
}
"""Why a text, list or map cannot be an attribute of a resource that does not exist yet. One that is not listed must accept it."""

IDENTIFIERS = re.compile(r"(Arns?|Ids?|[rR]oleName|[cC]lusterName|[sS]erviceName|[vV]aultName|[bB]ucketName)$")
"""Names of arguments that identify an existing resource."""

SUFFIXES = (
    "",
    "Args",
    "Array",
    "ArrayInput",
    "ArrayOutput",
    "Input",
    "Map",
    "MapInput",
    "MapOutput",
    "Output",
    "Ptr",
    "State",
)
"""What the SDK generators append to the name of a resource or of a type."""


@cache
def schema() -> dict[str, Json]:
    return cast("dict[str, Json]", json.loads(PINNED.read_text()))


def arguments() -> Iterator[tuple[str, Member, dict[str, Json], bool]]:
    """Every argument: its place, the field, its entry in the schema, and whether it is required."""
    content = schema()
    for component in COMPONENTS:
        entry = content["resources"][f"ai-interface:index:{component.__name__}"]
        for spelling, member in members(args_of(component)).items():
            spec = entry["inputProperties"][spelling]
            yield f"{component.__name__}.{spelling}", member, spec, spelling in entry.get("requiredInputs", [])
    for name, model in all_models(COMPONENTS).items():
        entry = content["types"][f"ai-interface:index:{type_name(name)}"]
        for spelling, member in members(model).items():
            spec = entry["properties"][spelling]
            yield f"{type_name(name)}.{spelling}", member, spec, spelling in entry.get("required", [])


def test_only_counts_flags_choices_and_single_objects_are_plain() -> None:
    plain = {place: member for place, member, spec, _ in arguments() if "plain" in spec}

    assert len(plain) > 50
    assert [place for place, member in plain.items() if not member.is_plain] == []
    assert [place for place, member, spec, _ in arguments() if member.is_plain and "plain" not in spec] == []


def test_what_a_preview_must_know_has_a_reason() -> None:
    known = [place for place, _, spec, _ in arguments() if spec["description"].endswith(KNOWN)]
    patterns = [pattern for listed in PREVIEW_KNOWS.values() for pattern in listed]

    assert [place for place in known if not any(fnmatchcase(place, pattern) for pattern in patterns)] == []
    assert [pattern for pattern in patterns if not any(fnmatchcase(place, pattern) for place in known)] == []


def test_identifiers_of_resources_may_be_unknown_in_a_preview() -> None:
    refused = {place for place, _, spec, _ in arguments() if spec["description"].endswith(KNOWN)}

    assert {place for place in refused if IDENTIFIERS.search(place)} == {
        *(place for place in refused if place.endswith(".accountId")),
        "AIInterface.copyKeyArn",
        "AIInterface.copyVaultArn",
        "Data.copyKeyArn",
        "Data.copyVaultArn",
        "ExistingNetwork.privateRouteTableAssociationIds",
        "ExistingNetwork.privateRouteTableIds",
        "ExistingNetwork.privateSubnetIds",
        "ExistingNetwork.publicSubnetIds",
        "ExistingNetwork.vpcId",
        "ModelUpstream.securityGroupId",
        "SearchServer.securityGroupId",
        "ToolServer.securityGroupId",
        "PrivateService.serviceName",
        # Slack's own identifiers.
        "SlackChannel.channelId",
        "SlackChannel.workspaceId",
    }


def test_every_optional_argument_states_what_applies_if_it_is_omitted() -> None:
    optional = [(place, spec["description"]) for place, _, spec, required in arguments() if not required]

    assert len(optional) > 120
    assert [place for place, text in optional if not re.search(r"\b(Default|Omitted|Empty): ", text)] == []


def test_a_default_in_the_schema_is_the_one_that_the_component_uses() -> None:
    stated = {place: (spec["default"], member) for place, member, spec, _ in arguments() if "default" in spec}

    assert len(stated) > 50
    assert {place for place, (default, member) in stated.items() if member.default != default} == set()
    assert [place for place, _, spec, required in arguments() if required and "default" in spec] == []


def test_no_member_of_an_object_has_a_default_in_the_schema() -> None:
    """The SDKs would make one output of the whole object to add it; the Go SDK would not compile."""
    assert [
        f"{token}.{name}"
        for token, entry in schema()["types"].items()
        for name, spec in entry.get("properties", {}).items()
        if "default" in spec
    ] == []


@pytest.mark.parametrize(
    ("place", "member", "spec"),
    [
        pytest.param(place, member, spec, id=place)
        for place, member, spec, _ in arguments()
        if constraints(member.field)
    ],
)
def test_the_text_states_the_limits_that_are_validated(place: str, member: Member, spec: dict[str, Json]) -> None:
    text = re.search(r"Allowed: (.*)\.$", spec["description"], flags=re.MULTILINE)
    assert text, place
    limits = constraints(member.field)
    if not {"ge", "le"} & set(limits):
        assert [value for value in limits.values() if str(value) not in text.group(1) and value != 1] == []
        return
    numbers = {"ge": limits.get("ge"), "le": limits.get("le")}
    assert [value for value in numbers.values() if value is not None and str(value) not in text.group(1)] == []
    checked = create_model("Checked", value=(cast("type", member.field.annotation), member.field))
    step = 1 if int in kinds_of(member.field.annotation) else 0.5
    for value, beyond in ((numbers["ge"], -step), (numbers["le"], step)):
        if value is None:
            continue
        checked.model_validate({"value": value})
        with pytest.raises(ValidationError):
            checked.model_validate({"value": value + beyond})


def test_no_generated_name_repeats_the_suffix_or_another_name() -> None:
    content = schema()
    names = [token.rpartition(":")[2] for kind in ("resources", "types") for token in content[kind]]

    assert [name for name in names if name.endswith("Args")] == []
    made = [f"{name}{suffix}" for name in names for suffix in SUFFIXES]
    assert sorted({one for one in made if made.count(one) > 1}) == []


def test_every_list_of_objects_has_the_form_that_go_generates_types_for() -> None:
    """An array of plain objects refers in Go to a type that is generated only where such an object is also an input."""
    lists = [spec for _, _, spec, _ in arguments() if "$ref" in spec.get("items", {})]

    assert lists
    assert [spec for spec in lists if "plain" in spec or "plain" in spec["items"]] == []
