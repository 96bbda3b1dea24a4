"""``preflight diff`` and the pull request's check on a copy of this project with edited settings of a running stack."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from preflight.changes.accepted import FILE as ACCEPTED
from preflight.changes.accepted import read
from preflight.errors import ConfigurationError
from tests.copies import commit, copy_of_project, git
from tests.preflight.commands.test_command_line import preflight

TODAY = dt.datetime.now(dt.UTC).date()
OLD, NEW = "10.20.0.0/16", "10.40.0.0/16"


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project as it is, in a separate git repository."""
    return commit(copy_of_project(tmp_path_factory.mktemp("project") / "copy"))


@pytest.fixture
def project(committed: Path) -> Path:
    """The same with another block for staging, to be changed further."""
    git(committed, "checkout", "--quiet", "--", ".")
    git(committed, "clean", "--quiet", "--force")
    edit(committed / "Pulumi.staging.yaml", OLD, NEW)
    return committed


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def sentences(text: str) -> str:
    """The terminal's output without the line breaks inside sentences."""
    return " ".join(text.split())


def accept(folder: Path, *entries: dict[str, str]) -> None:
    """Accept what staging's change does, with one entry for each of ``entries``, which contain other values."""
    text = "accepted:\n"
    for other in entries or ({},):
        values = {
            "environment": "staging",
            "place": '"*"',
            "reason": "Moved as the page says.",
            "owner": "ai-platform",
            "expires": (TODAY + dt.timedelta(days=7)).isoformat(),
        } | other
        text += "  -" + "\n".join(f"    {key}: {value}" for key, value in values.items())[3:] + "\n"
    (folder / ACCEPTED).write_text(text, encoding="utf-8")


def test_another_block_is_refused_with_the_setting_the_resources_and_the_way_there(project: Path) -> None:
    done = preflight(project, "diff", "HEAD", "--stack", "staging")
    assert done.returncode == 1, done.stderr
    said = sentences(done.stdout)
    assert f"network.cidrBlock: {OLD} → {NEW}" in said
    assert "refused by Pulumi, at preview: ec2.Vpc network-vpc.cidrBlock, ec2.Subnet" in said
    assert "refused by AWS, during the update: rds.Cluster state-database.vpcSecurityGroupIds" in said
    assert "migration: docs/changes.md#another-network" in said


def test_the_check_of_a_pull_request_fails_for_it_alone(project: Path, tmp_path: Path) -> None:
    done = preflight(project, "bundle", str(tmp_path), "--base", "HEAD")
    comment = (tmp_path / "comment.md").read_text(encoding="utf-8")
    assert done.returncode == 1, done.stderr
    assert "`running-stacks-take-the-change` · staging · critical" in comment
    assert "3 findings to act on" in comment


def test_an_accepted_change_is_said_and_does_not_fail(project: Path) -> None:
    accept(project)
    done = preflight(project, "diff", "HEAD")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Moved as the page says." in sentences(done.stdout)
    assert "ec2.Vpc network-vpc is replaced because of cidrBlock: the network with all its resources" in sentences(
        done.stdout
    )


def test_an_acceptance_of_another_place_or_environment_does_not_help(project: Path) -> None:
    accept(project, {"place": '"ec2.Vpc *"'}, {"environment": "prod"})
    assert preflight(project, "diff", "HEAD", "--stack", "staging").returncode == 1


def test_a_stack_that_was_never_deployed_may_become_anything(project: Path) -> None:
    (project / "releases" / "deployed.yaml").write_text("deployments: []\n", encoding="utf-8")
    git(project, "commit", "--quiet", "--message", "nothing runs", "releases/deployed.yaml")
    done = preflight(project, "diff", "HEAD", "--stack", "staging")
    git(project, "reset", "--quiet", "--soft", "HEAD~1")
    git(project, "reset", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert "records no deployment of this stack yet; on a running stack, this change would be refused" in sentences(
        done.stdout
    )


def test_the_example_accounts_do_not_run_anything_once_yours_is_named(project: Path) -> None:
    edit(project / "Pulumi.staging.yaml", "111122223333", "210987654321")
    assert preflight(project, "diff", "HEAD", "--stack", "staging").returncode == 0


def test_an_edit_in_place_is_announced(project: Path) -> None:
    edit(project / "Pulumi.staging.yaml", NEW, OLD)
    edit(project / "Pulumi.staging.yaml", "cache.t4g.small", "cache.t4g.medium")
    done = preflight(project, "diff", "HEAD", "--stack", "staging")
    assert (done.returncode, done.stderr) == (0, "")
    assert "in place: elasticache.ReplicationGroup" in sentences(done.stdout)
    assert "the cache fails over once" in sentences(done.stdout)


def test_an_acceptance_is_in_force_until_the_day_before_it_expires(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    accept(tmp_path, {"expires": TODAY.isoformat()})
    assert len(read(tmp_path, TODAY - dt.timedelta(days=1))) == 1
    with pytest.raises(ConfigurationError, match="entry 1 has expired"):
        read(tmp_path, TODAY)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reason": '""'}, "entry 1 has no reason"),
        ({"extra": "x"}, r"entry 1 has an unknown key \(found: extra"),
        ({"expires": "soon"}, r"entry 1 has no valid expiry date \(found: soon; allowed: a date as YYYY-MM-DD\)"),
        ({"expires": (TODAY + dt.timedelta(days=60)).isoformat()}, "at most 31 days ahead"),
    ],
)
def test_a_malformed_acceptance_is_named(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    (tmp_path / "policies").mkdir()
    accept(tmp_path, changes)
    with pytest.raises(ConfigurationError, match=message):
        read(tmp_path, TODAY)


@pytest.mark.parametrize(("text", "message"), [("- [", "is unreadable"), ("accepted: 1", "is not a list")])
def test_a_file_that_is_no_list_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / ACCEPTED).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message):
        read(tmp_path, TODAY)
