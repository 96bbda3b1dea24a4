"""The commands in docs/restore.md exist in AWS's API with these arguments, and use the program's names."""

from __future__ import annotations

import re
import shlex
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from components.data.database import cluster_identifier
from settings.data import Database

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "restore.md").read_text(encoding="utf-8")
COMMANDS = [
    line.strip()
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]
SERVICES = {"s3api": "s3"}
"""Where the command line names a service otherwise than the API."""

# The package has no types.
XFORM_NAME: Any = import_module("botocore").xform_name
MODEL: Any = import_module("botocore.model")
LOADER: Any = import_module("botocore.loaders").Loader()


def _kebab(name: str) -> str:
    return str(XFORM_NAME(name, "-"))


def _options(words: list[str]) -> list[str]:
    return [word.removeprefix("--") for word in words if word.startswith("--")]


def _operation(service: str, command: str) -> Any:  # noqa: ANN401 - botocore's
    name = SERVICES.get(service, service)
    model = MODEL.ServiceModel(LOADER.load_service_model(name, "service-2"), name)
    names = {_kebab(operation): operation for operation in model.operation_names}
    assert command in names, f"{service} has no {command}"
    return model.operation_model(names[command])


@pytest.mark.parametrize("command", [c for c in COMMANDS if " wait " not in c])
def test_a_command_is_one_of_awss_with_arguments_that_it_takes(command: str) -> None:
    aws, service, name, *words = shlex.split(command)
    shape = _operation(service, name).input_shape
    taken, needed = ({_kebab(member) for member in members} for members in (shape.members, shape.required_members))
    assert aws == "aws"
    assert needed <= set(_options(words)) <= taken


@pytest.mark.parametrize("command", [c for c in COMMANDS if " wait " in c])
def test_a_command_that_waits_waits_for_something_that_there_is(command: str) -> None:
    _, service, _, name, *_ = shlex.split(command)
    waiters = LOADER.load_service_model(service, "waiters-2")["waiters"]
    assert name in {_kebab(waiter) for waiter in waiters}


def test_there_are_commands_to_check() -> None:
    assert len(COMMANDS) >= 12


def test_the_page_names_the_database_as_the_program_does() -> None:
    assert f"--db-cluster-identifier {cluster_identifier('staging', None)}\n" in TEXT


@pytest.mark.parametrize("name", sorted(set(re.findall(r"snapshotIdentifier: (\S+)", TEXT))))
def test_the_snapshot_of_the_page_is_one_that_the_settings_take(name: str) -> None:
    assert Database.model_validate({"snapshotIdentifier": name}).snapshot_identifier == name


@pytest.mark.parametrize(
    "name",
    [
        "ai-interface-staging-final-0a1b2c3d",
        "arn:aws:rds:eu-west-1:111122223333:cluster-snapshot:awsbackup:job-01234567-89ab-cdef-0123-456789abcdef",
        "rds:ai-interface-staging-2026-11-25-02-05",
    ],
)
def test_every_kind_of_copy_can_be_named(name: str) -> None:
    assert Database.model_validate({"snapshotIdentifier": name}).snapshot_identifier == name
