"""Lays out a diagram and draws it as SVG: columns from the internet on the left to AWS's services on the right.

The layout is a function of the diagram alone, so the same graph always gives the same drawing. Every arrow is a link to its row in the
table of connections, so that the keyboard and a screen reader reach what the mouse shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from preflight.review.diagram import COLUMNS, TITLES, Diagram, Link, Node

WIDTHS = {"internet": 170, "edge": 200, "compute": 190, "stores": 205, "aws": 220}
"""The width of each column's boxes."""
GAP, ROW, MARGIN = 74, 14, 26
"""Between columns, between boxes, and inside the frames."""
TOP = 92
"""Above the boxes: the titles of the frames and the columns."""
TITLE_HEIGHT, LINE_HEIGHT, PADDING = 18, 15, 9
_LETTERS = 6.6
"""The width of a letter, to cut texts that would leave their box."""


@dataclass(frozen=True, slots=True)
class Box:
    """A placed node."""

    node: Node
    x: float
    y: float
    width: float
    height: float


def svg(diagram: Diagram, name: str) -> Markup:
    """The drawing. ``name`` is the environment's, part of the ids of the rows that arrows link to."""
    boxes = _placed(diagram)
    width = max(box.x + box.width for box in boxes.values()) + MARGIN + 14
    height = max(box.y + box.height for box in boxes.values()) + MARGIN + 14
    parts = [
        Markup(
            '<svg class="diagram" viewBox="0 0 {} {}" width="{}" height="{}" role="group" aria-label="{}" xmlns="http://www.w3.org/2000/svg">'
        ).format(
            _n(width),
            _n(height),
            _n(width),
            _n(height),
            f"Architecture of {name}: boxes and the connections between them",
        ),
        Markup(
            '<defs><marker id="arrow-{0}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">'
            '<path class="head" d="M0 0L8 4L0 8z"/></marker></defs>'
        ).format(name),
        _frames(diagram, boxes, height),
        _links(diagram, boxes, name),
        Markup("").join(_box(box) for box in boxes.values()),
        Markup("</svg>"),
    ]
    return Markup("\n").join(parts)


def connection_id(name: str, number: int) -> str:
    """The id of a connection's row in the table."""
    return f"connection-{name}-{number}"


def _placed(diagram: Diagram) -> dict[str, Box]:
    columns = {column: [node for node in diagram.nodes if node.column == column] for column in COLUMNS}
    heights = {column: sum(map(_height, nodes)) + ROW * max(len(nodes) - 1, 0) for column, nodes in columns.items()}
    tallest = max(heights.values(), default=0)
    boxes: dict[str, Box] = {}
    x = float(MARGIN)
    for column in COLUMNS:
        if not columns[column]:
            continue
        y = TOP + (tallest - heights[column]) / 2
        for node in columns[column]:
            boxes[node.key] = Box(node, x, y, WIDTHS[column], _height(node))
            y += _height(node) + ROW
        x += WIDTHS[column] + GAP
    return boxes


def _height(node: Node) -> float:
    return TITLE_HEIGHT + LINE_HEIGHT * len(node.lines) + 2 * PADDING


def _frames(diagram: Diagram, boxes: Mapping[str, Box], height: float) -> Markup:
    """The account around everything that is not the internet, the network inside it, and the subnets."""
    parts: list[Markup] = []
    inside = [box for box in boxes.values() if box.node.column in ("edge", "compute", "stores")]
    account = [box for box in boxes.values() if box.node.column != "internet"]
    if account and diagram.account:
        label = f"AWS account {diagram.account}, {diagram.region}"
        parts.append(_frame("account", account, label, around=20, top=14, bottom=height - 14))
    if inside and diagram.network:
        parts.append(_frame("network", inside, f"VPC {diagram.network}", around=12, top=34, bottom=height - 24))
    for column in COLUMNS:
        own = [box for box in boxes.values() if box.node.column == column]
        if own and column in ("edge", "compute", "stores"):
            parts.append(_frame(f"subnets {column}", own, TITLES[column], around=6, top=54, bottom=height - 32))
        elif own:
            parts.append(Markup('<text class="column" x="{}" y="72">{}</text>').format(_n(own[0].x), TITLES[column]))
    return Markup("\n").join(parts)


def _frame(kind: str, boxes: list[Box], label: str, *, around: float, top: float, bottom: float) -> Markup:
    left = min(box.x for box in boxes) - around
    right = max(box.x + box.width for box in boxes) + around
    return Markup(
        '<g class="frame {}"><rect x="{}" y="{}" width="{}" height="{}" rx="8"/><text x="{}" y="{}">{}</text></g>'
    ).format(
        kind,
        _n(left),
        _n(top),
        _n(right - left),
        _n(bottom - top),
        _n(left + 8),
        _n(top + 14),
        _cut(label, right - left),
    )


