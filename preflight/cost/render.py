"""An estimate as text, Markdown and JSON."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence

from preflight.cost.charges import Amount
from preflight.cost.estimate import CostLine, Estimate
from preflight.cost.prices import REFRESH, PriceTable, plain
from preflight.sdk.wire import Wire

_WHAT, _MONEY = 46, 12
_NAMES = ("minimum", "expected", "maximum")
_UNITS = {
    "ACU-Hr": "ACU-hour",
    "Alarms": "month",
    "GB-Hours": "GB-hour",
    "GB-Mo": "GB-month",
    "HostedZone": "month",
    "Hrs": "hour",
    "IOs": "I/O",
    "Keys": "month",
    "LCU-Hrs": "LCU-hour",
    "Request": "request",
    "RuleV2": "month",
    "Secrets": "month",
    "TextUnit": "text unit",
    "WebACLV2": "month",
    "hours": "hour",
}
"""AWS's unit → the word for it."""
MEANING = (
    "minimum: no request, the fewest tasks and capacity units around the clock; expected: the declared use; "
    "maximum: the most tasks and capacity units around the clock, with use multiplied as the tasks are"
)


def money(usd: float) -> str:
    """US dollars with cents and thousands."""
    return f"{usd:,.2f}"


def rounded(usd: float) -> str:
    """US dollars to two significant digits, for a sentence."""
    digits = len(str(int(usd)))
    return f"${round(usd, 2 - digits):,.0f}" if usd >= 1 else f"${usd:.2f}"


def dates(prices: PriceTable) -> str:
    """One sentence about the age of the prices."""
    text = f"prices checked on {prices.checked}; the oldest source is dated {prices.oldest.dated}"
    if old := [row.key for row in prices.with_old_source]:
        text += f"; older than half a year are the sources of {', '.join(old)}"
    return text


def as_text(estimates: Sequence[Estimate], prices: PriceTable, today: datetime.date) -> str:
    """For a terminal: every stack, what is not counted, and the dates."""
    lines = ["US dollars per month", ""]
    for one in estimates:
        head = f"{one.stack}, {one.region}, {one.people:,.0f} people"
        lines.append(_columns(head, _NAMES))
        for group in one.groups:
            lines.append(_columns(f"  {group}", _cells(one.subtotal(group))))
            lines += [_columns(f"    {line.what}", _cells(line.usd), _price(line)) for line in one.of_group(group)]
        lines += [_columns("  total", _cells(one.total)), *([f"  {one.elsewhere}"] if one.elsewhere else []), ""]
    lines += [MEANING, "", "not counted"]
    lines += [f"  {text}" for text in not_counted(estimates)]
    lines += ["", dates(prices)]
    if stale := prices.stale(today):
        lines.append(f"warning: {stale}")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def as_markdown(estimates: Sequence[Estimate], prices: PriceTable, today: datetime.date) -> str:
    """For a document or a comment."""
    lines = ["| US dollars per month | minimum | expected | maximum |", "|---|---:|---:|---:|"]
    for one in estimates:
        lines.append(f"| **{one.stack}** ({one.people:,.0f} people) {_row(one.total, bold=True)}")
        lines += [f"| {group} {_row(one.subtotal(group))}" for group in one.groups]
    lines += [f"\n**{one.stack}**: {one.elsewhere}." for one in estimates if one.elsewhere]
    lines += ["", MEANING[0].upper() + MEANING[1:] + ".", "", "Not counted:", ""]
    lines += [f"- {text}" for text in not_counted(estimates)]
    lines += ["", dates(prices)[0].upper() + dates(prices)[1:] + "."]
    if stale := prices.stale(today):
        lines += ["", f"**Warning:** {stale}."]
    return "\n".join(lines) + "\n"


def as_json(estimates: Sequence[Estimate], prices: PriceTable, today: datetime.date) -> str:
    """Everything, sorted."""
    content: Wire = {
        "checked": prices.checked.isoformat(),
        "oldestSource": {"key": prices.oldest.key, "dated": str(prices.oldest.dated)},
        "stale": prices.stale(today),
        "stacks": [_stack(one) for one in estimates],
    }
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def not_counted(estimates: Sequence[Estimate]) -> list[str]:
    """The costs that the totals leave out; prices that the table lacks first."""
    lacking = {(charge.what, charge.key, one.region) for one in estimates for charge in one.unpriced}
    found = [f"{what}: no price of {key} in {region}; {REFRESH} adds it" for what, key, region in sorted(lacking)]
    return [*found, *dict.fromkeys(text for one in estimates for text in one.not_counted)]


def _stack(one: Estimate) -> Wire:
    return {
        "stack": one.stack,
        "region": one.region,
        "people": round(one.people),
        "total": _amount(one.total),
        "otherRegion": one.elsewhere,
        "groups": {group: _amount(one.subtotal(group)) for group in one.groups},
        "lines": [
            {
                "group": line.group,
                "what": line.what,
                "quantity": _amount(line.quantity),
                "unit": line.price.unit,
                "usdPerUnit": plain(line.price.usd) if line.price.usd is not None else None,
                "usd": _amount(line.usd),
                "source": line.price.source,
                "dated": str(line.price.dated),
            }
            for line in one.lines
        ],
        "notCounted": not_counted([one]),
    }


def _amount(amount: Amount) -> Wire:
    return {name: round(getattr(amount, name), 4) for name in _NAMES}


def _cells(amount: Amount) -> tuple[str, ...]:
    return tuple(money(getattr(amount, name)) for name in _NAMES)


def _row(amount: Amount, *, bold: bool = False) -> str:
    cells = [f"**{cell}**" if bold else cell for cell in _cells(amount)]
    return f"| {' | '.join(cells)} |"


def _price(line: CostLine) -> str:
    usd = plain(line.price.usd) if line.price.usd is not None else ""
    return f"  {line.quantity.expected:,.0f} at {usd} per {_UNITS.get(line.price.unit, line.price.unit)}"


def _columns(what: str, cells: Sequence[str], note: str = "") -> str:
    return f"{what:<{_WHAT}}" + "".join(f"{cell:>{_MONEY}}" for cell in cells) + note
