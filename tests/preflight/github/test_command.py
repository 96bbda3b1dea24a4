"""The command: what it reads, how it fails, and that the token goes to one host and into no output."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from preflight.account.lines import CannotTellError
from preflight.errors import ConfigurationError
from preflight.github.api import GitHub, GitHubError, api_url, token
from preflight.github.branch import ruleset
from preflight.github.command import listed, settings
from preflight.github.environments import KINDS
from preflight.github.expected import expected, workflows
from preflight.release.project import ReleaseProject
from tests.bootstrap.program import run_bootstrap
from tests.preflight.github.hub import ACTIONS_APP, PER_PAGE, ROOT, TOKEN, Hub


def run(hub: Hub, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {"PATH": "/nonexistent", "GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": hub.url, **environment}
    return subprocess.run(  # noqa: S603 - the project's own command
        [sys.executable, "-m", "preflight", "github", *arguments],
        cwd=ROOT, env=given, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_the_exit_code_is_that_of_the_lines_and_the_token_is_in_no_output(hub: Hub) -> None:
    done = run(hub, "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"preflight github {hub.expected.repository}\n")
    assert {authorization for _, authorization in hub.asked} == {f"Bearer {TOKEN}"}
    hub.answers["/actions/permissions"] = (403, "Resource not accessible")
    said = [run(hub, "--check"), run(hub, "--check", "--strict"), run(hub, "--check", "--format", "json")]
    assert [one.returncode for one in said] == [0, 1, 0]
    assert json.loads(said[2].stdout)["counts"]["cannot tell"] == 2
    hub.answers[""] = {"default_branch": "other"}
    said.append(run(hub, "--check"))
    assert said[3].returncode == 1
    hub.answers[""] = (401, f"Bad credentials {TOKEN}")
    said.append(run(hub, "--check"))
    assert said[4].returncode == 2
    assert TOKEN not in "".join(one.stdout + one.stderr for one in [done, *said])


def test_without_a_question_to_github_every_setting_is_listed_with_its_command(hub: Hub) -> None:
    done = run(hub, GITHUB_TOKEN="")
    assert (done.returncode, hub.asked) == (0, [])
    assert done.stdout == listed(hub.expected)
    for one in settings(hub.expected):
        assert f"  {one.subject}: " in done.stdout
        assert f"    fix: {one.fix}\n" in done.stdout


def test_without_a_token_the_command_could_not_run(hub: Hub) -> None:
    done = run(hub, "--check", GITHUB_TOKEN="")
    assert (done.returncode, hub.asked) == (2, [])
    assert "set GITHUB_TOKEN" in done.stderr


def test_the_ruleset_has_the_rules_that_are_checked(hub: Hub) -> None:
    body = json.loads(run(hub, "--ruleset").stdout)
    assert body == json.loads(ruleset(hub.expected, ACTIONS_APP))
    hub.answers["/rules/branches/main"] = [{"ruleset_id": 42, **rule} for rule in body["rules"]]
    assert run(hub, "--check").returncode == 0


def test_options_of_the_check_are_refused_without_it(hub: Hub) -> None:
    assert run(hub, "--format", "json").returncode == 2
    assert run(hub, "--strict").returncode == 2


def test_an_enterprise_server_has_a_path_before_every_other(hub: Hub) -> None:
    hub.prefix = "/api/v3"
    assert run(hub, "--check").returncode == 0
    assert all(path.startswith("/api/v3/") for path, _ in hub.asked)


def test_every_page_is_read(hub: Hub) -> None:
    github = GitHub(hub.expected.repository, TOKEN, hub.url)
    found = github.every("/environments", "", "environments")
    assert [one["name"] for one in found] == [f"{name}{kind}" for name in hub.expected.approvers for kind in KINDS]
    assert len(hub.asked) == -(-len(found) // PER_PAGE)


def test_a_next_page_on_another_host_is_not_read(hub: Hub) -> None:
    hub.link_host = "http://127.0.0.2:9"
    with pytest.raises(CannotTellError, match="on another host"):
        GitHub(hub.expected.repository, TOKEN, hub.url).every("/environments", "", "environments")


@pytest.mark.parametrize(
    ("status", "message", "fix"),
    [
        (301, "Moved Permanently", "set continuousIntegration.repository"),
        (403, "API rate limit exceeded", "wait until"),
        (429, "slow down", "wait until"),
        (502, "Server Error", "again later"),
    ],
)
def test_another_answer_has_a_reason_and_a_fix(hub: Hub, status: int, message: str, fix: str) -> None:
    hub.answers[""] = (status, message)
    with pytest.raises(CannotTellError) as caught:
        GitHub(hub.expected.repository, TOKEN, hub.url).get("", "x")
    assert fix in caught.value.fix


def test_a_server_that_does_not_answer_ends_the_command() -> None:
    with pytest.raises(GitHubError, match="did not answer"):
        GitHub("example/ai-interface", TOKEN, "http://127.0.0.1:9").get("", "x")


@pytest.mark.parametrize("url", ["http://api.github.com", "api.github.com", "ftp://x"])
def test_a_token_is_never_sent_unencrypted(url: str) -> None:
    with pytest.raises(GitHubError, match="not an https URL"):
        api_url({"GITHUB_API_URL": url})


def test_the_token_comes_from_the_environment_or_from_gh(tmp_path: Path) -> None:
    gh = tmp_path / "gh"
    gh.write_text('#!/bin/sh\necho "of gh for ${4:-github.com}"\n', encoding="utf-8")
    gh.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/bin:/usr/bin"}
    assert token({**environment, "GH_TOKEN": "b", "GITHUB_TOKEN": "a"}) == "a"
    assert token({**environment, "GH_TOKEN": "b"}) == "b"
    assert token(environment) == "of gh for github.com"
    assert token({**environment, "GITHUB_API_URL": "https://git.example.com/api/v3"}) == "of gh for git.example.com"
    gh.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    with pytest.raises(GitHubError, match="there is no token"):
        token(environment)
    assert TOKEN not in repr(GitHub("a/b", TOKEN))


def test_what_is_expected_comes_from_the_stack_files_and_the_workflows() -> None:
    found = expected(ROOT)
    project = ReleaseProject.in_folder(ROOT)
    assert found.approvers == {n: project.settings(n).owner.environment_approvers for n in project.environments.names}
    jobs = {job for content in workflows(ROOT).values() for job in content["jobs"]}
    assert set(found.checks) <= jobs
    assert {"check", "engine", "test"} == set(found.checks)
    assert "aws-actions/configure-aws-credentials" in found.actions


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_the_environments_are_those_that_the_roles_trust(stack: str) -> None:
    roles = run_bootstrap(stack).of_type("aws:iam/role:Role")
    statements = [json.loads(role.inputs["assumeRolePolicy"])["Statement"][0] for role in roles]
    subjects = {
        one["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"][0]
        for one in statements
        if "Federated" in one["Principal"]
    }
    assert subjects == {f"repo:{expected(ROOT).repository}:environment:{stack}{kind}" for kind in KINDS}


def copied(folder: Path) -> Path:
    for name in ("releases", "policies/parity", ".github", "bootstrap"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("shapes"))
    for path in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(path, folder)
    return folder


def test_accounts_that_trust_different_repositories_are_refused(tmp_path: Path) -> None:
    path = copied(tmp_path) / "bootstrap" / "Pulumi.prod.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("example/ai-interface", "other/one"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="trust different repositories"):
        expected(tmp_path)
    assert expected(tmp_path, "other/one").repository == "other/one"


@pytest.mark.parametrize(
    "remote", ["git@github.com:owner/the.name.git", "https://github.com/owner/the.name", "ssh://git@x/owner/the.name/"]
)
def test_without_bootstrap_the_repository_is_that_of_the_remote(tmp_path: Path, remote: str) -> None:
    for path in (copied(tmp_path) / "bootstrap").glob("Pulumi.*.yaml"):
        path.unlink()
    with pytest.raises(ConfigurationError, match="not owner/name"):
        expected(tmp_path)
    for command in (["init", "--quiet"], ["remote", "add", "origin", remote]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)  # noqa: S603, S607
    assert expected(tmp_path).repository == "owner/the.name"
