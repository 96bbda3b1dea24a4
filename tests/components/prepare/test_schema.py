"""What an image does with the schema that it finds: the decision alone."""

from pathlib import Path

import pytest

from components.prepare.report import PrepareError
from components.prepare.schema import COMPATIBLE, MIGRATE, START, Revisions, Statement, decide, revisions

OLD, NEW = Statement("2026.9.1", "1111", ()), Statement("2026.10.1", "2222", ("2026.9.1",))
NEWEST = Statement("2026.10.2", "2222", ())
IMAGE = Revisions(frozenset({"0000", "1111"}), "1111")


@pytest.mark.parametrize(
    ("found", "declared", "recorded", "step"),
    [
        (None, [], [], MIGRATE),
        ("0000", [], [], MIGRATE),
        ("1111", [], [], START),
        ("2222", [NEW], [], COMPATIBLE),
        ("2222", [], [NEW], COMPATIBLE),
        # A manifest may learn later that two releases are compatible; the record is as old as the migration.
        ("2222", [NEW], [Statement("2026.10.1", "2222", ())], COMPATIBLE),
    ],
)
def test_a_release_starts_migrates_or_runs_on_what_a_later_one_made(
    found: str | None, declared: list[Statement], recorded: list[Statement], step: str
) -> None:
    assert decide(found, OLD, IMAGE, [OLD, *declared], recorded) == step


@pytest.mark.parametrize(
    ("declared", "recorded", "parts"),
    [
        ([], [], ["neither a manifest nor a record in the database identifies the release that created it"]),
        ([Statement("2026.10.1", "2222", ())], [NEW], ["release 2026.10.1 made it", "are: no earlier one"]),
        # The latest release with that schema has the last word, and 2026.10.2 is later than 2026.9.1.
        ([NEW, NEWEST], [], ["release 2026.10.2 made it"]),
        (
            [],
            [Statement("2026.10.1", "2222", ("2026.8.1",), "2026-11-25T18:22:00Z")],
            ["are: 2026.8.1.", "before 2026.10.1 first started (before 2026-11-25T18:22:00Z)", "start 2026.10.1 again"],
        ),
    ],
)
def test_a_schema_on_which_nobody_said_that_it_works_stops_it_with_both_ways_out(
    declared: list[Statement], recorded: list[Statement], parts: list[str]
) -> None:
    with pytest.raises(PrepareError) as stopped:
        decide("2222", OLD, IMAGE, [OLD, *declared], recorded)

    for part in ["revision 2222, which release 2026.9.1 does not know", "Nothing was changed", *parts]:
        assert part in str(stopped.value)


def test_a_manifest_that_names_another_revision_than_its_image_is_refused() -> None:
    with pytest.raises(PrepareError, match=r"declares schema.revision 2222, but .* end at 1111: correct the manifest"):
        decide("1111", NEW, IMAGE, [NEW], [])


def test_revisions_are_read_without_running_a_migration(tmp_path: Path) -> None:
    versions = tmp_path / "versions"
    versions.mkdir()
    (versions / "a.py").write_text("raise SystemExit\nrevision = 'aa'\ndown_revision = None\n")
    (versions / "b.py").write_text(
        "from typing import Union\nrevision: str = 'bb'\ndown_revision: Union[str, None] = 'aa'\n"
    )
    (versions / "c.py").write_text("revision = 'cc'\ndown_revision = 'aa'\n")
    (versions / "d.py").write_text("revision = 'dd'\ndown_revision = ('bb', 'cc')\n")

    assert revisions(tmp_path) == Revisions(frozenset({"aa", "bb", "cc", "dd"}), "dd")
    (versions / "d.py").unlink()
    with pytest.raises(PrepareError, match=r"has 2 last migrations \(bb, cc\)"):
        revisions(tmp_path)
