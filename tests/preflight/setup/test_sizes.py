"""What a size gives up is declared as an exception, and only there."""

from __future__ import annotations

import datetime as dt

import pytest

from policies.guardrails.exceptions import read
from policies.guardrails.rules import RULES
from preflight.setup import commented_yaml
from preflight.setup.exceptions import EXCEPTIONS, with_size
from preflight.setup.sizes import SIZES
from tests.settings.stack_files import ROOT

COMMITTED = (ROOT / EXCEPTIONS).read_text(encoding="utf-8")
TODAY = dt.datetime.now(dt.UTC).date()


def policies(text: str) -> list[str]:
    return [entry["policy"] for entry in commented_yaml.read(text)["exceptions"]]


@pytest.mark.parametrize("size", sorted(SIZES))
def test_the_exceptions_of_a_size_come_after_those_of_the_project(size: str) -> None:
    text = with_size(COMMITTED, size, "acme-assistants", TODAY)
    assert policies(text) == [*policies(COMMITTED), *(one.policy for one in SIZES[size].gives_up)]
    assert text.startswith(COMMITTED)


def test_every_exception_is_well_formed_and_in_force() -> None:
    for size in SIZES:
        text = with_size(COMMITTED, size, "acme-assistants", TODAY)
        found = read(text, [rule.name for rule in RULES], TODAY)
        assert found.problems == ()
        assert len(found.in_force) == len(policies(text))


def test_another_size_later_removes_the_exceptions_of_the_first() -> None:
    small = with_size(COMMITTED, "small", "acme-assistants", TODAY)
    assert with_size(small, "small", "acme-assistants", TODAY) == small
    assert policies(with_size(small, "standard", "acme-assistants", TODAY)) == policies(COMMITTED)


def test_a_project_without_exceptions_gets_those_of_its_size() -> None:
    text = with_size("exceptions: []\n", "small", "acme-assistants", TODAY)
    assert policies(text) == [one.policy for one in SIZES["small"].gives_up]


def test_a_size_that_gives_up_less_than_another_has_no_reason_to_be_excepted() -> None:
    assert [size for size, given in SIZES.items() if given.gives_up] == ["small"]
