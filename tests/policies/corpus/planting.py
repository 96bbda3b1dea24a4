"""The table of changes: what each declares, and the policy that has to stop or name it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from policies.guardrails.topology.graph.values import Value
from tests.topology.builders import Stack

Change = Callable[[Stack], None]
NAMED = "reachability-every-type-is-modelled"


class Kind(StrEnum):
    """How a change escapes a check of single properties."""

    TRUST = "who may assume a role"
    GRANT = "who may use a resource"
    ACCOUNT = "another account"
    SWITCH = "one property makes public"
    ADDRESS = "an address or an address list"
    WORLD = "a type that nothing evaluates"
    OTHER = "another provider, a template or a command"
    PROVIDER = "a setting of the provider or of names"
    LOGIN = "who may log in, how often"
    DERIVED = "an output that is derived from another"


@dataclass(frozen=True)
class Case:
    """One change, and the policy that has to report it; a safe one has none."""

    kind: Kind
    what: str
    policy: str
    change: Change
    level: str = "mandatory"

    def __str__(self) -> str:
        return f"{self.kind.name.lower()}: {self.what}"


PLANTED: list[Case] = []
SAFE: list[Case] = []


def planted(kind: Kind, policy: str, level: str = "mandatory") -> Callable[[Change], Change]:
    """Register a change that a policy has to stop, or with the level ``advisory`` to name."""

    def register(change: Change) -> Change:
        PLANTED.append(Case(kind, change.__name__.replace("_", " "), policy, change, level))
        return change

    return register


def safe(kind: Kind) -> Callable[[Change], Change]:
    """Register a variant that nothing may stop."""

    def register(change: Change) -> Change:
        SAFE.append(Case(kind, change.__name__.replace("_", " "), "", change))
        return change

    return register


def one(type_: str, **inputs: Value) -> Change:
    """The change that declares one resource."""

    def change(stack: Stack) -> None:
        stack.add(type_, "planted", **inputs)

    return change


def rows(kind: Kind, policy: str, *found: tuple[str, str, dict[str, Any]], level: str = "mandatory") -> None:
    """Register changes of one resource each: what it is, its type, its properties."""
    PLANTED.extend(Case(kind, what, policy, one(type_, **inputs), level) for what, type_, inputs in found)


def safe_rows(kind: Kind, *found: tuple[str, str, dict[str, Any]]) -> None:
    """Register safe variants of one resource each."""
    SAFE.extend(Case(kind, what, "", one(type_, **inputs)) for what, type_, inputs in found)


def of_kind(kind: Kind) -> Iterator[Case]:
    """The changes of one kind."""
    return (case for case in PLANTED if case.kind is kind)
