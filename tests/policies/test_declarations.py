"""Every declaration with an expiry is read in one way, whichever file it is in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from policies.guardrails import exceptions
from policies.guardrails.declarations import Form, matches, read
from policies.guardrails.rules import RULES
from policies.guardrails.topology.graph.verdicts import Finding
from policies.parity import declarations as differences
from preflight.changes import accepted
from preflight.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[2]
TODAY = dt.date(2026, 11, 24)
FORM = Form("things.yaml", "things", ("thing",), ("part",), others=("order",), longest_days=30)
ENTRY = {"thing": "a", "reason": "because", "owner": "platform", "expires": dt.date(2026, 12, 1)}


def problems(*entries: object, **others: object) -> list[Finding]:
    _, found = read(yaml.safe_dump({"things": list(entries), **others}), FORM, TODAY)
    return list(found)


def test_an_entry_that_is_in_order_is_in_force_with_its_line() -> None:
    text = "order: [x]\nthings:\n  - {thing: a, reason: 'be\n     cause', owner: platform, expires: 2026-12-01}\n"
    (entry,), found = read(text, FORM, TODAY)
    assert found == ()
    assert (entry.number, entry.line, entry.reason, entry.owner) == (1, 3, "be cause", "platform")
    assert (entry.values["part"], entry.expires) == ("", dt.date(2026, 12, 1))


@pytest.mark.parametrize("text", ["", "things:\n", "things: []\n", "# nothing\n"])
def test_a_file_without_entries_is_in_order(text: str) -> None:
    assert read(text, FORM, TODAY) == ((), ())


@pytest.mark.parametrize(
    ("changes", "headline", "found"),
    [
        ({"owner": ""}, "has no owner", "not set"),
        ({"reason": "  "}, "has no reason", "not set"),
        ({"thing": None}, "has no thing", "not set"),
        ({"expires": None}, "has no expires", "not set"),
        ({"until": "x"}, "has an unknown key", "until"),
        ({"expires": "soon"}, "has no valid expiry date", "soon"),
        ({"expires": 20261201}, "has no valid expiry date", "20261201"),
        ({"expires": dt.datetime(2026, 12, 1, 9, 0)}, "has no valid expiry date", "2026-12-01 09:00:00"),
        ({"expires": TODAY}, "has expired", "2026-11-24"),
        ({"expires": dt.date(2026, 12, 25)}, "is valid for too long", "2026-12-25"),
    ],
)
def test_what_is_wrong_with_an_entry_is_said_in_one_wording(
    changes: dict[str, object], headline: str, found: str
) -> None:
    (problem,) = problems({**ENTRY, "thing": "other"}, {**ENTRY, **changes})
    assert (problem.headline, problem.found) == (f"things.yaml entry 2 {headline}", found)
    assert problem.line == 1 + len(ENTRY) + 1
    assert problem.fix


def test_the_last_day_and_the_longest_time_are_in_order() -> None:
    for day in (TODAY + dt.timedelta(days=1), TODAY + dt.timedelta(days=30)):
        assert problems({**ENTRY, "expires": day}) == []


def test_a_date_that_does_not_exist_is_no_valid_date() -> None:
    _, (problem,) = read("things: [{thing: a, reason: b, owner: c, expires: 2026-13-45}]", FORM, TODAY)
    assert (problem.headline, problem.found) == ("things.yaml entry 1 has no valid expiry date", "2026-13-45")


def test_an_entry_that_repeats_another_is_a_finding_and_the_first_is_in_force() -> None:
    text = yaml.safe_dump({"things": [ENTRY, {**ENTRY, "part": "p"}, {**ENTRY, "reason": "another"}]})
    entries, (problem,) = read(text, FORM, TODAY)
    assert [entry.number for entry in entries] == [1, 2]
    assert problem.headline == "things.yaml entry 3 repeats entry 1"


def test_a_key_that_is_written_twice_is_a_finding() -> None:
    _, (problem,) = read("things: [{thing: a, reason: b, owner: c, owner: d, expires: 2026-12-01}]", FORM, TODAY)
    assert (problem.headline, problem.found) == ("things.yaml entry 1 repeats a key", "owner")


def test_a_key_of_the_file_that_nothing_reads_is_a_finding() -> None:
    (problem,) = problems(ENTRY, thing=[])
    assert (problem.headline, problem.found) == ("things.yaml has an unknown key", "thing")


@pytest.mark.parametrize(
    ("text", "headline"),
    [("things: [", "is unreadable"), ("- a", "is not a mapping"), ("things: all", "is not a list")],
)
def test_a_file_of_another_form_is_a_finding(text: str, headline: str) -> None:
    entries, (problem,) = read(text, FORM, TODAY)
    assert (entries, problem.headline) == ((), f"things.yaml {headline}")


def test_brackets_of_a_property_path_are_no_pattern() -> None:
    assert matches("rules[0].*", "rules[0].action")
    assert not matches("rules[0].*", "rules0.action")


def of_exceptions(text: str) -> tuple[int, list[str]]:
    found = exceptions.read(text, (rule.name for rule in RULES), TODAY)
    return len(found.in_force), [problem.headline for problem in found.problems]


def of_differences(text: str) -> tuple[int, list[str]]:
    found = differences.read(text, TODAY)
    return len(found.in_force), [problem.headline for problem in found.problems]


def of_accepted_changes(text: str, folder: Path) -> tuple[int, list[str]]:
    (folder / "policies").mkdir(exist_ok=True)
    (folder / accepted.FILE).write_text(text, encoding="utf-8")
    try:
        return len(accepted.read(folder, TODAY)), []
    except ConfigurationError as error:
        return 0, [line.partition(" (found")[0] for line in str(error).splitlines()]


FILES = {
    "policies/exceptions.yaml": "exceptions",
    "policies/parity/differences.yaml": "differences",
    "policies/accepted-changes.yaml": "accepted",
}


@pytest.mark.parametrize("file", FILES)
def test_the_committed_files_and_a_bad_entry_in_each(file: str, tmp_path: Path) -> None:
    """One loader reads all three: the same mistake has the same words."""
    reading: dict[str, Callable[[str], tuple[int, list[str]]]] = {
        "exceptions": of_exceptions,
        "differences": of_differences,
        "accepted": lambda text: of_accepted_changes(text, tmp_path),
    }
    read_as = reading[FILES[file]]
    content = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))
    entries = content[FILES[file]]
    assert read_as(yaml.safe_dump(content)) == (len(entries), [])
    content[FILES[file]] = [*entries, {"expires": TODAY}]
    _, found = read_as(yaml.safe_dump(content))
    place = f"{file if FILES[file] == 'accepted' else Path(file).name} entry {len(entries) + 1}"
    assert {f"{place} has no reason", f"{place} has no owner", f"{place} has expired"} <= {*found}
