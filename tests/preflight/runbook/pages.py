"""The pages of the committed stacks and of staging's variants, with the outputs of their recorded graphs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, cast

from preflight.recording.recorder import Recording
from preflight.runbook.page import Page, overview, page
from preflight.runbook.sections import Runbook, read
from preflight.runbook.values import Values, values
from preflight.sdk.wire import unwrap
from tests.documents.extract import Command, commands, scripts
from tests.preflight.conform.graphs import EXTERNAL, GATEWAY, MANTLE, STACKS, program
from tests.settings.stack_files import ROOT

CASES = (*STACKS, GATEWAY, EXTERNAL, MANTLE)
"""Every stack or variant with alarms that no other has."""


@cache
def documents() -> Runbook:
    return read(ROOT)


def outputs(recording: Recording) -> Mapping[str, Any]:
    """What ``pulumi stack output --json`` prints, with the names of the recording."""
    return cast("Mapping[str, Any]", unwrap(recording.outputs))


@cache
def filled(case: str) -> Values:
    return values(program(case), documents(), outputs(program(case)))


@cache
def subjects(case: str) -> tuple[str, ...]:
    """Every alarm, message and incident of a stack."""
    found = overview(program(case), documents(), filled(case))
    return (*(one.role for one in found.alarms), *(one.anchor for one in (*found.messages, *found.incidents)))


@cache
def page_of(case: str, subject: str) -> Page:
    return page(program(case), documents(), filled(case), subject)


@cache
def calls(case: str) -> tuple[Command, ...]:
    """Every different call in the blocks of all pages of a stack, and in their code spans."""
    return tuple(dict.fromkeys(_calls(case)))


def _calls(case: str) -> Iterator[Command]:
    pages = [page_of(case, subject) for subject in subjects(case)]
    queries = {f"```sh\n{command}\n```\n" for one in pages for command in one.queries.values()}
    for text in sorted({section.text for one in pages for section in one.sections} | queries):
        for script in scripts("page", text):
            for call in commands(script):
                yield Command("page", 0, call.words, call.mention)
