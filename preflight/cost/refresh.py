"""Reads every price of the table from AWS's Price List API."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, cast

from preflight.cost.prices import EVERYWHERE, Price, PriceTable
from preflight.sdk.wire import Wire

API_REGION = "us-east-1"
"""The Price List API has endpoints in few regions; this one has the prices of all."""
SERVICE, OPERATION, ELEMENTS = "pricing", "get_products", "PriceList"
CALLS: Mapping[tuple[str, str], tuple[str, ...]] = {(SERVICE, OPERATION): ("pricing:GetProducts",)}
"""The call that the command makes, and the IAM action that it needs."""
ADDRESS = f"https://api.pricing.{API_REGION}.amazonaws.com"
_PREFIX = re.compile(r"^(?:[A-Z]{2,4}\d?|Global|[a-z]{2}(?:-[a-z]+)+-\d)-")
"""The region in front of a usage type: ``EU-``, ``USE1-``, or its whole name."""
Products = Callable[[str, list[dict[str, str]]], Iterable[str]]
"""Service code and filters → the products of the Price List API, each as JSON text."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The table with what AWS states today."""

    table: PriceTable
    changed: tuple[str, ...]
    """One line for each price that is new or different."""
    kept: tuple[str, ...]
    """One line for each row that was not refreshed, with the reason."""


def refreshed(table: PriceTable, regions: Sequence[str], products: Products, today: datetime.date) -> Refreshed:
    """Every row, and those that ``regions`` lack, with the prices of today. A row for which the API has no single price
    is kept as it is."""
    rows: list[Price] = []
    changed: list[str] = []
    kept: list[str] = []
    for row in wanted(table, regions):
        place = f"{row.key} in {row.region}"
        found = {usd for text in products(row.service, filters(row)) if (usd := price(row, json.loads(text)))}
        if len(found) != 1:
            reason = f"{len(found)} prices" if found else "no product"
            kept.append(f"{place}: the Price List API has {reason} for usage type {row.usage}; the row is unchanged")
            rows.append(row)
            continue
        (usd,) = found
        if usd != row.usd:
            changed.append(f"{place}: {'no price' if row.usd is None else row.usd} → {usd}")
        rows.append(replace(row, usd=usd, dated=today, checked=today, source=ADDRESS))
    return Refreshed(PriceTable(tuple(rows)), tuple(changed), tuple(kept))


def wanted(table: PriceTable, regions: Sequence[str]) -> list[Price]:
    """The rows of the table, and an empty row for each price that a region lacks."""
    rows = list(table.rows)
    known = {(row.key, row.region) for row in rows}
    own = {row.key: row for row in reversed(rows) if row.region != EVERYWHERE}
    for region in sorted(set(regions)):
        for key, row in own.items():
            if (key, region) not in known:
                rows.append(replace(row, region=region, usd=None, dated=None, checked=None, source=""))
    return sorted(rows, key=lambda row: (row.key, row.region))


def filters(row: Price) -> list[dict[str, str]]:
    """The filters of ``GetProducts`` for one row. The usage type's prefix differs by region and service, so it is
    compared in ``price``."""
    attributes = dict(row.filters)
    if row.region != EVERYWHERE:
        attributes["fromRegionCode" if row.service == "AWSDataTransfer" else "regionCode"] = row.region
    found = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in sorted(attributes.items())]
    return [*found, {"Type": "CONTAINS", "Field": "usagetype", "Value": row.usage}]


def price(row: Price, product: Wire) -> Decimal | None:
    """The price of the first unit on demand; ``None`` for a product of another usage type, or without a charge."""
    usage = str(product.get("product", {}).get("attributes", {}).get("usagetype", ""))
    if _PREFIX.sub("", usage) != row.usage and usage != row.usage:
        return None
    terms = cast("dict[str, Any]", product.get("terms", {}).get("OnDemand", {}))
    dimensions = [one for term in terms.values() for one in term.get("priceDimensions", {}).values()]
    first = [
        Decimal(one["pricePerUnit"]["USD"])
        for one in dimensions
        if one.get("beginRange", "0") == "0" and _same_unit(row.unit, str(one.get("unit", "")))
    ]
    charged = {usd for usd in first if usd > 0}
    return charged.pop() if len(charged) == 1 else None


def _same_unit(ours: str, theirs: str) -> bool:
    """Whether a price is for the same number of units: ``1K tokens`` is not ``1M tokens``. Names of units vary."""
    numbered = any(letter.isdigit() for letter in ours + theirs)
    return not numbered or ours.lower() == theirs.lower()
