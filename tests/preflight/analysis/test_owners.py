"""CODEOWNERS is what the settings of all stacks say, and the report shows who answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from preflight.analysis import owners
from preflight.analysis.check import Checked
from preflight.analysis.owners import FILE, content, stale, write
from preflight.recording.recorder import Recording
from tests import once

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def recordings() -> Mapping[str, Recording]:
    return {stack: recording for (stack, _), recording in once.recordings("staging", "prod").items()}


def owned(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        path, _, people = line.partition(" ")
        found |= {} if path == "#" else {path: people.strip()}
    return found


def test_the_committed_file_is_what_the_settings_say(recordings: Mapping[str, Recording]) -> None:
    assert (ROOT / FILE).read_text(encoding="utf-8") == content(recordings, ROOT)
    assert stale(ROOT, recordings) == []


def test_each_folder_belongs_to_its_reviewers(recordings: Mapping[str, Recording]) -> None:
    assert owned(content(recordings, ROOT)) == {
        "*": "@example/ai-platform",
        "/components/models/": "@example/ai-model-reviewers",
        "/prompts/": "@example/ai-prompt-reviewers",
        "/releases/": "@example/ai-release-managers",
        "/releases/models.yaml": "@example/ai-model-reviewers",
        "/.github/": "@example/ai-prod-approvers",
        "/bootstrap/": "@example/ai-prod-approvers",
        "/releases/keys/": "@example/ai-prod-approvers",
        "/policies/accepted-changes.yaml": "@example/ai-prod-approvers",
        "/policies/exceptions.yaml": "@example/ai-prod-approvers",
        "/policies/parity/differences.yaml": "@example/ai-prod-approvers",
        "/Pulumi.staging.yaml": "@example/ai-platform",
        "/bootstrap/Pulumi.staging.yaml": "@example/ai-platform",
        "/Pulumi.prod.yaml": "@example/ai-prod-approvers",
        "/bootstrap/Pulumi.prod.yaml": "@example/ai-prod-approvers",
    }


def test_every_path_that_is_owned_exists(recordings: Mapping[str, Recording]) -> None:
    for path in owned(content(recordings, ROOT)):
        assert any(ROOT.glob(path.strip("/"))), path


def test_a_line_that_is_narrower_comes_later(recordings: Mapping[str, Recording]) -> None:
    paths = list(owned(content(recordings, ROOT)))
    for number, path in enumerate(paths):
        assert not any(path.startswith(later) and later != path for later in paths[number + 1 :])


def other_reviewers(recordings: Mapping[str, Recording]) -> dict[str, Recording]:
    """Staging with other people, as if its settings had been changed."""
    changed = dict(recordings)
    staging = recordings["staging"]
    stack = next(r for r in staging.resources if r.type == "pulumi:pulumi:Stack")
    owner = {**stack.outputs["owner"], "promptReviewers": ["@example/new-reviewers"]}
    other = replace(stack, outputs={**stack.outputs, "owner": owner})
    changed["staging"] = replace(staging, resources=[other if r is stack else r for r in staging.resources])
    return changed


def test_other_people_in_the_settings_are_a_finding_with_the_line_and_the_fix(
    recordings: Mapping[str, Recording],
) -> None:
    (found,) = stale(ROOT, other_reviewers(recordings))
    assert (found.rule, found.source_file, found.fails) == ("code-owners-are-current", FILE, True)
    assert found.found == "missing: /prompts/ @example/new-reviewers @example/ai-prompt-reviewers"
    assert found.fix == "run python -m preflight owners --write"


def test_it_is_written_once(tmp_path: Path, recordings: Mapping[str, Recording]) -> None:
    for name in recordings:
        (tmp_path / f"Pulumi.{name}.yaml").touch()
    assert [f.found for f in stale(tmp_path, recordings)] == ["no such file"]
    assert write(tmp_path, recordings) == [tmp_path / FILE]
    assert (write(tmp_path, recordings), stale(tmp_path, recordings)) == ([], [])


def test_a_part_of_the_stacks_proves_nothing(tmp_path: Path, recordings: Mapping[str, Recording]) -> None:
    for name in (*recordings, "other"):
        (tmp_path / f"Pulumi.{name}.yaml").touch()
    assert stale(tmp_path, recordings) == []


def test_stacks_without_an_owner_have_no_such_file(tmp_path: Path, recordings: Mapping[str, Recording]) -> None:
    bare = {name: replace(r, resources=[]) for name, r in recordings.items()}
    assert (owners.content(bare, tmp_path), stale(tmp_path, bare)) == ("", [])


def test_the_report_shows_owners_and_release(recordings: Mapping[str, Recording]) -> None:
    from preflight.findings import Environment, Report  # noqa: PLC0415 - the report's libraries take time to load
    from preflight.report.page import html  # noqa: PLC0415

    environments = tuple(Environment(name, 1, 1, 0, 0, 0, "") for name in recordings)
    report = Report("ai-interface", environments, (), ())
    page = html(Checked(report, {(name, False): recording for name, recording in recordings.items()}))
    for words in ("release managers", "@example/ai-prod-approvers", "https://oncall.example.com/teams/ai-platform"):
        assert words in page
    for name, recording in recordings.items():
        assert (
            f'<th scope="row">{name}</th><td data-label="release" class="date">{recording.outputs["release"]}</td>'
            in page
        )
