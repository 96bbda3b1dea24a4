"""Changed copies of cfn-lint's objects, made without asking for the names of their fields each time.

For every value of a template cfn-lint makes a new context, path and validator from those of the value around it, and asks
``dataclasses`` for their fields and calls the generated constructor each time, which is a third of an evaluation.
"""

from __future__ import annotations

import contextlib
import dataclasses
import operator
from collections import deque
from collections.abc import Callable, Generator
from typing import Any, TypeAlias

Part: TypeAlias = Any
"""An object of cfn-lint, which has no types to rely on."""
_REFERENCES = "ref_values"


@contextlib.contextmanager
def installed(context: Part, filters: Part) -> Generator[None]:
    """Within this context, cfn-lint's modules ``context.context`` and ``jsonschema._filter`` use what is here."""
    replaced: list[tuple[type, str, object]] = [
        (context.Context, "evolve", _context(context.Context)),
        (context.Path, "descend", _descending(context.Path, context.FUNCTIONS)),
        (context.Path, "evolve", copying(context.Path)),
        (filters.FunctionFilter, "evolve", copying(filters.FunctionFilter)),
    ]
    before = [(cls, name, cls.__dict__[name]) for cls, name, _ in replaced]
    for cls, name, function in replaced:
        setattr(cls, name, function)
    try:
        yield
    finally:
        for cls, name, function in before:
            setattr(cls, name, function)


def copying(cls: type) -> Callable[..., Part]:
    """The class's ``evolve``: the fields of its constructor as they are or as given, all others as the constructor sets them."""
    names = tuple(one.name for one in dataclasses.fields(cls) if one.init)
    read = operator.attrgetter(*names)
    finish = getattr(cls, "__post_init__", None)
    others: dict[str, object] = {}
    set_by_constructor = [one.name for one in dataclasses.fields(cls) if not one.init]

    def evolve(self: Part, **changes: object) -> Part:
        kind: Callable[..., Part] = self.__class__
        if set_by_constructor and not others:
            plain = kind(**dict(zip(names, read(self), strict=True)))
            others.update({name: getattr(plain, name) for name in set_by_constructor})
        made: Part = object.__new__(self.__class__)
        fields: dict[str, object] = made.__dict__
        if others:
            fields.update(others)
        fields.update(zip(names, read(self), strict=True))
        fields.update(changes)
        if finish is not None:
            finish(made)
        return made

    return evolve


def _context(cls: type) -> Callable[..., Part]:
    copied = copying(cls)

    def evolve(self: Part, **changes: Any) -> Part:  # noqa: ANN401 - cfn-lint's
        if _REFERENCES in changes:
            changes[_REFERENCES] = {**self.ref_values, **changes[_REFERENCES]}
        return copied(self, **changes)

    return evolve


def _descending(cls: type, functions: frozenset[str]) -> Callable[..., Part]:
    """``Path.descend``: each part as it is, or with one more step."""
    plain: Callable[..., Part] = cls.__dict__["descend"]
    names = tuple(one.name for one in dataclasses.fields(cls))

    def descend(self: Part, **steps: Any) -> Part:  # noqa: ANN401 - cfn-lint's
        generic = steps.get("cfn_path")
        if generic in functions or isinstance(generic, int):
            return plain(self, **steps)  # it raises the error
        made: Part = object.__new__(self.__class__)
        made.__dict__.update({name: _longer(getattr(self, name), steps.get(name)) for name in names})
        return made

    return descend


def _longer(path: deque[Any], step: object) -> deque[Any]:
    return path if step is None else path + deque([step])
