"""Reads one stack's configuration into a frozen model, or reports every problem in it.

This is the only reader of ``pulumi.Config``. :meth:`Configuration.load` reads the running stack's,
:meth:`Configuration.parse` does the same without Pulumi. The main project's model is ``StackSettings``; the
``bootstrap`` project has another.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Annotated, ClassVar, Self, cast

import pulumi
from pulumi.runtime import config as runtime_config
from pydantic import Field, StringConstraints, ValidationError, model_validator

from settings.errors import HIDDEN, NOT_SET, FailedChecksError, Problem, SettingsError, hide, printable, shown
from settings.rendering import allowed_at, problems_of, unknown_key
from settings.values import AwsRegion, Section

EnvironmentName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,14}[a-z0-9]$"),
    Field(
        description="2 to 16 lower-case letters, digits and hyphens, starting with a letter: it is part of AWS names"
    ),
]
StackName = Annotated[
    EnvironmentName,
    Field(json_schema_extra={"fix": "rename the stack, for example pulumi stack rename staging"}),
]
AccountId = Annotated[str, StringConstraints(pattern=r"^\d{12}$"), Field(description="an AWS account id of 12 digits")]
_OUTSIDE = frozenset({"environment", "region", "account_id"})
_MISPLACED = {
    "region": "write aws:region instead",
    "accountId": "write aws:allowedAccountIds with this account instead",
    "environment": "remove the key: the stack's name is the environment",
}


class Configuration(Section):
    """The environment, account and region of a stack, and the code that reads its configuration."""

    prefix: ClassVar[str]
    """The prefix of each key in the stack file: the project's name and a colon."""
    subject: ClassVar[str]
    """The subject of the error message; the stack's name follows it."""
    misplaced: ClassVar[Mapping[str, str]] = {}
    """Common wrong top-level keys, and the replacement for each."""

    environment: StackName
    """The stack's name: the ``environment`` tag and part of physical names."""
    region: AwsRegion
    """``aws:region``."""
    account_id: AccountId
    """The only account in ``aws:allowedAccountIds``; the provider refuses every other account."""

    @classmethod
    def between_sections(cls, sections: Mapping[str, object]) -> list[Problem]:
        """Problems between the sections that are present and valid; keys have no prefix."""
        del sections
        return []

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        if problems := self.between_sections(vars(self)):
            raise FailedChecksError(problems)
        return self

    @classmethod
    def load(cls) -> Self:
        """Read the running stack's configuration; raises :class:`SettingsError` with every problem found."""
        present = {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}
        own, aws = pulumi.Config(cls.prefix.removesuffix(":")), pulumi.Config("aws")
        names = sorted(key.removeprefix(cls.prefix) for key in present if key.startswith(cls.prefix))
        return cls.parse(
            {name: own.get(name) if name in cls._texts() else _structured(own.get(name)) for name in names},
            environment=pulumi.get_stack(),
            region=aws.get("region"),
            accounts=_structured(aws.get("allowedAccountIds")),
            secret_keys={name for name in names if runtime_config.is_config_secret(cls.prefix + name)},
        )

    @classmethod
    def parse(
        cls,
        values: Mapping[str, object],
        *,
        environment: str,
        region: object,
        accounts: object,
        secret_keys: Collection[str] = (),
    ) -> Self:
        """The settings from plain values; ``values`` contains the stack file's keys without their namespace."""
        file = f"Pulumi.{printable(environment, 40)}.yaml"
        problems = cls._refused(values, secret_keys)
        listed = _elements(accounts)
        given: dict[str, object] = {"environment": environment}
        if len(listed) == 1:
            given["accountId"] = listed[0]
        if region is not None:
            given["region"] = region
        refused = {p.key for p in problems}
        given |= {
            name: value for name, value in values.items() if name in cls._keys() and cls.prefix + name not in refused
        }
        try:
            settings = cls.model_validate(given, by_alias=True, by_name=False)
        except ValidationError as error:
            found = [p for p in problems_of(error, cls, cls.prefix, file) if p.key not in refused]
            problems += [_placed(p, p.key.removeprefix(cls.prefix), accounts) for p in found]
            between = cls.between_sections(cls._valid_sections(given, error))
            problems += [replace(p, key=cls.prefix + p.key) for p in between]
        else:
            if not problems:
                return settings
        raise SettingsError(f"{cls.subject} {printable(environment, 40)} ({file})", problems)

    @classmethod
    def _keys(cls) -> dict[str, str]:
        """Every key under the prefix, with the field that it fills."""
        return {str(info.alias): name for name, info in cls.model_fields.items() if name not in _OUTSIDE}

    @classmethod
    def _texts(cls) -> set[str]:
        """The keys with a text value, which the engine passes unchanged."""
        return {key for key, name in cls._keys().items() if cls.model_fields[name].annotation is str}

    @classmethod
    def _refused(cls, values: Mapping[str, object], secret_keys: Collection[str]) -> list[Problem]:
        """Problems with keys whose values are not read: unknown, secret and malformed ones."""
        problems: list[Problem] = []
        known = cls._keys()
        for name, value in values.items():
            key = cls.prefix + hide(printable(name, 60))
            if name not in known:
                problems.append(unknown_key(key, name, cls, without=_OUTSIDE, also={**_MISPLACED, **cls.misplaced}))
            elif name in secret_keys:
                problems.append(
                    Problem(
                        key,
                        HIDDEN,
                        "a plain value: settings are readable in the plan, so none may be a secret",
                        "put the secret into Secrets Manager, write its name here, and set the key again without --secret",
                    )
                )
            elif isinstance(value, _Malformed):
                started = value.lstrip().startswith(("{", "["))
                problems.append(
                    Problem(
                        key,
                        "text that is not valid JSON" if started else shown(str(value)),
                        allowed_at(cls, known[name]),
                        "fix the JSON, or write the keys below it, indented"
                        if started
                        else "write its keys below it, indented",
                    )
                )
        return problems

    @classmethod
    def _valid_sections(cls, given: Mapping[str, object], error: ValidationError) -> dict[str, object]:
        """The sections that pydantic accepted, for the checks between sections."""
        bad = {detail["loc"][0] for detail in error.errors(include_url=False) if detail["loc"]}
        valid: dict[str, object] = {}
        for name, info in cls.model_fields.items():
            key = str(info.alias)
            if key in bad or key not in given:
                continue
            section = (
                info.annotation if isinstance(info.annotation, type) and issubclass(info.annotation, Section) else None
            )
            valid[name] = section.model_validate(given[key], by_alias=True, by_name=False) if section else given[key]
        return valid


def _elements(value: object) -> list[object]:
    return list(cast("list[object]", value)) if isinstance(value, list | tuple) else []


class _Malformed(str):
    """Text where an object is expected."""


def _structured(text: str | None) -> object:
    """A structured value, which the engine passes as JSON text."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _Malformed(text)


def _placed(problem: Problem, field: str, accounts: object) -> Problem:
    """Correct the key of a problem that is outside the project's namespace."""
    if field == "environment":
        return replace(problem, key="stack name")
    if field == "region":
        return replace(
            problem, key="aws:region", fix="write the region to deploy to, for example aws:region: eu-west-1"
        )
    if field == "accountId":
        several = problem.value == NOT_SET and accounts is not None
        return Problem(
            "aws:allowedAccountIds",
            shown(accounts) if several else problem.value,
            "exactly one AWS account id of 12 digits: the provider refuses every other account",
            'write it in quotes, in a list: aws:allowedAccountIds: ["111122223333"]',
        )
    return problem
