"""The effect of a change on the cost per month, for ``preflight diff``."""

from __future__ import annotations

from collections.abc import Mapping

from preflight.cost.charges import Costed
from preflight.cost.estimate import Estimate, estimate
from preflight.cost.prices import PriceTable
from preflight.cost.render import money
from preflight.recording.recorder import Recording
from settings.use import Use

_NAMES = ("minimum", "expected", "maximum")
_CENT = 0.005


def changed(before: Recording, after: Recording, use: Use, prices: PriceTable) -> tuple[str, ...]:
    """One line for the total and one for each item that costs more or less; empty if nothing does. Both sides are
    estimated for the people of ``after``, so that a difference follows from the resources."""
    people = max(1, round(Costed.of(after, use).expected.people))
    same = use.model_copy(update={"people": people})
    old, new = (estimate(recording, prices, same) for recording in (before, after))
    items = {key: _difference(_items(old), _items(new), key) for key in sorted({*_items(old), *_items(new)})}
    different = {key: by for key, by in items.items() if max(map(abs, by)) >= _CENT}
    found = [
        f"{what}: {_signed(by)}" for what, by in sorted(different.items(), key=lambda item: (-abs(item[1][1]), item[0]))
    ]
    lacking = {charge.what for charge in new.unpriced} - {charge.what for charge in old.unpriced}
    found += [f"{what}: not counted, the table has no price for it in {new.region}" for what in sorted(lacking)]
    total = [f"{name} {money(getattr(old.total, name))} → {money(getattr(new.total, name))}" for name in _NAMES]
    return (f"US dollars for {people:,} people: {', '.join(total)}", *found) if found else ()


def _items(of: Estimate) -> Mapping[str, tuple[float, ...]]:
    """The name of each item, with the key of its price → its cost."""
    return {f"{one.what} ({one.price.key})": (one.usd.minimum, one.usd.expected, one.usd.maximum) for one in of.lines}


def _difference(
    old: Mapping[str, tuple[float, ...]], new: Mapping[str, tuple[float, ...]], key: str
) -> tuple[float, ...]:
    nothing = (0.0, 0.0, 0.0)
    return tuple(after - before for before, after in zip(old.get(key, nothing), new.get(key, nothing), strict=True))


def _signed(by: tuple[float, ...]) -> str:
    return ", ".join(f"{name} {usd:+,.2f}" for name, usd in zip(_NAMES, by, strict=True))
