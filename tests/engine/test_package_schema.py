"""The package's schema is the reviewed one; this test needs no Pulumi CLI."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import tomllib

import pulumi

import components
from components.component import Component
from components.package import COMPONENTS, VERSION
from preflight.sdk.wire import Wire
from tests.engine.harness import REPOSITORY
from tests.engine.package_schema import PINNED, inferred


def test_the_inferred_schema_is_the_pinned_one() -> None:
    assert inferred() == PINNED.read_text(), "review the change, then: python -m tests.engine.package_schema"


def test_every_component_is_offered() -> None:
    names = [m.name for m in pkgutil.iter_modules(components.__path__) if m.name != "__main__"]
    modules = [importlib.import_module(f"components.{name}") for name in names]
    found = {
        cls
        for module in modules
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if issubclass(cls, pulumi.ComponentResource) and cls.__module__.startswith("components.")
    }
    assert found - {Component} == set(COMPONENTS)


def test_an_argument_with_a_default_is_not_required() -> None:
    edge: Wire = json.loads(PINNED.read_text())["resources"]["ai-interface:index:Edge"]
    assert "targetPort" in edge["inputProperties"]
    assert "targetPort" not in edge["requiredInputs"]


def test_every_argument_is_described() -> None:
    schema: Wire = json.loads(PINNED.read_text())
    described = {**schema["resources"], **schema["types"]}
    bare = [
        f"{token}.{name}"
        for token, entry in described.items()
        for name, argument in {**entry.get("inputProperties", {}), **entry.get("properties", {})}.items()
        if not argument.get("description")
    ]
    assert bare == []


def test_the_package_has_the_projects_version() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION


def test_the_plugin_needs_the_versions_of_the_lock() -> None:
    locked = {line.split(" ")[0] for line in (REPOSITORY / "requirements.lock").read_text().splitlines()}
    wanted = (REPOSITORY / "components" / "requirements.txt").read_text().splitlines()
    assert {line for line in wanted if line and not line.startswith("#")} <= locked
