"""The pages that a newcomer follows: their values are accepted by the settings, and their statements hold in the graphs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest
import yaml

from bootstrap.configuration import BootstrapSettings
from components.applications.presets.open_webui import PRESET
from settings.limits import Timeouts
from settings.stack import PREFIX
from tests.bootstrap.program import PREFIX as BOOTSTRAP_PREFIX
from tests.bootstrap.program import stack_file as bootstrap_file
from tests.documents.extract import text_of
from tests.preflight.conform.graphs import STACKS, environment
from tests.settings.stack_files import changed, own_values, parse
from tests.tasks import interface_task

_BLOCK = re.compile(r"^ *```yaml\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
LIMITS = text_of("docs/limits.md")


def sections(file: str) -> list[dict[str, Any]]:
    """The YAML blocks of a page."""
    found = [yaml.safe_load(block) for block in _BLOCK.findall(text_of(file))]
    assert found
    return found


@pytest.mark.parametrize("section", sections("docs/give-access.md"), ids=str)
def test_the_settings_accept_the_sections_about_access(section: dict[str, Any]) -> None:
    changes = {
        f"{name.removeprefix(PREFIX)}.{key}": value for name, keys in section.items() for key, value in keys.items()
    }
    parsed = parse(changed(own_values(), changes))
    for key, value in changes.items():
        if key == "identity.sessionCookieName":
            assert parsed.identity.session_cookie_name == value


def test_bootstrap_accepts_a_second_environment_in_an_account() -> None:
    (section,) = sections("docs/add-an-environment.md")
    values = {**bootstrap_file("staging"), **section}
    own = {
        key.removeprefix(BOOTSTRAP_PREFIX): value for key, value in values.items() if key.startswith(BOOTSTRAP_PREFIX)
    }
    parsed = BootstrapSettings.parse(
        own, environment="staging", region=values["aws:region"], accounts=values["aws:allowedAccountIds"]
    )
    assert [one.name for one in parsed.environments] == ["staging", "dev"]


def test_the_page_about_access_has_the_default_times() -> None:
    text = text_of("docs/give-access.md")
    staging = parse(own_values())
    assert (
        f"`identity.sessionTimeoutSeconds` ({staging.identity.session_timeout_seconds // 3600} hours unless set)"
        in text
    )
    delay = Timeouts().deregistration_delay_seconds // 60
    assert f"`limits.timeouts.deregistrationDelaySeconds` ({delay} minutes unless set)" in text


@pytest.mark.parametrize("file", ["README.md", "docs/first-deployment.md"])
def test_prod_is_deployed_after_the_release_of_staging_is_recorded_and_promoted(file: str) -> None:
    text = text_of(file)
    steps = (
        "pulumi stack init staging\n",
        "pulumi up -s staging ",
        "preflight verify staging ",
        "preflight release record staging ",
        "preflight release promote prod\n",
        "pulumi stack init prod\n",
        "pulumi up -s prod ",
    )
    places = [text.index(step) for step in steps]
    assert places == sorted(places)


@pytest.mark.parametrize("stack", STACKS)
def test_the_quota_of_the_page_covers_each_stack(stack: str) -> None:
    (asked,) = re.findall(r"--quota-code L-3032A538 --desired-value (\d+)", text_of("docs/first-deployment.md"))
    settings = parse(own_values(stack), environment=stack)
    needed = 2 * settings.capacity.maximum_tasks * settings.capacity.cpu_units // 1024
    stated = {"staging": f"Staging needs {needed} and", "prod": f"and prod {needed} with"}
    assert stated[stack] in text_of("docs/first-deployment.md")
    assert int(asked) >= needed


# -- what this does not do ---------------------------------------------------------------------------------------------


def texts(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Key and value of every text in a property."""
    if isinstance(value, Mapping):
        for name, item in cast("Mapping[str, object]", value).items():
            yield from texts(item, name)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from texts(item, key)
    elif isinstance(value, str):
        yield key, value


def variables(stack: str) -> dict[str, str]:
    task = interface_task(environment(stack))
    containers = json.loads(str(task.inputs["containerDefinitions"]))
    (interface,) = [one for one in containers if one["name"] == "interface"]
    return {str(one["name"]): str(one["value"]) for one in interface["environment"]}


def row(start: str) -> None:
    assert f"| {start}" in LIMITS


@pytest.mark.parametrize("stack", STACKS)
def test_there_is_no_ipv6(stack: str) -> None:
    row("IPv4 only.")
    found = [
        (resource.urn, key)
        for resource in environment(stack).resources
        for key, text in texts(resource.inputs)
        if "ipv6" in key.lower() or "dualstack" in text or "::/0" in text or (key == "type" and text == "AAAA")
    ]
    assert found == []


@pytest.mark.parametrize("stack", STACKS)
def test_copies_stay_in_the_region(stack: str) -> None:
    row("One region for each environment; copies stay in it unless `data.copyVaultArn` is set.")
    plans = environment(stack).of_type("aws:backup/plan:Plan")
    assert plans
    assert "copyActions" not in json.dumps([plan.inputs["rules"] for plan in plans])


@pytest.mark.parametrize("stack", STACKS)
def test_there_is_no_shell_into_a_task(stack: str) -> None:
    row("No shell into a task.")
    services = environment(stack).of_type("aws:ecs/service:Service")
    assert {service.inputs.get("enableExecuteCommand", False) for service in services} == {False}


@pytest.mark.parametrize("stack", STACKS)
def test_the_application_has_no_keys_no_settings_and_no_groups_of_the_provider(stack: str) -> None:
    row("No API keys for users.")
    row("Settings are in the stack file.")
    row("Two roles: user and administrator.")
    found = variables(stack)
    assert (found["ENABLE_API_KEYS"], found["ENABLE_PERSISTENT_CONFIG"]) == ("false", "false")
    assert "WEBUI_AUTH_TRUSTED_ROLE_HEADER" in found
    assert "WEBUI_AUTH_TRUSTED_GROUPS_HEADER" not in found


def test_accounts_cannot_be_deprovisioned() -> None:
    row("No deprovisioning (SCIM).")
    offered = (*PRESET.paths.api, *PRESET.paths.pages)
    assert not any("scim" in path for path in offered)
