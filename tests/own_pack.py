"""The guardrails as this project's own stacks are held to: the profile and the exceptions that Pulumi.yaml names."""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path

from policies.guardrails.configuration import NAMESPACE, policies
from policies.guardrails.evaluation import Evaluation
from policies.guardrails.exceptions import Exemptions
from policies.guardrails.rules import RULES
from policies.guardrails.server import FOLDER, evaluation
from preflight.pulumi.project import Project

ROOT = Path(__file__).resolve().parents[1]


@cache
def own_configuration() -> dict[str, str]:
    """The pack's keys in this project's configuration, by full key."""
    declared = Project.load(ROOT).declared
    return {key: str(value["value"]) for key, value in declared.items() if key.startswith(f"{NAMESPACE}:")}


EXCEPTIONS = (FOLDER / own_configuration()[f"{NAMESPACE}:exceptions"]).resolve()
EVERYTHING = {key: value for key, value in own_configuration().items() if key != f"{NAMESPACE}:exceptions"}
"""The same profile without exceptions."""


def own_evaluation(today: dt.date, instead: Exemptions | None = None) -> Evaluation:
    """The own policies as of ``today``, with the committed exceptions or other ones ``instead``."""
    if instead is None:
        return evaluation(policies(RULES, {}, own_configuration()), today)
    return Evaluation(policies(RULES, {}, EVERYTHING), instead)
