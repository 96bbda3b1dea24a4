"""The committed configuration: both stack files are valid, and the project file describes the same keys."""

from __future__ import annotations

import ast
from typing import Any

import pydantic
import pytest
import yaml

from bootstrap.configuration import BootstrapSettings
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


def test_staging_and_prod_have_different_accounts_blocks_and_names() -> None:
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
    config: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]
    declared = {key: value for key, value in config.items() if ":" not in key}
    assert {key.partition(":")[0] for key in {*config} - {*declared}} == {"guardrails"}
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


def _reads_the_configuration(source: str) -> bool:
    """Whether it uses ``pulumi.Config``, under whichever name pulumi or the class was imported."""
    tree = ast.parse(source)
    modules, classes = {"pulumi"}, set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {name.asname for name in node.names if name.name == "pulumi" and name.asname}
        elif isinstance(node, ast.ImportFrom) and node.module in ("pulumi", "pulumi.config"):
            classes |= {name.asname or name.name for name in node.names if name.name in ("Config", "*")}
    return bool(classes) or any(
        isinstance(node, ast.Attribute)
        and node.attr == "Config"
        and isinstance(node.value, ast.Name)
        and node.value.id in modules
        for node in ast.walk(tree)
    )


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        ("import pulumi\npulumi.Config('a')", True),
        ("import pulumi as p\np.Config()", True),
        ("from pulumi import Config", True),
        ("from pulumi import Config as Settings", True),
        ("from pulumi import *", True),
        ("import importlib\nimportlib.import_module('botocore.config').Config()", False),
        ("from botocore.config import Config\nConfig()", False),
    ],
)
def test_a_reader_of_the_configuration_is_known_by_whatever_name_it_imports(source: str, reads: bool) -> None:
    assert _reads_the_configuration(source) is reads


def test_only_the_settings_read_the_configuration() -> None:
    packages = ("assembly", "bootstrap", "components", "policies", "preflight", "releases", "settings")
    sources = [ROOT / "__main__.py", *(p for package in packages for p in sorted((ROOT / package).rglob("*.py")))]
    found = [p for p in sources if _reads_the_configuration(p.read_text(encoding="utf-8"))]
    assert len(sources) > 100
    assert [p.relative_to(ROOT).as_posix() for p in found] == ["components/component.py", "settings/configuration.py"]


def test_the_components_read_of_the_configuration_only_the_providers_which_they_compare_with_their_arguments() -> None:
    """An argument of another account or region than the AWS provider's is refused; ``aws:`` is the provider's configuration."""
    tree = ast.parse((ROOT / "components" / "component.py").read_text(encoding="utf-8"))
    named = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "Config"]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.func in named]
    assert len(named) == 1
    assert [ast.unparse(call) for call in calls] == ["pulumi.Config('aws')"]


def _sections_read(source: str) -> set[str]:
    """The names that checks between sections ask for by ``sections.get("…")`` or ``sections["…"]``."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "sections.get" and node.args:
            found.add(ast.literal_eval(node.args[0]))
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "sections":
            found.add(ast.literal_eval(node.slice))
    return found


@pytest.mark.parametrize(
    ("file", "model"), [("settings/consistency.py", StackSettings), ("bootstrap/configuration.py", BootstrapSettings)]
)
def test_checks_between_sections_ask_for_sections_that_exist(file: str, model: type[pydantic.BaseModel]) -> None:
    # A section that does not exist is absent, and the check that asks for it never runs.
    source = (ROOT / file).read_text(encoding="utf-8")
    asked = _sections_read(source)
    assert asked
    assert sorted(asked - set(model.model_fields)) == []
    former = source.replace(f'"{min(asked)}"', '"former"')
    assert "former" in _sections_read(former) - set(model.model_fields)
