"""What is not in order is refused with its reason, and nothing is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from preflight.release import promotion
from preflight.release.project import ReleaseProject
from preflight.release.promotion import promote, rollback
from releases.manifest import compatible
from releases.refusal import Refusal
from settings.errors import SettingsError
from tests.preflight.release.projects import FIRST, SECOND, THIRD, edit, files, point, records


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReleaseProject:
    """No refusal here needs the engine; one that did would fail."""

    def engine(*_: object, **__: object) -> None:
        pytest.fail("the engine was asked before every reason was looked at")

    monkeypatch.setattr(promotion, "run", engine)
    monkeypatch.setattr(promotion, "check", engine)
    return files(tmp_path)


def nothing(*_: object) -> None:
    """Instead of the engine."""


def everything(project: ReleaseProject) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(project.root.rglob("*")) if p.is_file()}


def refused(project: ReleaseProject, command: str, environment: str, version: str = "", **options: bool) -> str:
    before = everything(project)
    run = {"promote": promote, "rollback": rollback}[command]
    with pytest.raises((Refusal, SettingsError)) as caught:
        run(project, environment, version, print, **options)
    assert everything(project) == before
    return str(caught.value)


def third(project: ReleaseProject, **changes: object) -> None:
    """A third release on file."""
    second = project.root / "releases" / f"{SECOND}.yaml"
    (project.root / "releases" / f"{THIRD}.yaml").write_bytes(second.read_bytes())
    edit(project.root, f"releases/{THIRD}.yaml", version=THIRD, **changes)


# -- promote -----------------------------------------------------------------------------------------------------------


def test_a_release_that_is_not_recorded_on_staging_is_not_promoted(project: ReleaseProject) -> None:
    third(project)
    assert refused(project, "promote", "prod", THIRD) == (
        "release 2026.12.1 is not recorded on staging (recorded there: 2026.10.1, 2026.11.1)\n\n"
        "deploy it to staging first; the deploy job records it in releases/deployed.yaml"
    )


def test_a_record_of_another_account_does_not_count(project: ReleaseProject) -> None:
    records(project.root, ("staging", SECOND), accounts={"staging": "999988887777"})
    assert "no release is recorded on staging" in refused(project, "promote", "prod")
    assert "not recorded on staging (recorded there: none)" in refused(project, "promote", "prod", SECOND)


def test_a_release_that_its_author_approved_is_not_promoted(project: ReleaseProject) -> None:
    edit(project.root, f"releases/{SECOND}.yaml", approvedBy=["@example/ai-platform"])
    message = refused(project, "promote", "prod", SECOND)
    assert "approvedBy\n  value:   @example/ai-platform\n  allowed: people other than builtBy" in message


def test_a_release_that_no_release_manager_approved_is_not_promoted(project: ReleaseProject) -> None:
    edit(project.root, f"releases/{SECOND}.yaml", approvedBy=["@example/stranger"])
    message = refused(project, "promote", "prod", SECOND)
    assert "allowed: one of ai-interface:owner.releaseManagers: @example/ai-release-managers" in message


def test_a_release_with_a_tag_instead_of_a_digest_is_not_promoted(project: ReleaseProject) -> None:
    path = project.root / "releases" / f"{SECOND}.yaml"
    text = path.read_text(encoding="utf-8")
    pinned = project.environments.release(SECOND).images["interface"].digest
    digest = next(line for line in text.splitlines() if pinned in line)
    path.write_text(text.replace(digest, "    digest: v0.11.4"), encoding="utf-8")
    message = refused(project, "promote", "prod", SECOND)
    assert 'images.interface.digest\n  value:   "v0.11.4"' in message
    assert "a tag is not accepted, since it can be moved" in message


def test_a_version_without_manifest_is_not_promoted(project: ReleaseProject) -> None:
    assert '"2026.12.7"' in refused(project, "promote", "prod", "2026.12.7")


def test_what_is_there_already_is_not_promoted(project: ReleaseProject) -> None:
    assert refused(project, "promote", "prod", FIRST).startswith("prod already has release 2026.10.1")


def test_promoting_backwards_is_refused_and_names_rollback(project: ReleaseProject) -> None:
    assert "python -m preflight release rollback staging" in refused(project, "promote", "staging", FIRST)


def test_a_pointer_without_manifest_is_no_reason_to_stay(project: ReleaseProject) -> None:
    point(project.root, "prod", "latest")
    assert "not recorded on staging" in refused(project, "promote", "prod", _third(project))


def _third(project: ReleaseProject) -> str:
    third(project)
    return THIRD


def test_an_unknown_environment_is_refused_with_those_that_there_are(project: ReleaseProject) -> None:
    assert "environments, in order: staging, prod" in refused(project, "promote", "production")


def test_an_unreadable_record_is_no_record(project: ReleaseProject) -> None:
    (project.root / "releases" / "deployed.yaml").write_text("deployments: [", encoding="utf-8")
    with pytest.raises(ValueError, match="is not readable YAML"):
        promote(project, "prod", SECOND, print)


# -- rollback ----------------------------------------------------------------------------------------------------------


def test_without_an_earlier_recorded_release_there_is_no_way_back(project: ReleaseProject) -> None:
    assert refused(project, "rollback", "prod").startswith("no release before 2026.10.1 is recorded on prod")


def test_a_rollback_goes_to_a_release_that_ran_there(project: ReleaseProject) -> None:
    point(project.root, "prod", SECOND)
    assert refused(project, "rollback", "prod", "2026.9.1") == (
        "release 2026.9.1 did not run on prod before 2026.11.1\n\nchoose one of 2026.10.1"
    )


def test_an_incompatible_schema_is_refused_with_both_options(project: ReleaseProject) -> None:
    point(project.root, "prod", SECOND)
    edit(project.root, f"releases/{SECOND}.yaml", schema={"revision": "b2", "compatibleWith": []})
    edit(project.root, f"releases/{FIRST}.yaml", schema={"revision": "a1", "compatibleWith": []})
    message = refused(project, "rollback", "prod")
    assert message.startswith("release 2026.10.1 does not start on schema b2, to which release 2026.11.1 migrated prod")
    assert "Restore point: restore the database to a point before 2026.11.1 was deployed" in message
    assert "Forward fix: keep the schema and release a fixed application on it" in message


def test_a_schema_that_an_earlier_rollback_left_behind_still_counts(project: ReleaseProject) -> None:
    """Prod ran the third release, went back to the second, and its database is still the third's."""
    third(project, schema={"revision": "c3", "compatibleWith": [SECOND]})
    edit(project.root, f"releases/{SECOND}.yaml", schema={"revision": "b2", "compatibleWith": [FIRST]})
    edit(project.root, f"releases/{FIRST}.yaml", schema={"revision": "a1", "compatibleWith": []})
    records(project.root, ("prod", FIRST), ("prod", SECOND), ("prod", THIRD), ("prod", SECOND))
    point(project.root, "prod", SECOND)
    assert "schema c3, to which release 2026.12.1 migrated" in refused(project, "rollback", "prod")


