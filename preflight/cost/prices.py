"""The dated price table: ``prices.tsv``.

One row for each price and region. ``usd`` is the price of one ``unit`` as AWS's price list states it, so a row can be
compared with the list; an empty ``usd`` is a price that has not been read yet and is reported as not counted.
``preflight cost --refresh`` reads every row from AWS's Price List API.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from urllib.parse import urlsplit

from preflight.errors import PreflightError

TABLE = Path(__file__).with_name("prices.tsv")
COLUMNS = ("key", "region", "usd", "unit", "dated", "checked", "source", "service", "usage", "filters")
EVERYWHERE = "*"
"""The region of a price that is the same in every region."""
REFERENCE = "eu-west-1"
"""The region whose prices stand for those of a region that the table lacks: a total without most of the cost would be worse. Every
total that uses them names this region."""
OLDEST_DAYS = 183
"""Half a year: AWS changes some price in every quarter."""
REFRESH = "python -m preflight cost --refresh"


@dataclass(frozen=True, slots=True)
class Price:
    """One row."""

    key: str
    """The name of the priced item, for example ``elasticache.node-hour.cache.t4g.small``."""
    region: str
    """A region's name, or ``*``."""
    usd: Decimal | None
    """The price of one unit in US dollars; ``None`` if it has not been read yet."""
    unit: str
    """The unit of AWS's price list."""
    dated: datetime.date | None
    """The day on which the source states the price."""
    checked: datetime.date | None
    """The day on which the row was last read from its source."""
    source: str
    """The address of AWS's price list or page; after a space, where it was read if not there."""
    service: str
    """The code of the service in the Price List API."""
    usage: str
    """The usage type, without the prefix of a region."""
    filters: Mapping[str, str]
    """Further attributes of the product."""


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Every row, sorted by key and region."""

    rows: tuple[Price, ...]

    def find(self, key: str, region: str) -> Price | None:
        """The price in a region, or else in ``REFERENCE``; ``None`` if the table has neither."""
        known = {row.region: row for row in self.rows if row.key == key and row.usd is not None}
        return known.get(region) or known.get(EVERYWHERE) or known.get(REFERENCE)

    @property
    def checked(self) -> datetime.date:
        """The day on which the row that was read first was read."""
        return min(row.checked for row in self.rows if row.checked is not None)

    @property
    def oldest(self) -> Price:
        """The priced row with the oldest source."""
        return min(
            (row for row in self.rows if row.dated is not None), key=lambda row: (row.dated or row.checked, row.key)
        )

    @property
    def with_old_source(self) -> list[Price]:
        """The rows whose source was already older than half a year when they were checked."""
        dated = [(row, row.checked, row.dated) for row in self.rows]
        return [row for row, checked, day in dated if checked and day and (checked - day).days > OLDEST_DAYS]

    def stale(self, today: datetime.date) -> str:
        """A sentence with the fix if the table is older than half a year, otherwise empty."""
        age = (today - self.checked).days
        if age <= OLDEST_DAYS:
            return ""
        return (
            f"the price table was last checked on {self.checked}, {age} days ago, and AWS's prices change: run "
            f"`{REFRESH}` with credentials of any AWS account, review the changed rows of {TABLE.name} and commit them"
        )


def load(path: Path | None = None) -> PriceTable:
    """Read the table, by default ``TABLE``. Raises ``PreflightError`` with the line that is not a row."""
    path = path or TABLE
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    if tuple(first.split("\t")) != COLUMNS:
        raise PreflightError(f"{path.name}:1: the columns are {', '.join(COLUMNS)}, separated by tabs")
    rows = [_row(path, number, line) for number, line in enumerate(lines, start=2)]
    ordered = sorted(rows, key=lambda row: (row.key, row.region))
    if rows != ordered:
        raise PreflightError(f"{path.name}: sort the rows by key and region")
    names = [(row.key, row.region) for row in rows]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PreflightError(f"{path.name}: {' in '.join(twice[0])} is there twice; keep one row")
    return PriceTable(tuple(rows))


def text(rows: Iterable[Price]) -> str:
    """The content of the table's file."""
    lines = [COLUMNS, *(_cells(row) for row in sorted(rows, key=lambda row: (row.key, row.region)))]
    return "".join("\t".join(cells) + "\n" for cells in lines)


def _row(path: Path, number: int, line: str) -> Price:
    cells = line.split("\t")
    if len(cells) != len(COLUMNS):
        raise PreflightError(f"{path.name}:{number}: {len(cells)} columns; a row has {len(COLUMNS)}, separated by tabs")
    key, region, usd, unit, dated, checked, source, service, usage, filters = cells
    problem = _problem(cells)
    if problem:
        raise PreflightError(f"{path.name}:{number}: {problem}")
    return Price(
        key,
        region,
        Decimal(usd) if usd else None,
        unit,
        datetime.date.fromisoformat(dated) if dated else None,
        datetime.date.fromisoformat(checked) if checked else None,
        source,
        service,
        usage,
        dict(pair.split("=", 1) for pair in filters.split(";") if pair),
    )


def _problem(cells: Sequence[str]) -> str:
    """The problem with one row; empty if there is none."""
    key, region, usd, unit, dated, checked, source, service, usage, filters = cells
    if not all((key, region, unit, service, usage)):
        return "key, region, unit, service and usage must not be empty"
    if any("=" not in pair for pair in filters.split(";") if pair):
        return f"filters {filters!r} is not a list of attribute=value, separated by semicolons"
    if usd:
        return _problem_of_price(usd, dated, checked, source)
    return "a row without a price has no dates and no source" if dated or checked or source else ""


def _problem_of_price(usd: str, dated: str, checked: str, source: str) -> str:
    try:
        positive = Decimal(usd) > 0
        days = [datetime.date.fromisoformat(day) for day in (dated, checked)]
    except (InvalidOperation, ValueError) as error:
        return f"{error or usd}: usd is a number, dated and checked are days as 2026-11-30"
    if not positive:
        return f"usd is {usd}: a price is more than 0; leave it empty if it is not known"
    if days[0] > days[1]:
        return f"the source is dated {dated}, after the day on which it was checked ({checked})"
    secure = urlsplit(source.split(" ", maxsplit=1)[0]).scheme == "https"
    return "" if secure else f"the source {source!r} does not begin with an https address"


def _cells(row: Price) -> tuple[str, ...]:
    filters = ";".join(f"{name}={value}" for name, value in row.filters.items())
    usd = "" if row.usd is None else plain(row.usd)
    days = ["" if day is None else day.isoformat() for day in (row.dated, row.checked)]
    return (row.key, row.region, usd, row.unit, *days, row.source, row.service, row.usage, filters)


def plain(usd: Decimal) -> str:
    """A price without exponent and trailing zeros."""
    shown = f"{usd:f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown
