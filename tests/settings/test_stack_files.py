"""The committed configuration: both stack files are good, and the project file describes the same keys."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pydantic
import pytest
import yaml

from preflight.recording.recorder import record
from releases.manifest import load_release
from settings import SettingsError, StackSettings
from settings.limits import Timeouts
from settings.stack import PREFIX
from tests.settings.stack_files import ROOT, as_the_engine_passes_it, own_values, parse, stack_file

STACKS = ("staging", "prod")
PULUMI_TYPES: dict[object, str] = {str: "string", bool: "boolean"}


def loaded(stack: str, **changes: str) -> StackSettings:
    """The settings of a committed stack file, with other text for some keys."""
    result: list[StackSettings] = []
    record(
        lambda: result.append(StackSettings.load()), stack=stack, config={**as_the_engine_passes_it(stack), **changes}
    )
    return result[0]


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_file_loads_and_its_release_has_a_manifest_that_approves_its_models(stack: str) -> None:
    found = loaded(stack)
    release = load_release(found.release)
    offered = {model for group in found.models.groups for model in group.models}
    assert (found.environment, found.region, len(found.account_id)) == (stack, "eu-west-1", 12)
    assert offered <= set(release.models)


def test_staging_and_prod_live_in_accounts_blocks_and_names_of_their_own() -> None:
    staging, prod = map(loaded, STACKS)
    assert staging.account_id != prod.account_id
    assert not staging.network.cidr_block.overlaps(prod.network.cidr_block)
    assert staging.domain.host_name != prod.domain.host_name
    assert staging.identity.client_secret_name != prod.identity.client_secret_name
    assert (len(staging.network.availability_zones), len(prod.network.availability_zones)) == (2, 3)


def test_what_a_file_leaves_out_has_the_safe_default() -> None:
    found = loaded("prod")
    assert found.limits.timeouts == Timeouts()
    assert (found.limits.prompt_mebibytes, found.limits.upload_mebibytes) == (2, 50)
    assert found.identity.machine_clients is None
    assert found.identity.session_timeout_seconds == 28_800


def test_malformed_text_for_a_structured_value_is_reported_without_its_content() -> None:
    with pytest.raises(SettingsError) as caught:
        loaded("staging", **{"ai-interface:capacity": '{"cpuUnits": correct horse'})
    assert [(p.key, p.value, p.fix) for p in caught.value.problems] == [
        (
            "ai-interface:capacity",
            "text that is not valid JSON",
            "fix the JSON, or write the keys below it, indented",
        )
    ]


def test_settings_are_frozen() -> None:
    with pytest.raises(pydantic.ValidationError):
        parse(own_values()).limits.upload_mebibytes = 500  # type: ignore[misc]


def test_the_project_file_declares_exactly_the_keys_of_the_settings_and_describes_each() -> None:
    declared: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]
    fields = {
        str(f.alias): f
        for n, f in StackSettings.model_fields.items()
        if n not in ("environment", "region", "account_id")
    }
    assert {key: value["type"] for key, value in declared.items()} == {
        key: PULUMI_TYPES.get(field.annotation, "object") for key, field in fields.items()
    }
    assert {key for key, value in declared.items() if "default" in value} == {
        key for key, f in fields.items() if not f.is_required()
    }
    assert all(value["description"] for value in declared.values())


def test_a_stack_file_holds_no_key_outside_the_settings_and_the_provider() -> None:
    for stack in STACKS:
        foreign = {key for key in stack_file(stack) if not key.startswith(PREFIX)}
        assert foreign == {"aws:region", "aws:allowedAccountIds"}


def test_only_the_settings_read_the_configuration() -> None:
    def reads(path: Path) -> bool:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        return any(isinstance(n, ast.Attribute) and n.attr == "Config" for n in ast.walk(tree))

    rooms = ("components", "policies", "preflight", "releases", "settings")
    sources = [ROOT / "__main__.py", *(p for room in rooms for p in sorted((ROOT / room).rglob("*.py")))]
    assert [p.relative_to(ROOT).as_posix() for p in sources if p.exists() and reads(p)] == ["settings/configuration.py"]