def test_the_same_revision_needs_no_declaration(project: ReleaseProject) -> None:
    third(project)
    assert compatible(project.environments.release(THIRD), project.environments.release(SECOND))


@pytest.mark.parametrize(
    ("entries", "pointer", "expected"),
    [
        (["a", "b"], "b", "a"),
        (["a"], "b", "a"),
        (["a", "b", "a", "c"], "c", "a"),
        (["a", "b", "a"], "b", "a"),
        (["a", "b", "c", "b"], "b", "a"),
    ],
)
def test_the_way_back_leads_to_what_ran_before_the_present_release_first_did(
    project: ReleaseProject, monkeypatch: pytest.MonkeyPatch, entries: list[str], pointer: str, expected: str
) -> None:
    third(project)
    names = {"a": FIRST, "b": SECOND, "c": THIRD}
    records(project.root, *(("prod", names[entry]) for entry in entries))
    point(project.root, "prod", names[pointer])
    monkeypatch.setattr(promotion, "_recorded", nothing)
    monkeypatch.setattr(promotion.diff, "changes", nothing)
    found = rollback(project, "prod", "", print, database_restored=True)
    assert (found.before, found.after, project.environments.pointer("prod")) == (
        names[pointer],
        names[expected],
        names[expected],
    )


# -- the stack file ----------------------------------------------------------------------------------------------------


def test_only_the_releases_line_changes_and_its_comment_stays(
    project: ReleaseProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    point(project.root, "prod", SECOND)
    before = project.environments.path("prod").read_text(encoding="utf-8")
    monkeypatch.setattr(promotion, "_recorded", nothing)
    monkeypatch.setattr(promotion.diff, "changes", nothing)
    rollback(project, "prod", "", print, database_restored=True)
    after = project.environments.path("prod").read_text(encoding="utf-8")
    assert after == before.replace(
        "  ai-interface:release: 2026.11.1 # a release that staging has run\n",
        "  ai-interface:release: 2026.10.1 # a release that staging has run\n",
    )
    assert after != before


@pytest.mark.parametrize("line", ["ai-interface:release:\n    2026.11.1", "ai-interface:release: !!str 2026.11.1"])
def test_a_stack_file_of_another_form_is_left_alone(
    project: ReleaseProject, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    path = project.environments.path("prod")
    path.write_text(path.read_text(encoding="utf-8").replace(f"ai-interface:release: {FIRST}", line), encoding="utf-8")
    monkeypatch.setattr(promotion, "_recorded", nothing)
    assert "does not have ai-interface:release on a separate line" in refused(
        project, "rollback", "prod", database_restored=True
    )
