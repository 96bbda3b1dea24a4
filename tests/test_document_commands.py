"""Every command in a Markdown file is one that its program accepts. Each is parsed, by the real parser if there is one;
none is run."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable

import pytest

from tests.documents import check, pulumi_cli, python_module
from tests.documents.extract import (
    ROOT,
    Command,
    Script,
    as_shell,
    commands,
    documents,
    every_script,
    scripts,
    text_of,
)

LEAST = {"make": 130, "pulumi": 60, "python": 70, "aws": 20, "preflight": 60}
"""Program → the least number of calls that are found. A reader that overlooks blocks would pass every other test."""


def found(text: str) -> list[Command]:
    return [command for script in scripts("example.md", text) for command in commands(script)]


def problems(calls: Iterable[Command]) -> list[str]:
    return [f"{call}\n  {problem}" for call in calls if (problem := check.problem(call))]


@pytest.mark.parametrize("file", documents())
def test_every_command_is_accepted(file: str) -> None:
    assert problems(call for script in scripts(file, text_of(file)) for call in commands(script)) == []


def test_the_commands_are_found() -> None:
    programs = Counter(call.words[0].rpartition("/")[2] for script in every_script() for call in commands(script))
    assert {name: programs[name] for name in LEAST if programs[name] < LEAST[name]} == {}
    assert sum(programs.values()) > 350


@pytest.mark.parametrize("script", [script for script in every_script() if not script.mention], ids=str)
def test_every_block_is_valid_shell(script: Script) -> None:
    assert syntax(script.text) == ""


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not on PATH")
@pytest.mark.parametrize("text", ["echo 'x", "if true; then", "a | | b"])
def test_invalid_shell_is_found(text: str) -> None:
    assert syntax(text) != ""


def syntax(text: str) -> str:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not on PATH")
    done = subprocess.run(  # noqa: S603 - it reads the text and runs nothing
        [bash, "-n"], input=as_shell(text), capture_output=True, text=True, check=False, timeout=30
    )
    return done.stderr


def block(text: str) -> str:
    return f"```sh\n{text}\n```\n"


MISSPELT = [
    (block("make chek"), "the Makefile has no target chek"),
    (block("make twin STAK=prod"), "the Makefile has no variable STAK"),
    ("Run `make shape`.", "the Makefile has no target shape"),
    (block(".venv/bin/python -m preflight raedy staging"), "invalid choice: 'raedy'"),
    (block("python -m preflight ready staging --strickt"), "unrecognized arguments: --strickt"),
    (block("python -m preflight ready"), "the following arguments are required: stack"),
    ("Run `python -m preflight raedy`.", "has no command raedy"),
    ("Run `preflight ready --stirct`.", "unrecognized arguments: --stirct"),
    ("Run `python -m preflight release promoet staging`.", "has no command promoet"),
    (block("python -m preflight release new 2026.12.1"), "the following arguments are required"),
    (block("python -m preflight check --format pdf"), "invalid choice: 'pdf'"),
    (block("python -m prefligth check"), "MODULES in tests/documents/python_module.py has no prefligth"),
    (block("python -m bootstrap.copy_images --release 2026.11.1 --account 1 --region eu-west-1"), "12 digits"),
    (block("python -m bootstrap.copy_images --release 2026.11.1"), "arguments are required: --account, --region"),
    (block("python -m local twin --stak prod"), "unrecognized arguments: --stak"),
    (block("python -m benchmarks.guardrails --checkof x"), "unrecognized arguments: --checkof"),
    (block("python -m benchmarks.report_page --fast"), "takes no arguments"),
    (block("python benchmarks/chek.py"), "there is no file benchmarks/chek.py"),
    (block("python -m pytest tests/no_such_folder"), "there is no tests/no_such_folder"),
    (block("aws rdz describe-db-clusters"), "AWS has no service rdz"),
    (block("aws rds describe-db-clustres"), "rds has no operation describe-db-clustres"),
    (block("aws rds describe-db-clusters --db-cluster x"), "there is no option --db-cluster"),
    (block("aws rds delete-db-cluster --skip-final-snapshot"), "--db-cluster-identifier is missing"),
    (block("aws rds wait db-cluster-ready --db-cluster-identifier x"), "rds has no waiter db-cluster-ready"),
    (block("aws sso login --profil x"), "there is no option --profil"),
    (block("aws s3api put-bucket-versioning --bucket b --versioning-config x"), "no option --versioning-config"),
    (block("aws kms schedule-key-deletion --key-id k --pending-window-in-days soon"), "takes a number"),
    (block("aws secretsmanager list-secrets --sort-order up"), "takes one of asc, desc"),
    (block("pulumi upp -s staging"), "no 'upp -s'"),
    (block("pulumi up -s staging --policy-pak x"), "no flag --policy-pak"),
    (block("pulumi up -s"), "-s has no value"),
    (block("pulumi stack output release prod"), "takes 1 arguments"),
    (block("cd bootsrap"), "FOLDERS in tests/documents/check.py has no bootsrap"),
    (block("terraform apply"), "terraform is not in REVIEWED"),
    (block('X=1 make chek && echo "$(make sheck)"'), "the Makefile has no target sheck"),
    ("```\n$ make chek\nchecking\n```\n", "the Makefile has no target chek"),
    ("```\nmake chek   # a comment\n```\n", "the Makefile has no target chek"),
    ("```\nvcpu  missing\n   fix: aws quotas\n        list-quotas\n```\n", "AWS has no service quotas"),
    ("A span that\ncontinues: `python -m preflight diff\nmain --stak x`.", "unrecognized arguments: --stak"),
    ("1. A list.\n\n   ```\n   pulumi upp\n   ```\n", "no 'upp'"),
]


@pytest.mark.parametrize(("text", "message"), MISSPELT)
def test_a_misspelt_command_is_found(text: str, message: str) -> None:
    reported = problems(found(text))
    assert any(message in one for one in reported), reported


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("Prose with `make` and `pulumi` alone, and `make_target`.", []),
        ("```yaml\nmake: x\n```\n```\nonly output\n```\n", []),
        (block('a=1 read -rs X; printf %s "$X" | aws sso login > log  # end'), ["read", "printf", "aws"]),
        (block("pulumi up \\\n  -s staging\nmake check"), ["pulumi", "make"]),
        ("`pulumi stack init <environment>` and `preflight conform [STACK]`", ["pulumi", "preflight"]),
    ],
)
def test_what_a_command_is(text: str, calls: list[str]) -> None:
    assert [call.words[0] for call in found(text)] == calls


def test_a_command_has_the_line_where_it_is() -> None:
    text = "# Title\n\nText with `make\ncheck`.\n\n```sh\npulumi up \\\n  -s staging\nmake test\n```\n\nThen `make lint`.\n"
    lines = {call.words[1]: call.line for call in found(text)}
    assert lines == {"check": 3, "up": 7, "test": 9, "lint": 12}


def test_every_reviewed_program_is_still_used() -> None:
    used = {call.words[0].rpartition("/")[2] or call.words[0] for script in every_script() for call in commands(script)}
    assert sorted(set(check.REVIEWED) - used) == []


def test_every_module_of_the_table_is_still_used() -> None:
    calls = [call.words for script in every_script() for call in commands(script)]
    used = {words[2] for words in calls if re.search(r"python3?$", words[0]) and words[1] == "-m"}
    assert sorted(set(python_module.MODULES) - used) == []


@pytest.mark.parametrize("name", sorted(pulumi_cli.TABLE))
def test_the_pulumi_cli_has_the_flags_of_the_table(name: str) -> None:
    program = shutil.which("pulumi")
    if program is None:
        pytest.skip("the Pulumi CLI is not on PATH, so the table is compared with nothing here")
    done = subprocess.run(  # noqa: S603 - prints the help of a sub-command
        [program, *name.split(), "--help"], capture_output=True, text=True, check=True, timeout=60, cwd=ROOT
    )
    sub = pulumi_cli.TABLE[name]
    missing = [
        flag
        for flag in sorted(sub.valued | sub.switches)
        if not re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", done.stdout)
    ]
    assert missing == []
