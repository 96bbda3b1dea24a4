"""Record every environment, evaluate the policy packs and compare the environments."""

# ruff: noqa: PLC0415 - a command imports what it needs: --help and mistakes answer at once
from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from preflight.commands import console

if TYPE_CHECKING:
    from preflight.analysis.check import PolicyConfiguration
    from preflight.pulumi.analyzer import AnalyzerClient
    from preflight.pulumi.kept import Kept
    from preflight.sdk.wire import Wire


def add(commands: console.Commands) -> None:
    """Define the command and its options."""
    check = commands.add_parser(
        "check", help="record all environments, evaluate the policy packs, compare the environments"
    )
    check.add_argument("--stack", action="append", default=[], help="only this stack; may be given several times")
    check.add_argument(
        "--policy-pack", action="append", type=Path, help="use these packs instead of the ones in policies/"
    )
    check.add_argument(
        "--policy-pack-config",
        action="append",
        type=Path,
        metavar="FILE",
        help="the configuration of each --policy-pack, in the same order, as pulumi preview takes it",
    )
    check.add_argument("--verbose", action="store_true", help="list the values that are not known in a first preview")
    check.add_argument(
        "--watch", action="store_true", help="check again whenever a file of the project changes, until interrupted"
    )
    console.add_output(check)
    check.set_defaults(run=execute)


def _configurations(packs: list[Path], files: list[Path]) -> dict[Path, PolicyConfiguration]:
    """The configuration of each pack, read as Pulumi reads it: a level, or an object of settings, by policy."""
    from preflight.errors import ConfigurationError

    if files and len(files) != len(packs):
        raise ConfigurationError(
            f"--policy-pack-config is given {len(files)} times and --policy-pack {len(packs)} times; wanted: one file for "
            "each pack, in the same order"
        )
    found: dict[Path, PolicyConfiguration] = {}
    for pack, file in zip(packs, files, strict=True) if files else ():
        try:
            content = json.loads(file.read_text(encoding="utf-8") or "{}")
        except ValueError as error:
            raise ConfigurationError(f"{file} is not readable JSON: {error}") from None
        if not isinstance(content, dict) or not all(isinstance(v, str | dict) for v in cast("Wire", content).values()):
            raise ConfigurationError(
                f"{file}: wanted an object of policies, each with a level or an object of settings"
            )
        entries = cast("Wire", content).items()
        found[pack] = {k: {"enforcementLevel": v} if isinstance(v, str) else v for k, v in entries}
    return found


def execute(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    if options.watch:
        return _watch(options)
    return _once(options, {})


def _once(options: argparse.Namespace, started: Mapping[Path, AnalyzerClient], kept: Kept | None = None) -> int:
    from preflight.analysis.check import check

    packs: list[Path] | None = options.policy_pack
    configurations = _configurations(packs or [], options.policy_pack_config or [])
    checked = check(
        options.root.resolve(),
        options.stack,
        packs,
        console.progress(),
        started=started,
        configurations=configurations,
        kept=kept,
    )
    return console.write_report(checked.report, options)


def _watch(options: argparse.Namespace) -> int:
    from preflight.analysis.watching import watch
    from preflight.errors import PreflightError

    def check(started: Mapping[Path, AnalyzerClient], kept: Kept) -> int:
        if options.output is None and sys.stdout.isatty():
            sys.stdout.write("\033[2J\033[H")
        try:
            return _once(options, started, kept)
        except PreflightError as error:
            console.say(f"could not run\n\n{error}")
            return 2

    watch(options.root.resolve(), options.policy_pack, check, console.say)
    return 0
