"""The base of every component's arguments."""

# No ``from __future__ import annotations`` in this package: Pulumi's schema analyzer reads real annotations.
from typing import TypeVar, cast, get_args, get_origin

import pulumi
from pydantic import BaseModel, ConfigDict, model_validator

T = TypeVar("T")
Input = T | pulumi.Output[T]
"""The type of an argument that a caller may pass as a value or as an output, and that is an output in the component.
``pulumi.Input`` contains a forward reference, which pydantic cannot resolve."""


class Args(BaseModel):
    """Frozen, validated arguments. Fields typed ``pulumi.Output[T]`` or ``Input[T]`` accept a plain ``T``, which is
    converted to an output.

    Unknown names are errors. A plain dict with the field names is accepted wherever an ``Args`` is (the
    component package's host passes one), so ``args = XxxArgs.model_validate(args)`` is in every component.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _lift(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        fields = cast(dict[str, object], data)
        wired = cls.wired()
        return {key: _lifted(value) if key in wired else value for key, value in fields.items()}

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        """Mark fields with a default as optional for Pulumi's schema analyzer.

        An ``Input`` is an output for it, because it knows no other union. The analyzer treats every annotation that is not ``Optional`` as a required input, even if the field has a
        default. pydantic has already read the annotations and validates against the original ones.
        """
        super().__pydantic_init_subclass__(**kwargs)
        for name, annotation in list(cls.__annotations__.items()):
            field = cls.model_fields.get(name)
            if field is None:
                continue
            outputs = [one for one in get_args(annotation) if get_origin(one) is pulumi.Output]
            analyzed = outputs[0] if outputs else annotation
            optional = not field.is_required() or type(None) in get_args(annotation)
            cls.__annotations__[name] = analyzed | None if optional else analyzed

    @classmethod
    def wired(cls) -> frozenset[str]:
        """The fields whose values may be unknown in a preview."""
        return frozenset(
            name
            for name, field in cls.model_fields.items()
            if any(get_origin(t) is pulumi.Output for t in (field.annotation, *get_args(field.annotation)))
        )


def _lifted(value: object) -> object:
    """The value as an output. An omitted value stays omitted, so that its default applies."""
    if value is None or isinstance(value, pulumi.Output):
        return cast(object, value)
    return pulumi.Output.from_input(value)
