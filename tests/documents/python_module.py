"""Checks ``python -m <module> …`` with the module's parser, and ``make …`` with the Makefile. Nothing is run."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import re
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import NoReturn, cast
from unittest import mock

import preflight.commands
from policies.guardrails import adoption
from tests.documents.extract import ROOT, SAMPLE

NO_ARGUMENTS = "takes no arguments"

MODULES: Mapping[str, str] = {
    "benchmarks.check": "main",
    "benchmarks.deploy": "main",
    "benchmarks.report_page": NO_ARGUMENTS,
    "benchmarks.guardrails": "main",
    "benchmarks.policies": "main",
    "benchmarks.load": "main",
    "benchmarks.model_calls": "main",
    "benchmarks.proxy": "main",
    "benchmarks.proxy_memory": "main",
    "bootstrap.copy_images": "main",
    "components.prepare": NO_ARGUMENTS,
    "local": "local.command.main",
    "policies.guardrails.controls": NO_ARGUMENTS,
    "pytest": "pytest has its own parser, which reads the project's options; only paths are checked",
    "tests.engine.package_schema": NO_ARGUMENTS,
    "tests.engine.released": NO_ARGUMENTS,
    "tests.policies.closed_world": "the only argument is --write, which it looks for itself",
    "tests.policies.public.table": "the only argument is --write, which it looks for itself",
    "tests.preflight.changes.document": NO_ARGUMENTS,
    "tests.versions": NO_ARGUMENTS,
    "venv": "Python's own",
}
"""Module → the function that parses its arguments first of all, or why its arguments are not parsed."""


_LEFT_OUT = re.compile(r"the following arguments are required|expected one argument$")
"""Messages about arguments that a code span leaves out."""


class ParsedError(Exception):
    """The real parser accepted the arguments; the command was stopped before its first step."""


def problem(words: Sequence[str], *, whole: bool) -> str:
    """What Python would refuse in the words after ``python``; empty if nothing."""
    if words[:2] == ["guardrails", "baseline"]:  # the copied pack, by its folder
        return _parsed(lambda: adoption.main(words[2:]), "guardrails", words[2:])
    if words[0] != "-m":
        return "" if (ROOT / words[0]).is_file() else f"there is no file {words[0]}"
    module, *arguments = words[1:]
    if module == "preflight":
        return preflight_problem(arguments, whole=whole)
    if module not in MODULES:
        return f"MODULES in tests/documents/python_module.py has no {module}"
    if importlib.util.find_spec(module) is None:
        return f"there is no module {module}"
    return _arguments_problem(module, arguments)


def _arguments_problem(module: str, arguments: Sequence[str]) -> str:
    how = MODULES[module]
    if how == NO_ARGUMENTS and arguments:
        return f"{module} {NO_ARGUMENTS}"
    if module == "pytest":
        if arguments[:1] == ["-p"]:
            if importlib.util.find_spec(arguments[1]) is None:
                return f"there is no module {arguments[1]}"
            arguments = arguments[2:]
        paths = [word for word in arguments if not word.startswith("-") and word not in {SAMPLE, "path"}]
        return next((f"there is no {path}" for path in paths if not (ROOT / path.partition("::")[0]).exists()), "")
    if " " in how:
        return ""
    place, _, name = f"{module}.{how}".rpartition(".") if how == "main" else how.rpartition(".")
    main: Callable[[], object] = getattr(import_module(place), name)
    return _parsed(main, module, arguments)


def _parsed(main: Callable[[], object], module: str, arguments: Sequence[str]) -> str:
    """``main`` parses its arguments before anything else, and is stopped as soon as they are accepted."""

    def parse_args(self: argparse.ArgumentParser, given: Sequence[str] | None = None) -> NoReturn:
        _, unknown = self.parse_known_args(given)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        raise ParsedError

    patched = (
        mock.patch.object(argparse.ArgumentParser, "parse_args", parse_args),
        mock.patch.object(sys, "argv", [module, *arguments]),
    )
    with patched[0], patched[1], _quiet() as said:
        try:
            main()
        except ParsedError:
            return ""
        except SystemExit as ended:
            return "" if ended.code == 0 else _last(said.getvalue())
    return f"{module} has no parser: correct its row in MODULES"


def preflight_problem(arguments: Sequence[str], *, whole: bool) -> str:
    """What the parser of preflight refuses. A code span may name a command without its arguments."""
    parser = preflight.commands.parser()
    # A command alone may be named as what it was called before, as in the change log.
    given = any(not word.isupper() for word in arguments[1:])
    if given and (present := preflight.commands.RENAMED.get(arguments[0])):
        return f"{arguments[0]} is called {present} now"
    if not whole and (named := _mentioned(parser, arguments)) is not None:
        return named
    with _quiet() as said:
        try:
            parser.parse_args(list(arguments))
        except SystemExit as ended:
            message = "" if ended.code == 0 else _last(said.getvalue())
            return _unknown_option(parser, arguments) if not whole and _LEFT_OUT.search(message) else message
    return ""


def _unknown_option(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> str:
    """The options of a command that leaves out arguments, which the parser reports first."""
    for word in arguments:
        parser = _sub_commands(parser).get(word, parser)
    known = {name for action in parser._actions for name in action.option_strings}  # pyright: ignore[reportPrivateUsage]
    given = [word.partition("=")[0] for word in arguments if word.startswith("-")]
    return next((f"unrecognized arguments: {option}" for option in given if option not in known), "")


def _mentioned(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> str | None:
    """Empty if the arguments only name a command that exists; ``None`` if there is more to parse."""
    rest = [word for word in arguments if word != "…"]
    while rest:
        choices = _sub_commands(parser)
        if not choices or rest[0].startswith("-"):
            return None
        if rest[0] not in choices:
            return f"{parser.prog} has no command {rest[0]}"
        parser = choices[rest.pop(0)]
    return ""


def _sub_commands(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    for action in parser._actions:  # pyright: ignore[reportPrivateUsage]
        if isinstance(action.choices, dict):
            return cast("dict[str, argparse.ArgumentParser]", action.choices)
    return {}


@contextlib.contextmanager
def _quiet() -> Generator[io.StringIO]:
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        yield said


def _last(text: str) -> str:
    return text.strip().rpartition("\n")[2] or "refused"


# -- make --------------------------------------------------------------------------------------------------------------


@cache
def makefile() -> str:
    """The Makefile."""
    return (ROOT / "Makefile").read_text(encoding="utf-8")


@cache
def targets() -> frozenset[str]:
    """The names that ``make help`` lists, and what else has a rule."""
    return frozenset(re.findall(r"^([a-z][a-z-]*):(?!=)", makefile(), re.MULTILINE))


def make_problem(words: Sequence[str]) -> str:
    """What make would refuse in the words after ``make``, and variables that the Makefile does not read."""
    for word in words:
        name, equals, _ = word.partition("=")
        if equals and not re.search(rf"\$\({name}\)|^{name} \?=", makefile(), re.MULTILINE):
            return f"the Makefile has no variable {name}"
        if not equals and word not in targets():
            return f"the Makefile has no target {word}"
    return "" if words else "no target"
