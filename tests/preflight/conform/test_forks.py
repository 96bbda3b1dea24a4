"""The checks of several stacks run side by side with the results of one process."""

from __future__ import annotations

import os

import pytest

from preflight.conform import forks
from preflight.errors import PreflightError

ITEMS = list(range(7))


class UnsendableError(Exception):
    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


@pytest.fixture(params=[1, 2, 3])
def processors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(forks, "processors", lambda: request.param)
    return request.param


def test_results_come_in_the_order_of_the_items_whatever_their_weight(processors: int) -> None:
    answers = forks.each(lambda item: (item * item, os.getpid()), ITEMS, [5, 1, 9, 1, 1, 3, 2])
    assert [square for square, _ in answers] == [item * item for item in ITEMS]
    assert len({process for _, process in answers}) == processors


def test_nothing_to_do_is_no_result(processors: int) -> None:
    assert forks.each(lambda item: item, [], []) == [], processors


def test_the_groups_are_of_about_the_same_weight_and_none_is_empty() -> None:
    assert forks.shared_out(["staging", "prod", "account"], [370, 383, 48], 2) == [["prod"], ["staging", "account"]]
    assert forks.shared_out(["one"], [1], 8) == [["one"]]


@pytest.mark.parametrize("failing", [0, len(ITEMS) - 1])
@pytest.mark.parametrize("error", [PreflightError("cfn-lint is absent"), UnsendableError("this", "that")])
def test_what_a_check_raises_is_raised_here_and_no_process_is_left(
    processors: int, failing: int, error: Exception
) -> None:
    def work(item: int) -> int:
        if item == failing:
            raise error
        return item

    with pytest.raises((PreflightError, UnsendableError, RuntimeError), match=str(error)):
        forks.each(work, ITEMS, ITEMS)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    assert processors


def test_a_process_that_ends_without_a_result_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forks, "processors", lambda: 2)
    here = os.getpid()

    def work(item: int) -> int:
        if os.getpid() != here:
            os._exit(9)
        return item

    with pytest.raises(PreflightError, match="ended without a result"):
        forks.each(work, ITEMS, ITEMS)
