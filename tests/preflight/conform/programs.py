"""The programs whose permissions are judged: the committed stacks, every topology, and choices that add resources."""

from __future__ import annotations

import json
import runpy
from functools import cache
from typing import Any

from preflight.recording.recorder import Recording, record
from tests.assembly.topologies import ELSEWHERE, SHAPES, Shape
from tests.assembly.topologies import recorded as recorded_shape
from tests.bootstrap.program import run_bootstrap
from tests.settings.stack_files import ROOT, as_the_engine_passes_it, stack_file

STACKS = ("staging", "prod")
PROMPTS = "recorded prompts"
"""Staging with ``models.recordPrompts``: a key, a bucket and the account's invocation logging more."""

__all__ = ["CASES", "PROMPTS", "SHAPES", "STACKS", "Case", "account", "program"]

Case = str | Shape
CASES: tuple[Case, ...] = (*STACKS, PROMPTS, *SHAPES, *ELSEWHERE)


@cache
def program(case: Case) -> Recording:
    """The recording of one program, with known values."""
    if isinstance(case, Shape):
        return recorded_shape(case)
    return _record(*(("staging", _with_prompts()) if case == PROMPTS else (case, as_the_engine_passes_it(case))))


@cache
def account(case: Case) -> Recording:
    """The bootstrap of the same environment: its region, and the zone that its program writes records to."""
    recording = program(case)
    (region,) = {str(p.inputs["region"]) for p in recording.of_type("pulumi:providers:aws")}
    zones = {str(r.inputs["zoneId"]) for r in recording.of_type("aws:route53/record:Record")}
    environment: dict[str, str] = {"name": recording.stack}
    if zones:
        (environment["hostedZoneId"],) = zones
    return run_bootstrap(recording.stack, region=region, environments=[environment])


def _record(stack: str, config: dict[str, str]) -> Recording:
    return record(lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"), stack=stack, config=config)


def _with_prompts() -> dict[str, str]:
    config: dict[str, Any] = stack_file("staging")
    reader = "arn:aws:iam::111122223333:role/prompt-readers"
    config["ai-interface:models"]["recordPrompts"] = {"days": 30, "readerArns": [reader]}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
