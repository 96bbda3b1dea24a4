"""``check --watch`` keeps the recordings of stacks that a change cannot have affected, and no others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import pytest

from preflight.analysis.check import run
from preflight.pulumi.kept import Kept
from preflight.pulumi.project import Project
from preflight.recording.recorder import Recording
from tests.preflight.sample import PROGRAM, sample_project

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
