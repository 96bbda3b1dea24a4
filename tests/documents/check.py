"""Checks one call, by its program."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.documents import aws, pulumi_cli, python_module
from tests.documents.extract import Command

REVIEWED: Mapping[str, str] = {
    ".": "the shell's own; the file is what make setup creates",
    "apt-get": "Debian's; package names differ between releases and are not on this machine",
    "cp": "the shell's own; a test follows the page",
    "cd": "the shell's own; the folder is checked",
    "curl": "not installed by make setup; the options were read in its manual",
    "date": "the system's; the formats are those of POSIX",
    "export": "the shell's own",
    "gh": "not installed by make setup; method, path and fields of each request were read in GitHub's OpenAPI description",
    "git": "git has no description of its options without a manual; the commands are add, clone, commit, rev-parse and status",
    "jq": "not installed by make setup; the filter is read only where the state is",
    "sed": "the system's; the expression is the one of a line of PulumiPolicy.yaml",
    "openssl": "not installed by make setup; the line was read in its manual (openssl-dgst)",
    "pip": "installs; that the file of requirements exists is a matter of the folder that the reader copied",
    "printf": "the shell's own",
    "read": "the shell's own",
    "unset": "the shell's own",
}
"""Programs of which only the shell syntax is checked → why nothing more."""

GENERATED: Mapping[str, str] = {"sleep": "the system's; between the start of a query and its result"}
"""The same, in what ``preflight runbook`` prints."""

FOLDERS = ("..", "bootstrap", "ai-interface")
"""Folders that the documents change to."""

_PYTHON = re.compile(r"(?:\S*/)?python3?$")


def problem(command: Command) -> str:
    """What would be refused, or why the call cannot be checked; empty if nothing."""
    program, *words = command.words
    whole = not command.mention and "…" not in words
    shown = [word for word in words if word != "…"]
    if program == "make":
        found = python_module.make_problem(shown)
    elif program == "pulumi":
        found = pulumi_cli.problem(shown, whole=whole)
    elif program == "aws":
        found = aws.problem(shown, whole=whole)
    elif program == "preflight":
        found = python_module.preflight_problem(words, whole=whole)
    elif _PYTHON.match(program):
        found = python_module.problem(words, whole=whole)
    elif program == "cd" and " ".join(words) not in FOLDERS:
        found = f"FOLDERS in tests/documents/check.py has no {' '.join(words)}"
    elif program.rpartition("/")[2] not in {*REVIEWED, *GENERATED}:
        found = f"{program} is not in REVIEWED in tests/documents/check.py"
    else:
        found = ""
    return found
