"""A deployment's entry from one job to the next: signed by KMS, with who approved it on GitHub, and added unchanged."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from preflight.commands import parser
from preflight.errors import PreflightError
from preflight.github.api import GitHub
from preflight.github.approvals import approvers
from preflight.release import command
from preflight.release.project import ReleaseProject
from releases.attestation import alias, place, problem
from releases.environments import account_of
from releases.record import FILE, read
from tests.preflight.account.loopback import Cloud, Refusal
from tests.preflight.github.hub import TOKEN, Hub, user
from tests.preflight.release.projects import FIRST, SECOND, files

RUN = "https://github.com/example/ai-interface/actions/runs/77"
COMMIT = "4cc6609" + "0" * 33


@pytest.fixture(scope="module")
def account() -> Iterator[Cloud]:
    """The account of staging, with the keys of two environments."""
    cloud = Cloud(account_of(Path(__file__).resolve().parents[3], "staging"))
    session: Any = importlib.import_module("boto3").Session(aws_access_key_id="a", aws_secret_access_key="b")
    kms = session.client("kms", "eu-west-1", endpoint_url=cloud.url)
    for name in ("staging", "prod"):
        made = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=alias(name), TargetKeyId=made)
    try:
        yield cloud
    finally:
        cloud.stop()


@pytest.fixture
def hub() -> Iterator[Hub]:
    made = Hub()
    made.answers["/actions/runs/77/approvals"] = [
        review("staging", "approved", "two"),
        review("prod", "approved", "of-prod"),
        review("staging", "rejected", "who-said-no"),
        review("staging", "approved", "one"),
        review("staging", "approved", "two"),
    ]
    try:
        yield made
    finally:
        made.stop()


def review(environment: str, state: str, login: str) -> dict[str, Any]:
    return {"state": state, "comment": "", "user": user(login), "environments": [{"id": 1, "name": environment}]}


@pytest.fixture
def project(tmp_path: Path, account: Cloud, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> ReleaseProject:
    """The files of a project; AWS and GitHub are on loopback."""
    account.answers.clear()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_ENDPOINT_URL": account.url,
        "AWS_CONFIG_FILE": "/nonexistent",
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_API_URL": hub.url,
    }.items():
        monkeypatch.setenv(name, value)
    made = files(tmp_path)

    def of(_: Path) -> ReleaseProject:
        return made

    monkeypatch.setattr(command.ReleaseProject, "of", of)
    return made


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    options = parser().parse_args(["release", *arguments])
    code = options.run(options)
    said = capsys.readouterr()
    return code, said.out, said.err


def entry(capsys: pytest.CaptureFixture[str], stack: str = "staging", release: str = FIRST) -> str:
    code, out, err = run(capsys, "attest", stack, "--release", release, "--commit", COMMIT, "--run", RUN, "--approvals")
    assert (code, err) == (0, "")
    return out.strip()


def found(project: ReleaseProject, stack: str = "staging") -> str:
    return problem(project.root, read(project.root), stack, account_of(project.root, stack))


def test_without_a_key_the_entry_has_the_approvers_and_no_signature(
    project: ReleaseProject, capsys: pytest.CaptureFixture[str]
) -> None:
    made = json.loads(entry(capsys))
    assert (made["approvedBy"], made["commit"], made["run"]) == ("@one, @two", COMMIT, RUN)
    assert not {"previous", "signature"} & set(made)
    assert run(capsys, "record", "staging", "--entry", json.dumps(made))[0] == 0
    assert read(project.root)[-1].approved_by == "@one, @two"


def test_from_the_key_on_every_entry_is_signed_and_follows(
    project: ReleaseProject, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (project.root / FILE).read_bytes()
    code, out, _ = run(capsys, "key", "staging", "--write")
    assert (code, out.splitlines()[0]) == (
        0,
        "wrote releases/keys/staging.yaml: entries of staging after the 2 existing ones have to be signed",
    )
    assert found(project) == ""
    for release in (FIRST, SECOND):
        made = entry(capsys, release=release)
        assert (project.root / FILE).read_bytes() == before
        code, out, _ = run(capsys, "record", "staging", "--entry", made)
        assert (code, out) == (0, f"recorded release {release} on staging in {FILE}\n")
        assert found(project) == ""
        assert (project.root / FILE).read_bytes().startswith(before)
        before = (project.root / FILE).read_bytes()
    assert [one.signature != "" for one in read(project.root)] == [False, False, False, True, True]
    assert project.environments.ran("staging") == [FIRST, SECOND, FIRST, SECOND]


def test_the_shown_key_is_the_written_one(project: ReleaseProject, capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys, "key", "staging")[1]
    assert not (project.root / place("staging")).exists()
    run(capsys, "key", "staging", "--write")
    assert (project.root / place("staging")).read_text(encoding="utf-8") == shown


def refused(capsys: pytest.CaptureFixture[str], project: ReleaseProject, *arguments: str) -> str:
    before = (project.root / FILE).read_bytes()
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (1, "")
    assert (project.root / FILE).read_bytes() == before
    return err


def test_what_was_not_signed_by_the_job_is_not_added(
    project: ReleaseProject, capsys: pytest.CaptureFixture[str]
) -> None:
    unsigned = entry(capsys)
    run(capsys, "key", "staging", "--write")
    signed = json.loads(entry(capsys))
    assert "has no signature" in refused(capsys, project, "record", "staging", "--entry", unsigned)
    altered = json.dumps({**signed, "release": "2026.11.1", "approvedBy": "@mallory"})
    other = json.dumps({**signed, "release": FIRST, "approvedBy": "@mallory"})
    assert "already has release" in run(capsys, "record", "staging", "--entry", altered)[1]
    assert "a signature that is not valid" in refused(capsys, project, "record", "staging", "--entry", other)
    assert "the entry is for staging" in refused(capsys, project, "record", "prod", "--entry", json.dumps(signed))
    assert "is the output of preflight release attest" in refused(capsys, project, "record", "staging", "--entry", "{")
    account = json.dumps({**signed, "account": "999999999999"})
    assert "is for account 999999999999" in refused(capsys, project, "record", "staging", "--entry", account)


def test_an_entry_that_was_overtaken_has_to_be_made_again(
    project: ReleaseProject, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "key", "staging", "--write")
    first, second = entry(capsys), entry(capsys, release=SECOND)
    run(capsys, "record", "staging", "--entry", first)
    said = refused(capsys, project, "record", "staging", "--entry", second)
    assert "does not follow the entries before it" in said
    assert "run the job again" in said


def test_the_key_of_another_environment_does_not_sign(
    project: ReleaseProject, account: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "key", "staging", "--write")
    path = project.root / place("staging")
    session: Any = importlib.import_module("boto3").Session()
    kms = session.client("kms", "eu-west-1", endpoint_url=account.url)
    ids = {one["AliasName"]: one["TargetKeyId"] for one in kms.list_aliases()["Aliases"] if "TargetKeyId" in one}
    kms.update_alias(AliasName=alias("staging"), TargetKeyId=ids[alias("prod")])
    try:
        said = refused(capsys, project, "attest", "staging", "--release", FIRST)
        assert f"KMS signed with another key than the one in {path.relative_to(project.root)}" in said
    finally:
        kms.update_alias(AliasName=alias("staging"), TargetKeyId=ids[alias("staging")])


def could_not_run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    options = parser().parse_args(["release", *arguments])
    with pytest.raises(PreflightError) as caught:
        options.run(options)
    capsys.readouterr()
    return str(caught.value)


def test_a_role_that_may_not_sign_gets_the_name_of_the_one_that_may(
    project: ReleaseProject, account: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "key", "staging", "--write")
    account.answers["kms", "Sign"] = Refusal("AccessDeniedException", "no", 400)
    said = could_not_run(capsys, "attest", "staging", "--release", FIRST)
    assert "run the job in the GitHub environment staging-record" in said
    assert project.environments.ran("staging") == [FIRST, SECOND]


def test_a_key_of_another_account_is_not_written(project: ReleaseProject, capsys: pytest.CaptureFixture[str]) -> None:
    said = could_not_run(capsys, "key", "prod", "--write")
    assert f"prod is in {account_of(project.root, 'prod')}" in said
    assert not (project.root / place("prod")).exists()


def test_only_who_approved_this_environment_in_this_run_is_an_approver(hub: Hub) -> None:
    github = GitHub("example/ai-interface", TOKEN, hub.url)
    assert approvers(github, "77", "staging") == ["@one", "@two"]
    assert approvers(github, "77", "prod") == ["@of-prod"]
    assert approvers(github, "77", "other") == []


@pytest.mark.parametrize(
    ("url", "words"), [("https://github.com/x", "not the URL of a run"), (RUN + "8", "Actions (read)")]
)
def test_approvers_that_cannot_be_read_are_not_left_out(
    project: ReleaseProject, capsys: pytest.CaptureFixture[str], url: str, words: str
) -> None:
    said = could_not_run(capsys, "attest", "staging", "--release", FIRST, "--run", url, "--approvals")
    assert words in said
    assert project.environments.ran("staging") == [FIRST, SECOND]
