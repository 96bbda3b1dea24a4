"""``check --watch`` keeps recordings of and findings on the stacks that a change cannot have affected, and no others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import pytest

from policies.parity import released
from preflight.analysis import parity
from preflight.analysis.check import run
from preflight.analysis.watching import derived_from
from preflight.findings import Finding, Verdict
from preflight.pulumi.analyzer import read_of_other_stacks
from preflight.pulumi.kept import Kept
from preflight.pulumi.packs import packs_of
from preflight.pulumi.project import Project
from preflight.recording.recorder import Recording
from releases import environments
from tests import once
from tests.preflight.sample import PROGRAM, sample_project
from tests.settings.stack_files import ROOT

READS = (
    PROGRAM + "from pathlib import Path\nif pulumi.get_stack() == 'blue':\n    Path('Pulumi.green.yaml').read_text()\n"
)


def names(kept: Kept) -> set[str]:
    return {name for name, _ in kept.recordings}


def recorded(project: Project, kept: Kept) -> Mapping[tuple[str, bool], Recording]:
    """Both stacks in both modes; only those that are not kept are run."""
    missing, said = sorted({"blue", "green"} - names(kept)), list[str]()
    found = run(project, [project.stack(name) for name in ("blue", "green")], said.append, kept=kept)
    assert said[-1] == f"running the program for {', '.join(missing)}"
    return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.load(sample_project(tmp_path / "shop"))


def test_a_changed_stack_is_recorded_again_and_the_other_one_is_not(project: Project) -> None:
    kept = Kept()
    first = recorded(project, kept)
    assert names(kept) == {"blue", "green"}
    file = project.root / "Pulumi.green.yaml"
    file.write_text(file.read_text().replace("30", "90"))
    kept = kept.without({"Pulumi.green.yaml"}, listed=False)
    second = recorded(Project.load(project.root), kept)
    assert names(kept) == {"blue", "green"}
    assert second["blue", True] is first["blue", True]
    fresh = recorded(Project.load(project.root), Kept())
    assert {key: repr(one) for key, one in second.items()} == {key: repr(one) for key, one in fresh.items()}


def test_a_stack_whose_run_reads_the_changed_file_is_recorded_again(tmp_path: Path) -> None:
    project = Project.load(sample_project(tmp_path / "shop", READS))
    kept = Kept()
    recorded(project, kept)
    assert names(kept.without({"Pulumi.green.yaml"}, listed=False)) == set()
    assert names(kept.without({"Pulumi.blue.yaml"}, listed=False)) == {"green"}


@pytest.mark.parametrize("how", ["project", "listed", "day"])
def test_nothing_is_kept_where_everything_may_depend_on_the_change(project: Project, how: str) -> None:
    kept = Kept()
    recorded(project, kept)
    if how == "day":
        kept.day -= dt.timedelta(days=1)
    changed = {"Pulumi.yaml"} if how == "project" else {"Pulumi.green.yaml"}
    assert names(kept.without(changed, listed=how == "listed")) == set()


def test_another_configuration_is_not_the_kept_one(project: Project) -> None:
    kept = Kept()
    recorded(project, kept)
    stack = project.stack("green")
    assert len(kept.of(stack, (False, True))) == 2
    other = type(stack)(stack.name, stack.path, {**stack.config, "shop:timeout": "31"}, stack.secret_keys)
    assert kept.of(other, (False, True)) == {}


def test_findings_are_kept_of_stacks_that_are_not_recorded_again(project: Project) -> None:
    kept = Kept()
    recorded(project, kept)
    pack, found = project.root / "pack", {"blue": [finding("blue")], "green": [finding("green")]}
    for name, findings in found.items():
        kept.keep_findings(pack, {}, name, {}, findings)
    kept = kept.without({"Pulumi.green.yaml"}, listed=False)
    blue, green = project.stack("blue"), project.stack("green")
    assert kept.findings_of(pack, {}, blue, {}) == found["blue"]
    assert kept.findings_of(pack, {"a-policy": {"enforcementLevel": "disabled"}}, blue, {}) is None
    assert kept.findings_of(project.root / "other", {}, blue, {}) is None
    assert kept.findings_of(pack, {}, green, {}) is None
    kept.keep_findings(pack, {}, "green", {}, found["green"])  # of the check that recorded it again
    recorded(project, kept)
    assert kept.findings_of(pack, {}, green, {}) is None
    assert kept.findings_of(pack, {}, blue, {}) == found["blue"]


def test_findings_are_kept_while_what_the_pack_reads_of_other_stacks_is_the_same(project: Project) -> None:
    kept = Kept()
    recorded(project, kept)
    pack, blue, found = project.root / "pack", project.stack("blue"), [finding("blue")]
    there: dict[str, dict[str, str | None]] = {"green": {"shop:timeout": "30"}}
    kept.keep_findings(pack, {}, "blue", there, found)
    kept = kept.without({"Pulumi.green.yaml"}, listed=False)
    assert kept.findings_of(pack, {}, blue, there) == found
    assert kept.findings_of(pack, {}, blue, {"green": {"shop:timeout": "31"}}) is None
    assert kept.findings_of(pack, {}, blue, {}) is None
    kept = kept.without({"Pulumi.other.yaml"}, listed=False)  # a stack that is not checked
    assert kept.findings_of(pack, {}, blue, there) is None


def test_what_is_derived_is_kept_of_stacks_that_do_not_change(project: Project) -> None:
    kept = Kept()
    recorded(project, kept)
    kept.derived = derived_from(kept.recordings, compares=True)
    assert {*kept.derived.graphs} == {*kept.derived.shapes} == {"blue", "green"}
    after = kept.without({"Pulumi.green.yaml"}, listed=False)
    assert after.derived.graphs["blue"] is kept.derived.graphs["blue"]
    assert {*after.derived.graphs} == {*after.derived.shapes} == {"blue"}
    assert {*after.derived.previews} == {("blue", False), ("blue", True)}
    assert not kept.to_send().derived.graphs
    assert derived_from(kept.recordings, compares=False).shapes == {}


def finding(stack: str) -> Finding:
    return Finding(environment=stack, rule="a-policy", verdict=Verdict.VIOLATED, headline="it is")


def test_each_pack_declares_what_it_reads_of_other_stacks(monkeypatch: pytest.MonkeyPatch) -> None:
    declared = {folder.name: read_of_other_stacks(folder) for folder in packs_of(ROOT)}
    found = once.recordings("staging", "prod")
    shapes = parity.shapes_of(found)
    read: set[tuple[str, str]] = set()
    value = environments._value  # pyright: ignore[reportPrivateUsage]

    def noted(root: Path, environment: str, key: str) -> object:
        read.add((environment, key))
        return value(root, environment, key)

    monkeypatch.setattr(environments, "_value", noted)
    of_others: set[str] = set()
    for name in ("staging", "prod"):
        read.clear()
        released.evaluated(shapes[name], ("staging", "prod"), ROOT)
        of_others |= {key for environment, key in read if environment != name}
    assert declared == {"guardrails": (), "parity": (*sorted(of_others),)}
    files = [
        path.name for path in (ROOT / "policies" / "parity").rglob("*.py") if "stack_file" in path.read_text("utf-8")
    ]
    assert files == []
    named = [path for path in (ROOT / "policies" / "guardrails").rglob("*.py") if "Pulumi.{" in path.read_text("utf-8")]
    assert named == []
