"""The command's formats and exit codes."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from preflight.__main__ import main
from preflight.commands import cost
from preflight.cost import prices
from preflight.cost.charges import GROUPS
from preflight.cost.render import as_markdown, as_text, rounded
from tests.preflight.cost.graphs import estimated
from tests.settings.stack_files import ROOT

PROJECT = ("-C", str(ROOT))


def test_the_text_has_every_group_with_its_items_the_total_and_what_is_not_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*PROJECT, "cost", "staging"]) == 0

    text = capsys.readouterr().out
    found = estimated("staging")
    assert f"{found.total.minimum:,.2f}" in text
    assert f"{found.total.maximum:,.2f}" in text
    assert all(f"\n  {group} " in text for group in GROUPS)
    assert all(line.what in text for line in found.lines)
    assert all(note in text for note in found.not_counted)
    assert all(charge.key in text for charge in found.unpriced)
    assert f"prices checked on {prices.load().checked}" in text
    assert "prod" not in text


def test_every_stack_is_estimated_in_the_order_of_promotion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*PROJECT, "cost", "--format", "json"]) == 0

    content = json.loads(capsys.readouterr().out)
    assert [stack["stack"] for stack in content["stacks"]] == ["staging", "prod"]
    for stack in content["stacks"]:
        total = sum(line["usd"]["minimum"] for line in stack["lines"])
        assert stack["total"]["minimum"] == pytest.approx(total, abs=0.01)
        assert all(line["source"].startswith("https://") and line["dated"] for line in stack["lines"])


def test_the_dearest_group_is_first() -> None:
    found = estimated("prod")

    costs = [found.subtotal(group).expected for group in found.groups]
    assert costs == sorted(costs, reverse=True)
    for group in found.groups:
        own = [line.usd.expected for line in found.of_group(group)]
        assert own == sorted(own, reverse=True)


def test_an_unknown_stack_is_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*PROJECT, "cost", "test"]) == 2
    assert "there is no stack file Pulumi.test.yaml; stacks with a file here: prod, staging" in capsys.readouterr().err


def test_an_old_table_is_said_in_every_format() -> None:
    table = prices.load()
    later = table.checked + timedelta(days=prices.OLDEST_DAYS + 1)

    assert f"warning: {table.stale(later)}" in as_text([estimated("prod")], table, later)
    assert table.stale(later) in as_markdown([estimated("prod")], table, later)
    assert "arning" not in as_text([estimated("prod")], table, table.checked)


def test_today_is_a_day() -> None:
    assert isinstance(cost._today(), date)  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(
    ("usd", "text"), [(0.5, "$0.50"), (7.4, "$7"), (491.17, "$490"), (949.2, "$950"), (2247.34, "$2,200")]
)
def test_a_sentence_rounds_to_two_digits(usd: float, text: str) -> None:
    assert rounded(usd) == text
