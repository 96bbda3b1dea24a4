"""The path of every setting, those whose edit is not one of ``edits``, and values for those that only ``preflight cost`` reads."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator

from settings import StackSettings
from settings.values import Section
from tests.settings.stack_files import Values

USE: Values = {
    "people": 40,
    "messagesPerPerson": 10,
    "inputTokensPerMessage": 3000,
    "outputTokensPerMessage": 700,
    "uploadMebibytesPerPerson": 100,
}
NO_EDIT: dict[str, str] = {
    "environment": "it is the stack's name; another name is another stack, and this one continues",
    "region": "written as aws:region",
    "accountId": "written as aws:allowedAccountIds",
    "application": "the project has one preset; what another one changes is written in that preset",
}
"""Fields of the settings without an edit, and why."""

NOTHING_AT_AWS: dict[str, str] = {
    **dict.fromkeys(
        (
            *("owner.onCall", "owner.maintainers", "owner.releaseManagers"),
            *("owner.promptReviewers", "owner.modelReviewers", "owner.environmentApprovers"),
        ),
        "read by preflight owners and the pipelines' checks",
    ),
    **dict.fromkeys((f"use.{name}" for name in USE), "read by preflight cost"),
    "secrets.maximumAgeDays": "read by preflight due",
    "limits.rates.peopleBehindOneAddress": "read by the checks of the rates",
    "models.known": "read when the settings are checked",
    "models.gateway.messagesModels": "applies to the models of Anthropic that a stack offers; staging offers none",
}
"""Settings whose edit changes nothing at AWS, and what reads them."""


def leaves(model: type[Section] = StackSettings, prefix: str = "") -> Iterator[str]:
    """The path of every setting, lists as a whole."""
    for info in model.model_fields.values():
        path = f"{prefix}{info.alias}"
        section = _section(info.annotation)
        if section is None:
            yield path
        else:
            yield from leaves(section, f"{path}.")


def _section(annotation: object) -> type[Section] | None:
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, Section) else None
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return next((found for part in typing.get_args(annotation) if (found := _section(part))), None)
    return None
