"""The price table is not older than half a year."""

from __future__ import annotations

import datetime
from dataclasses import replace
from datetime import timedelta

from preflight.cost import prices
from preflight.cost.render import dates


def test_the_price_table_is_not_older_than_half_a_year() -> None:
    """Fails by the calendar, not by a change: the message contains the command that renews the table."""
    stale = prices.load().stale(datetime.datetime.now(datetime.UTC).date())

    assert not stale, stale


def test_a_price_from_an_old_source_is_named_although_it_was_checked_today() -> None:
    table = prices.load()
    first = next(row for row in table.rows if row.usd is not None)
    assert first.checked is not None
    limit = first.checked - timedelta(days=prices.OLDEST_DAYS)

    at, over = (replace(first, dated=day) for day in (limit, limit - timedelta(days=1)))

    assert dates(prices.PriceTable((at,))).endswith(f"is dated {limit}")
    assert dates(prices.PriceTable((over,))).endswith(f"older than half a year are the sources of {first.key}")


def test_an_old_table_is_reported_with_the_command_that_renews_it() -> None:
    table = prices.load()
    last = table.checked + timedelta(days=prices.OLDEST_DAYS)

    assert table.stale(last) == ""
    assert prices.REFRESH in table.stale(last + timedelta(days=1))
    assert str(table.checked) in table.stale(last + timedelta(days=1))
