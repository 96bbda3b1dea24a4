"""The record of what ran where: added to, never rewritten, and read strictly."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from preflight.release.record import add, attest
from releases.environments import Environments
from releases.record import FILE, read
from releases.refusal import Refusal
from tests.preflight.release.projects import FIRST, SECOND, files

NOW = dt.datetime(2026, 11, 25, 9, 30, 1, 999, tzinfo=dt.timezone(dt.timedelta(hours=1)))
COMMIT = "4cc6609" + "0" * 33
RUN = "https://github.com/example/ai-interface/actions/runs/1"


def record(project: Environments, environment: str, release: str, now: dt.datetime, **options: str) -> str:
    """As the command does without a public key, where nothing is signed."""

    def sign(_: str, __: bytes) -> bytes:
        pytest.fail("a signature was made although no key is committed")

    return add(project, attest(project, environment, release, now, sign, **options))


@pytest.fixture
def project(tmp_path: Path) -> Environments:
    return files(tmp_path).environments


def test_a_deployment_is_added_at_the_end_and_nothing_else_changes(project: Environments) -> None:
    path = project.root / FILE
    before = path.read_text(encoding="utf-8")
    assert record(project, "prod", SECOND, NOW, commit=COMMIT, run=RUN) == (
        f"recorded release {SECOND} on prod in releases/deployed.yaml"
    )
    assert path.read_text(encoding="utf-8") == (
        before
        + '  - environment: "prod"\n    release: "2026.11.1"\n    at: "2026-11-25T08:30:01Z"\n    account: "444455556666"\n'
        + f'    commit: "{COMMIT}"\n    run: "{RUN}"\n'
    )
    assert project.ran("prod") == [FIRST, SECOND]


def test_a_job_that_ran_twice_records_once(project: Environments) -> None:
    before = (project.root / FILE).read_bytes()
    assert record(project, "staging", SECOND, NOW).endswith("already has release 2026.11.1 as the last one on staging")
    assert (project.root / FILE).read_bytes() == before


def test_the_first_entry_makes_the_file(project: Environments) -> None:
    for start in (None, "# the record\ndeployments: []\n", "deployments:"):
        path = project.root / FILE
        path.unlink(missing_ok=True)
        if start is not None:
            path.write_text(start, encoding="utf-8")
        record(project, "staging", SECOND, NOW)
        assert [(d.environment, d.release) for d in read(project.root)] == [("staging", SECOND)]


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (("prod", "2026.12.1"), {}, "release 2026.12.1 has no manifest"),
        (("nowhere", SECOND), {}, "nowhere is not an environment of this project"),
        (("prod", SECOND), {"commit": "main"}, "commit is 'main'"),
        (("prod", SECOND), {"run": 'https://x"\n- a: b'}, "run is "),
    ],
)
def test_what_cannot_be_true_is_not_recorded(
    project: Environments, arguments: tuple[str, str], options: dict[str, str], words: str
) -> None:
    before = (project.root / FILE).read_bytes()
    with pytest.raises(Refusal) as caught:
        record(project, *arguments, NOW, **options)
    assert words in str(caught.value)
    assert (project.root / FILE).read_bytes() == before
