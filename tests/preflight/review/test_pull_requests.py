"""Three pull requests can be decided from their comment alone: a hole, a rename, and another database.

Each is an edit of this project's own files in a copy, and the text is what ``preflight diff`` writes for the comment.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.copies import commit, copy_of_project, git
from tests.preflight.commands.test_command_line import preflight
from tests.preflight.review.cases import HOLE, RENAME, REPLACEMENT, Edits, apply

STACK = "staging"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project in a separate git repository."""
    return commit(copy_of_project(tmp_path_factory.mktemp("project") / "copy"))


def comment(project: Path, edits: Edits, status: int) -> str:
    """What the comment says about staging."""
    git(project, "checkout", "--quiet", "--", ".")
    apply(project, edits)
    done = preflight(project, "diff", "HEAD", "--stack", STACK, "--format", "markdown")
    assert (done.returncode, done.stderr) == (status, "")
    return done.stdout.replace("\\", "")


def sentences(text: str, topic: str) -> list[str]:
    """The sentences below one heading."""
    found = re.search(rf"\*\*{topic}\*\*\n\n((?:- .*\n)+)", text)
    return [line.removeprefix("- ") for line in found[1].splitlines()] if found else []


def test_a_hole_is_the_first_thing_that_is_said(project: Path) -> None:
    text = comment(project, HOLE, 0)
    heading, *_ = text.splitlines()
    assert heading.startswith("#### staging: ")
    assert "exposure" in heading
    said = sentences(text, "exposure")
    assert said[0].startswith("lb.ListenerRule edge-office forwards without authentication")
    assert any(
        one.startswith(
            "/v1/* gets past the load balancer without a log-in from 203.0.113.0/24 and only the proxy refuses"
        )
        for one in said
    )
    assert "it is no longer proven that no other ingress path exists" in said
    assert text.index("**exposure**") < text.index("**rollback**")


def test_a_rename_changes_nothing(project: Path) -> None:
    text = comment(project, RENAME, 0)
    assert text.startswith("#### staging: nothing changes at AWS since `HEAD`: 1 resource has another name")
    assert "Nothing changes for users, operators, permissions, data or the bill" in text
    assert sentences(text, "names")[1:] == ["LoadBalancer edge-balancer → edge-load-balancer"]
    assert not re.search(r"\*\*(?!names)[a-z ]+\*\*", text), "no other topic"
    assert "<details>" not in text


def test_another_database_is_refused_and_what_it_would_lose_is_said(project: Path) -> None:
    text = comment(project, REPLACEMENT, 1)
    heading, *_ = text.splitlines()
    assert "REFUSED on the running stack" in heading
    assert "rds.Cluster state-database is replaced" in heading
    assert any("it is protected, and the change would replace it" in one for one in sentences(text, "refused"))
    lost = sentences(text, "replaced or deleted")
    assert lost[0].endswith("the new one starts from a snapshot and lacks all later writes")
    assert "snapshotIdentifier" in lost[0]
    assert sentences(text, "settings of the stack file") == [
        "data.database.snapshotIdentifier: not set → restore-20261125"
    ]
    assert "data protection" not in text.partition("No change in ")[2].partition("\n")[0]
