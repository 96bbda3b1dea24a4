"""The commands in docs/restore.md exist in AWS's API with these arguments, and use the program's names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from settings.data import Database
from tests.documents import aws
from tests.documents.extract import Command, commands, scripts

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "restore.md").read_text(encoding="utf-8")
COMMANDS = [
    call
    for script in scripts("docs/restore.md", TEXT)
    if not script.mention
    for call in commands(script)
    if call.words[0] == "aws"
]


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_a_command_is_one_of_awss_with_arguments_that_it_takes(command: Command) -> None:
    assert aws.problem(command.words[1:], whole=True) == ""


def test_there_are_commands_to_check() -> None:
    assert len(COMMANDS) >= 12


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
