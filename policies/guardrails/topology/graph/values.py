"""Property values as a policy may see them: plain JSON values, values that are not known yet, and secrets.

A value that is not known yet is an explicit ``Unknown``. It is never true, false, empty or absent, so a decision that
ignores it fails loudly instead of passing silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn, TypeAlias, cast

Value: TypeAlias = Any
"""A JSON value in which anything may be an ``Unknown`` or a ``Secret``."""

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 (Pulumi's marker, not a password)
OUTPUT_SIGNATURE = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
RESOURCE_SIGNATURE = "5cf8f73096256a8f31e491e813e4eb8e"

BLINDED = "[secret]"
"""The text by which ``pulumi policy analyze`` replaces every secret of a state that it cannot decrypt."""

UNKNOWN_SENTINELS = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)

_PROXIES = frozenset({"_DictProxy", "_ListProxy", "_DictSecretsProxy", "_ListSecretsProxy"})
_STEP = re.compile(r"[^.\[\]]+")


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value known only after the deployment, or only with the passphrase. ``path`` is its property."""

    path: str = ""
    blinded: bool = False
    """A secret that exists and cannot be read here: the state was exported, and the passphrase is not given."""

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"{self.path or 'this value'} is not known yet: it is neither true nor false; test isinstance(value, Unknown)"
        )

    def __str__(self) -> str:
        return "not known without the passphrase" if self.blinded else "not known yet"


