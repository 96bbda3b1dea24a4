"""The cost of the project's stacks and of the sizes that ``init`` offers, and the documents that state it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from preflight.analysis import parity
from preflight.cost import prices as price_table
from preflight.cost.change import changed
from preflight.cost.estimate import Estimate, estimate
from preflight.cost.prices import REFERENCE, PriceTable
from preflight.cost.render import as_markdown, dates, money, rounded
from preflight.cost.use import assumptions, declared
from preflight.errors import PreflightError
from preflight.pulumi.program import Run, collect, load, start
from preflight.pulumi.project import Project, Stack
from preflight.recording.recorder import Recording
from preflight.setup.sizes import SIZES, Size
from settings.stack import PREFIX

BEGIN, END = "<!-- generated: preflight cost --write -->", "<!-- end of generated section -->"
"""The lines around a generated section."""
WRITE = "python -m preflight cost --write"
DOCUMENTS = ("README.md", "docs/cost.md")


def stacks(root: Path, names: Sequence[str], prices: PriceTable) -> list[Estimate]:
    """The stacks with these names, or every stack, in the order in which a release is promoted. It forks: call it
    before anything opens a gRPC channel."""
    project = Project.load(root)
    chosen = [project.stack(name) for name in dict.fromkeys(names)] or _all(project)
    return _estimates(project, chosen, prices)


def sizes(root: Path, prices: PriceTable) -> list[Estimate]:
    """Every size in every environment that it has a stack file for. The stack is named after both. It forks, as above."""
    project = Project.load(root)
    return _estimates(project, _of_sizes(project), prices)


def of_recordings(root: Path, recordings: Mapping[tuple[str, bool], Recording]) -> dict[str, Estimate]:
    """Stack → its cost, from recordings with known values. Without stacks of other projects."""
    prices, project = price_table.load(), Project.load(root)
    known = {stack: recording for (stack, preview), recording in recordings.items() if not preview}
    return {
        stack: estimate(recording, prices, declared(project.stack(stack).config))
        for stack, recording in known.items()
        if _is_ours(project, stack)
    }


def _is_ours(project: Project, stack: str) -> bool:
    """Whether the stack has this repository's settings. The cost is that of the application for a number of people."""
    return any(key.startswith(PREFIX.rstrip(":")) for key in project.stack(stack).config)


def changes(
    root: Path, before: Mapping[str, Recording], after: Mapping[tuple[str, bool], Recording]
) -> dict[str, tuple[str, ...]]:
    """Stack → the effect of a change on its cost, for the use that its file declares now. Without stacks of other projects."""
    prices, project = price_table.load(), Project.load(root)
    return {
        stack: changed(recording, after[stack, False], declared(project.stack(stack).config), prices)
        for stack, recording in before.items()
        if (stack, False) in after and _is_ours(project, stack)
    }


def write(root: Path) -> list[Path]:
    """Write the generated sections that are out of date; returns the paths of their documents."""
    outdated = stale(root)
    for name, text in outdated.items():
        (root / name).write_text(text, encoding="utf-8")
    return [root / name for name in outdated]


def stale(root: Path) -> dict[str, str]:
    """Path → current text of the documents whose generated section is out of date. Raises ``PreflightError`` for a
    document without one."""
    prices = price_table.load()
    project = Project.load(root)
    own = _all(project)
    found = _estimates(project, [*own, *_of_sizes(project)], prices)
    sections = (_sentence(found[: len(own)]), _page(found[: len(own)], found[len(own) :], prices))
    current = {name: _with_section(root, name, text) for name, text in zip(DOCUMENTS, sections, strict=True)}
    return {name: text for name, text in current.items() if (root / name).read_text(encoding="utf-8") != text}


def _all(project: Project) -> list[Stack]:
    return [project.stack(name) for name in parity.order(project.root, project.stacks())]


def _estimates(project: Project, chosen: Sequence[Stack], prices: PriceTable) -> list[Estimate]:
    load(project)
    recordings = collect(start(project, [Run(stack, preview=False) for stack in chosen]))
    return [estimate(recordings[stack.name, False], prices, declared(stack.config)) for stack in chosen]


def _of_sizes(project: Project) -> list[Stack]:
    present = set(project.stacks())
    return [
        _sized(project.stack(environment), name, environment, size)
        for name, size in SIZES.items()
        for environment in size.sections
        if environment in present
    ]


def _sized(stack: Stack, name: str, environment: str, size: Size) -> Stack:
    """The committed stack with the values of a size, as `init` would write them."""
    zones = [f"{stack.config['aws:region']}{letter}" for letter in "abc"[: size.zones[environment]]]
    values: dict[str, Any] = {
        **size.sections[environment],
        "network.availabilityZones": zones,
        "use.people": size.people[environment],
    }
    config = dict(stack.config)
    for path, value in values.items():
        section, *rest = path.split(".")
        content = json.loads(config.get(f"{PREFIX}{section}", "{}"))
        place = content
        for step in rest[:-1]:
            place = place.setdefault(step, {})
        if value is None:
            place.pop(rest[-1], None)
        else:
            place[rest[-1]] = value
        config[f"{PREFIX}{section}"] = json.dumps(content, sort_keys=True)
    return replace(stack, name=f"{environment}-{name}", config=config)


def _sentence(own: Sequence[Estimate]) -> str:
    costs = ", ".join(f"{one.stack} about {rounded(one.total.minimum)}" for one in own)
    elsewhere = f", with prices of {REFERENCE}" if any(one.elsewhere for one in own) else ""
    return (
        f"**Cost per month, idle: {costs}**, in US dollars before tax{elsewhere}. `python -m preflight cost` shows each item, the "
        "expected and the highest cost, and what is not counted ([`docs/cost.md`](docs/cost.md)).\n"
    )


def _page(own: Sequence[Estimate], of_sizes: Sequence[Estimate], prices: PriceTable) -> str:
    rows = ["| Size | People in prod | Environment | Minimum | Expected | Maximum |", "|---|---:|---|---:|---:|---:|"]
    for name in SIZES:
        for one in of_sizes:
            environment, _, size = one.stack.rpartition("-")
            if size == name:
                cells = (one.total.minimum, one.total.expected, one.total.maximum)
                people = f"{SIZES[name].people['prod']:,}"
                rows.append(f"| {name} | {people} | {environment} | {' | '.join(map(money, cells))} |")
    table = as_markdown(own, prices, prices.checked)
    return "\n".join(
        [
            "## The three sizes",
            "",
            f"What `init` offers, in US dollars per month; {dates(prices)}.",
            "",
            *rows,
            "",
            "## The committed stacks",
            "",
            table,
            "## Assumptions about use",
            "",
            "None of them was measured on AWS.",
            "",
            *assumptions(),
            "",
        ]
    )


def _with_section(root: Path, name: str, section: str) -> str:
    text = (root / name).read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise PreflightError(
            f"{name} has no section to generate: it must have the line `{BEGIN}` once, and after it `{END}` once. "
            f"Restore them with git, then run `{WRITE}`."
        )
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    return f"{before}{BEGIN}\n\n{section}\n{END}{after}"
