"""The price table: complete for the graphs, sorted, sourced, and refused with the line that is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from preflight.cost import prices
from preflight.cost.charges import Costed
from preflight.cost.estimate import _charges  # pyright: ignore[reportPrivateUsage]
from preflight.cost.models import INPUT, OUTPUT, tokens
from preflight.errors import PreflightError
from preflight.setup.sizes import SIZES
from settings.use import Use
from tests.preflight.cost.graphs import graphs

KEY, REGION, USD, UNIT, DATED, CHECKED, SOURCE = range(7)


def test_the_table_has_a_row_for_every_charge_of_the_graphs_and_no_other() -> None:
    table = prices.load()
    charged = {
        charge.key
        for graph in graphs()
        if graph.project == "ai-interface"
        for stack in [Costed.of(graph, Use())]
        for charge in (*_charges(stack), *tokens(stack, table))
    }
    nodes = {values["data.cache.nodeType"] for size in SIZES.values() for values in size.sections.values()}
    charged |= {f"elasticache.node-hour.{node}" for node in nodes}
    charged |= {"fargate.vcpu-hour.arm64", "fargate.gb-hour.arm64", "bedrock.guardrail-text-unit.topic"}
    of_models = (INPUT, OUTPUT)

    listed = {row.key for row in table.rows}

    assert {key for key in charged - listed if not key.startswith(of_models)} == set()
    assert listed - charged == set()


def test_the_committed_table_is_what_the_program_would_write() -> None:
    assert prices.text(prices.load().rows) == prices.TABLE.read_text(encoding="utf-8")


def test_every_price_has_a_source_and_a_date() -> None:
    for row in prices.load().rows:
        assert (row.usd is None) == (row.dated is None) == (row.checked is None) == (not row.source), row.key


def test_the_price_of_a_region_goes_before_the_price_of_every_region() -> None:
    table = prices.load()
    (row,) = [row for row in table.rows if row.key == "waf.rule-month"]
    own = replace(row, region="eu-west-1")
    both = prices.PriceTable((own, row))

    assert both.find("waf.rule-month", "eu-west-1") is own
    assert both.find("waf.rule-month", "ap-south-1") is row
    assert both.find("waf.rule-month-of-nothing", "eu-west-1") is None


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (USD, "0", "a price is more than 0"),
        (USD, "cheap", "usd is a number"),
        (DATED, "2026-13-01", "month must be in 1..12"),
        (DATED, "2027-01-01", "after the day on which it was checked"),
        (SOURCE, "a colleague", "does not begin with an https address"),
        (UNIT, "", "must not be empty"),
        (USD, "", "a row without a price has no dates and no source"),
        (KEY, "zzz", "sort the rows by key and region"),
    ],
)
def test_a_row_that_is_wrong_is_refused_with_its_place(tmp_path: Path, column: int, value: str, message: str) -> None:
    first, row, *rest = prices.TABLE.read_text(encoding="utf-8").splitlines()
    cells = row.split("\t")
    cells[column] = value
    changed = tmp_path / "prices.tsv"
    changed.write_text("\n".join([first, "\t".join(cells), *rest]), encoding="utf-8")

    with pytest.raises(PreflightError, match=message):
        prices.load(changed)


def test_a_row_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    first, row, *rest = prices.TABLE.read_text(encoding="utf-8").splitlines()
    changed = tmp_path / "prices.tsv"
    changed.write_text("\n".join([first, row, row, *rest]), encoding="utf-8")

    with pytest.raises(PreflightError, match="is there twice"):
        prices.load(changed)


def test_a_missing_column_is_refused(tmp_path: Path) -> None:
    changed = tmp_path / "prices.tsv"
    changed.write_text(prices.TABLE.read_text(encoding="utf-8").replace("\tfilters\n", "\n", 1), encoding="utf-8")

    with pytest.raises(PreflightError, match="the columns are key, region"):
        prices.load(changed)