def _box(box: Box) -> Markup:
    node = box.node
    lines = [
        Markup('<text class="title" x="{}" y="{}">{}</text>').format(
            _n(box.x + 9), _n(box.y + PADDING + 12), _cut(node.title, box.width - (64 if node.public else 0))
        )
    ]
    for number, text in enumerate(node.lines, start=1):
        y = box.y + PADDING + 12 + TITLE_HEIGHT + LINE_HEIGHT * (number - 1) - 1
        lines.append(Markup('<text x="{}" y="{}">{}</text>').format(_n(box.x + 9), _n(y), _cut(text, box.width)))
    if node.public:
        lines.append(
            Markup('<text class="badge" x="{}" y="{}" text-anchor="end">PUBLIC</text>').format(
                _n(box.x + box.width - 8), _n(box.y + PADDING + 12)
            )
        )
    full = "; ".join((node.title, *(["public"] if node.public else []), *node.lines))
    return Markup(
        '<g class="node{}"><title>{}</title><rect x="{}" y="{}" width="{}" height="{}" rx="6"/>{}</g>'
    ).format(
        " public" if node.public else "",
        full,
        _n(box.x),
        _n(box.y),
        _n(box.width),
        _n(box.height),
        Markup("").join(lines),
    )


def _links(diagram: Diagram, boxes: Mapping[str, Box], name: str) -> Markup:
    drawn = [
        (number, link) for number, link in enumerate(diagram.links) if link.source in boxes and link.target in boxes
    ]
    sides = _slots([link for _, link in drawn], boxes)
    return Markup("\n").join(
        _arrow(link, boxes, sides[position], connection_id(name, number), diagram)
        for position, (number, link) in enumerate(drawn)
    )


def _slots(links: list[Link], boxes: Mapping[str, Box]) -> list[tuple[float, float]]:
    """The heights at which each arrow leaves and arrives: the arrows of one side of a box share it evenly, ordered by the height of
    their other ends so that they do not cross."""
    sides: dict[tuple[str, bool], list[tuple[float, int, bool]]] = {}
    for number, link in enumerate(links):
        source, target = boxes[link.source], boxes[link.target]
        rightwards = source.x < target.x
        sides.setdefault((link.source, rightwards), []).append((target.y + target.height / 2, number, True))
        sides.setdefault((link.target, not rightwards), []).append((source.y + source.height / 2, number, False))
    found = [[0.0, 0.0] for _ in links]
    for (key, _), ends in sides.items():
        box = boxes[key]
        for place, (_, number, leaving) in enumerate(sorted(ends), start=1):
            found[number][0 if leaving else 1] = box.y + box.height * place / (len(ends) + 1)
    return [(one[0], one[1]) for one in found]


def _arrow(link: Link, boxes: Mapping[str, Box], ends: tuple[float, float], row: str, diagram: Diagram) -> Markup:
    source, target = boxes[link.source], boxes[link.target]
    leaves, arrives = ends
    if source.x == target.x:  # in the same column: around the right side
        x1 = x2 = source.x + source.width
        bend = GAP * 0.8
        curve = f"M{_n(x1)} {_n(leaves)}C{_n(x1 + bend)} {_n(leaves)} {_n(x2 + bend)} {_n(arrives)} {_n(x2 + 2)} {_n(arrives)}"
        x, anchor = x2 + 12, "start"
    elif source.x < target.x:
        x1, x2 = source.x + source.width, target.x
        half = (x2 - x1) / 2
        curve = f"M{_n(x1)} {_n(leaves)}C{_n(x1 + half)} {_n(leaves)} {_n(x2 - half)} {_n(arrives)} {_n(x2 - 2)} {_n(arrives)}"
        x, anchor = x2 - 10, "end"
    else:
        x1, x2 = source.x, target.x + target.width
        half = (x1 - x2) / 2
        curve = f"M{_n(x1)} {_n(leaves)}C{_n(x1 - half)} {_n(leaves)} {_n(x2 + half)} {_n(arrives)} {_n(x2 + 2)} {_n(arrives)}"
        x, anchor = x2 + 10, "start"
    short = "" if link.label == "endpoint policy" else link.label
    words = f"{diagram.title_of(link.source)} to {diagram.title_of(link.target)}, {link.label}"
    because = "; ".join(_because(one.resource, one.property, one.source) for one in link.reasons[:3])
    return Markup(
        '<a class="link{}" href="#{}" aria-label="{}"><title>{}</title><path class="hit" d="{}"/>'
        '<path class="line" d="{}" marker-end="url(#{})"/><text x="{}" y="{}" text-anchor="{}">{}</text></a>'
    ).format(
        " public" if link.public else "",
        row,
        words,
        f"{words}: {because}",
        curve,
        curve,
        f"arrow-{row.removeprefix('connection-').rpartition('-')[0]}",
        _n(x),
        _n(arrives + 13 if leaves < arrives - ROW else arrives - 4),  # on the side that the line does not come from
        anchor,
        short,
    )


def _because(resource: str, property_: str, source: str) -> str:
    place = f"{resource}.{property_}" if property_ else resource
    return f"{place} ({source})" if source else place


def _cut(text: str, width: float) -> str:
    most = max(int((width - 18) / _LETTERS), 4)
    return str(text) if len(text) <= most else f"{text[: most - 1]}…"


def _n(value: float) -> str:
    """A number without a trailing zero."""
    return f"{value:.1f}".rstrip("0").rstrip(".")
