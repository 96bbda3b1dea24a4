"""The limits in time as a picture along the path."""

from __future__ import annotations

import math
import re

from markupsafe import Markup

from preflight.review.path_limits import PLACES, PathLimit


def picture(limits: list[PathLimit]) -> Markup:
    """The limits in time as bars along the path, on a logarithmic scale, so that a budget that does not fit is visible."""
    timed = sorted(
        (one for one in limits if one.seconds), key=lambda one: (PLACES.index(one.place), one.seconds, one.what)
    )
    if not timed:
        return Markup("")
    longest = max(one.seconds for one in timed)
    label, bar, row, top = 330, 520, 24, 8
    rows: list[Markup] = []
    for number, one in enumerate(timed):
        y = top + number * row
        length = max(bar * math.log10(1 + one.seconds) / math.log10(1 + longest), 3)
        rows.append(
            Markup(
                '<g class="bar {}"><title>{}</title><text x="{}" y="{}" text-anchor="end">{}</text>'
                '<rect x="{}" y="{}" width="{:.1f}" height="15" rx="3"/><text x="{:.1f}" y="{}">{}</text></g>'
            ).format(
                re.sub(r"[^a-z]+", "-", one.place),
                f"{one.place}: {one.what} {one.value} ({one.where})",
                label - 10,
                y + 12,
                f"{one.place}: {one.what}",
                label,
                y,
                length,
                label + length + 8,
                y + 12,
                one.value,
            )
        )
    height = 2 * top + row * len(timed)
    return Markup(
        '<svg class="bars" viewBox="0 0 960 {0}" width="960" height="{0}" role="img" aria-label="Limits in time along the path">{1}</svg>'
    ).format(height, Markup("").join(rows))