class Secret:
    """A secret value. Compare it through ``reveal``; printing it shows a mask."""

    __slots__ = ("_value",)

    def __init__(self, value: Value) -> None:
        self._value = value

    def reveal(self) -> Value:
        """The value itself, for a comparison and never for a message."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and bool(self._value == other._value)

    def __hash__(self) -> int:
        return hash("Secret")

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


_SCALARS = frozenset({str, int, float, bool, type(None)})


def as_mapping(value: Value) -> dict[str, Any] | None:
    """The value as a mapping, or ``None`` if it is not one."""
    return cast("dict[str, Any]", value) if type(value) is dict else None


def as_list(value: Value) -> list[Any] | None:
    """The value as a list, or ``None`` if it is not one."""
    return cast("list[Any]", value) if type(value) is list else None


def listed(value: Value) -> list[Any]:
    """One value or several, as a list; an absent value is an empty list."""
    if value is None:
        return []
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def reveal(value: Value) -> Value:
    """The same value with every ``Secret`` replaced by its contents: for decisions, never for output."""
    if type(value) in _SCALARS:
        return value
    if isinstance(value, Secret):
        return reveal(value.reveal())
    if isinstance(value, list):
        return [reveal(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: reveal(item) for key, item in cast("dict[str, Any]", value).items()}
    return value


def contains_unknown(value: Value) -> bool:
    """Whether the value, or anything inside it, is not known yet."""
    return next(unknowns_in(value), None) is not None


def unknowns_in(value: Value) -> Iterator[Unknown]:
    """Every unknown inside the value, in order."""
    if type(value) in _SCALARS:
        return
    if isinstance(value, Unknown):
        yield value
    elif isinstance(value, Secret):
        yield from unknowns_in(value.reveal())
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from unknowns_in(item)
    elif isinstance(value, dict):
        for item in cast("dict[str, Any]", value).values():
            yield from unknowns_in(item)


def shown(value: Value, limit: int = 160) -> str:
    """A value as a message may print it: secrets masked, unknown values named, long values truncated."""
    text = _shown(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _shown(value: Value) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        return "[" + ", ".join(_shown(item) for item in cast("list[Any]", value)) + "]"
    if isinstance(value, dict):
        pairs = sorted(cast("dict[str, Any]", value).items())
        return "{" + ", ".join(f"{key}: {_shown(item)}" for key, item in pairs) + "}"
    return str(value)


def from_wire(value: Value, path: str = "") -> Value:
    """Turn a recorded (wire form) or proxied value into plain values, ``Unknown`` and ``Secret``."""
    kind = cast("type[Any]", type(value))
    if kind is dict and SIGNATURE not in value:
        prefix = f"{path}." if path else ""
        return {str(key): from_wire(item, f"{prefix}{key}") for key, item in cast("dict[Any, Any]", value).items()}
    if kind is list:
        return [from_wire(item, f"{path}[{index}]") for index, item in enumerate(cast("list[Any]", value))]
    if isinstance(value, str):
        return Unknown(path) if value in UNKNOWN_SENTINELS else value
    return value if value is None or isinstance(value, bool | int | float) else _from_proxy(value, path)


def _from_proxy(value: Value, path: str) -> Value:
    """A container of another class, which may refuse to hand out an element, or a signed mapping."""
    if type(value).__name__ in _PROXIES:
        value = value["__target"]
    if isinstance(value, Mapping):
        return _mapping_from_wire(cast("Mapping[str, Any]", value), path)
    if isinstance(value, Sequence):
        items = cast("Sequence[Any]", value)
        return [_element(items, index, f"{path}[{index}]") for index in range(len(items))]
    if type(value).__name__ == "Secret" and hasattr(value, "value"):
        return _secret(from_wire(value.value, path), path)
    return value


def _secret(inner: Value, path: str) -> Secret:
    """A secret, which stays one where its value cannot be read."""
    return Secret(Unknown(path, blinded=True) if isinstance(inner, str) and inner == BLINDED else inner)


def _mapping_from_wire(value: Mapping[str, Any], path: str) -> Value:
    signature = value.get(SIGNATURE) if SIGNATURE in value else None
    if signature == SECRET_SIGNATURE:
        inner = from_wire(value.get("value"), path)
        return inner if isinstance(inner, Unknown | Secret) else _secret(inner, path)
    if signature == OUTPUT_SIGNATURE:
        inner = from_wire(value["value"], path) if "value" in value else Unknown(path)
        return Secret(inner) if value.get("secret") is True and not isinstance(inner, Unknown | Secret) else inner
    if signature == RESOURCE_SIGNATURE:
        return from_wire(value.get("id"), path) if "id" in value else value.get("urn")
    prefix = f"{path}." if path else ""
    return {str(key): _element(value, key, f"{prefix}{key}") for key in value}


def _element(container: Value, key: Value, path: str) -> Value:
    """One element of a container which may refuse to hand it out because it is not known yet."""
    try:
        return from_wire(container[key], path)
    except Exception as error:
        if type(error).__name__ == "UnknownValueError":
            return Unknown(path)
        raise


@lru_cache(maxsize=4096)
def steps(path: str) -> tuple[str, ...]:
    """Split a path such as ``a.b[0].c`` into steps."""
    return tuple(_STEP.findall(path))


def walk(value: Value, path: str) -> Value:
    """The value at ``path``; an ``Unknown`` if it or anything on the path to it is unknown, ``None`` if it is absent.

    A value below a secret is a secret too.
    """
    masked = False
    for step in steps(path):
        if isinstance(value, Secret):
            masked, value = True, value.reveal()
        if isinstance(value, dict):
            value = cast("dict[str, Any]", value).get(step)
        elif isinstance(value, list):
            items = cast("list[Any]", value)
            value = items[int(step)] if step.isdigit() and int(step) < len(items) else None
        elif isinstance(value, Unknown):
            return value
        else:
            return None
    if masked and value is not None and not isinstance(value, Unknown | Secret):
        return Secret(value)
    return value


def overlay(declared: Value, answered: Value) -> Value:
    """The provider's outputs merged over the declared inputs; an unknown output never hides a known input."""
    if declared is None:
        return answered
    if isinstance(answered, Unknown):
        return declared
    ours, theirs = as_mapping(declared), as_mapping(answered)
    if ours is not None and theirs is not None:
        return _overlay_mappings(ours, theirs)
    if type(declared) is Secret:
        return answered if answered is None or type(answered) is Secret else Secret(answered)
    if as_list(answered) is not None and contains_unknown(answered) and not contains_unknown(declared):
        return declared
    return answered


def _overlay_mappings(declared: dict[str, Any], answered: dict[str, Any]) -> dict[str, Any]:
    """Key by key. A property that is neither declared nor answered yet is left to the provider, so it counts as not
    set.
    """
    merged = {key: item for key, item in declared.items() if key not in answered}
    for key, item in answered.items():
        if key in declared or not isinstance(item, Unknown):
            merged[key] = overlay(declared.get(key), item)
    return merged
