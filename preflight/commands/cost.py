"""The monthly cost of the stacks."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
import datetime
import sys

from preflight.commands import console

FORMATS = ("text", "json", "markdown")


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    cost = commands.add_parser(
        "cost", help="estimate what stacks cost per month, from their graphs and the dated price table"
    )
    cost.add_argument("stacks", nargs="*", metavar="STACK", help="a stack (default: every stack of the project)")
    console.add_output(cost, FORMATS)
    cost.add_argument("--sizes", action="store_true", help="estimate the three sizes that `init` offers instead")
    cost.add_argument("--write", action="store_true", help="write the generated sections of README.md and docs/cost.md")
    cost.add_argument(
        "--refresh",
        action="store_true",
        help="read the prices of the stacks' regions from AWS's Price List API into the price table; needs credentials "
        "of any account with pricing:GetProducts",
    )
    cost.set_defaults(run=execute)


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from preflight.cost import prices, render
    from preflight.setup import cost_of_stacks

    root = options.root.resolve()
    if options.refresh:
        return _refresh(options)
    if options.write:
        return console.wrote(root, cost_of_stacks.write(root))
    table = prices.load()
    estimates = (
        cost_of_stacks.sizes(root, table) if options.sizes else cost_of_stacks.stacks(root, options.stacks, table)
    )
    as_format = {"text": render.as_text, "json": render.as_json, "markdown": render.as_markdown}[options.format]
    console.end_progress()
    console.write(as_format(estimates, table, _today()), options.output)
    return 0


def _refresh(options: argparse.Namespace) -> int:
    from preflight.account.session import Account
    from preflight.cost import prices, refresh
    from preflight.pulumi.project import Project

    project = Project.load(options.root.resolve())
    regions = sorted({project.stack(name).config["aws:region"] for name in options.stacks or project.stacks()})
    account = Account(refresh.API_REGION, refresh.CALLS)
    progress = console.progress()

    def products(service: str, filters: list[dict[str, str]]) -> list[str]:
        progress(f"asking for {service} {filters[-1]['Value']}")
        found = account.every(
            refresh.SERVICE, refresh.OPERATION, refresh.ELEMENTS, ServiceCode=service, Filters=filters
        )
        return [str(text) for text in found]

    result = refresh.refreshed(prices.load(), regions, products, _today())
    console.end_progress()
    prices.TABLE.write_text(prices.text(result.table.rows), encoding="utf-8")
    sys.stdout.write("".join(f"{line}\n" for line in (*result.changed, *result.kept)))
    sys.stdout.write(f"wrote {prices.TABLE.name}: {len(result.changed)} prices changed, {len(result.kept)} rows kept\n")
    return 0


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()
