"""The monthly cost of one stack: line items, totals, and what is not counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from preflight.cost.charges import GROUPS, Amount, Charge, Costed
from preflight.cost.models import chat_models, tokens
from preflight.cost.prices import EVERYWHERE, REFERENCE, REFRESH, Price, PriceTable
from preflight.cost.resources import CHARGED
from preflight.cost.types import ALWAYS_NOT_COUNTED, FREE, NOT_COUNTED
from preflight.recording.recorder import Recording
from settings.use import Use


@dataclass(frozen=True, slots=True)
class CostLine:
    """One priced item."""

    group: str
    what: str
    quantity: Amount
    price: Price
    usd: Amount
    """Per month."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """One stack's cost per month in US dollars."""

    stack: str
    region: str
    people: float
    """In the expected month."""
    lines: tuple[CostLine, ...]
    """Sorted by group in the order of ``GROUPS``, and in a group by the expected cost, the highest first."""
    unpriced: tuple[Charge, ...]
    """The charges for which the table has no price in this region."""
    not_counted: tuple[str, ...]

    @property
    def elsewhere(self) -> str:
        """A sentence about the prices of another region that it uses; empty if it uses none."""
        number = sum(line.price.region not in (self.region, EVERYWHERE) for line in self.lines)
        if not number:
            return ""
        return (
            f"{number} of {len(self.lines)} prices are those of {REFERENCE}, because the table has none of {self.region}: "
            f"{REFRESH}, with credentials of any AWS account, adds them"
        )

    @property
    def total(self) -> Amount:
        """The sum of every line."""
        return _sum(self.lines)

    def of_group(self, group: str) -> list[CostLine]:
        """The lines of one group."""
        return [line for line in self.lines if line.group == group]

    def subtotal(self, group: str) -> Amount:
        """The sum of one group."""
        return _sum(self.of_group(group))

    @property
    def groups(self) -> list[str]:
        """The groups that have lines, the dearest first."""
        present = [group for group in GROUPS if self.of_group(group)]
        return sorted(present, key=lambda group: -self.subtotal(group).expected)


def estimate(recording: Recording, prices: PriceTable, use: Use) -> Estimate:
    """The cost of the recorded stack; ``use`` is its declared use."""
    stack = Costed.of(recording, use)
    charges = _merged([*_charges(stack), *tokens(stack, prices)])
    lines = [_line(charge, price) for charge in charges if (price := prices.find(charge.key, stack.region))]
    lines.sort(key=lambda line: (GROUPS.index(line.group), -line.usd.expected, line.what))
    unpriced = [c for c in charges if c.amount.expected > 0 and prices.find(c.key, stack.region) is None]
    people = stack.expected.people
    return Estimate(recording.stack, stack.region, people, tuple(lines), tuple(unpriced), tuple(_not_counted(stack)))


def _charges(stack: Costed) -> Iterator[Charge]:
    for resource in stack.recording.resources:
        if resource.type in CHARGED and not resource.external:
            yield from CHARGED[resource.type](resource, stack)


def _merged(charges: list[Charge]) -> list[Charge]:
    """One charge for all resources of a kind, in the order of the resources' URNs."""
    merged: dict[tuple[str, str, str], Charge] = {}
    for charge in charges:
        key = (charge.group, charge.what, charge.key)
        before = merged.get(key)
        amount = charge.amount if before is None else before.amount.plus(charge.amount)
        merged[key] = Charge(charge.group, charge.what, charge.key, amount)
    return list(merged.values())


def _line(charge: Charge, price: Price) -> CostLine:
    return CostLine(charge.group, charge.what, charge.amount, price, charge.amount.times(float(price.usd or 0)))


def _sum(lines: tuple[CostLine, ...] | list[CostLine]) -> Amount:
    total = Amount.fixed(0)
    for line in lines:
        total = total.plus(line.usd)
    return total


def _not_counted(stack: Costed) -> list[str]:
    types = {one.type for one in stack.recording.resources if one.custom and not one.external}
    found = sorted({NOT_COUNTED[type_] for type_ in types if type_ in NOT_COUNTED})
    found += [f"{type_}: preflight does not know what it costs" for type_ in sorted(unclassified(stack.recording))]
    if not chat_models(stack):
        found.append("the models, which are not called at Bedrock's runtime")
    return [*found, *ALWAYS_NOT_COUNTED]


def unclassified(recording: Recording) -> set[str]:
    """The types of resources that no table names."""
    types = {one.type for one in recording.resources if one.custom and not one.external}
    return types - set(CHARGED) - set(FREE) - set(NOT_COUNTED)
