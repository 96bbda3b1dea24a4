"""The configuration of one run: which policies run, at which level, with which settings.

It comes from the policy configuration that the engine passes (``--policy-pack-config``, or a policy group), and for the
keys of ``OF_THE_STACK`` also from the stack's configuration; the policy configuration takes precedence. A name that
does not exist is refused: a misspelt one would otherwise leave the policy as it was.
"""

from __future__ import annotations

import difflib
import ipaddress
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from .evaluation import Policy
from .profiles import DEFAULT, Place, Profile, place_of
from .renamed import former_names, present_name, renamed
from .rule import Level, Rule

ALL = "all"
"""The key that sets the level of every policy, as the engine defines it."""
NAMESPACE = "guardrails"
"""The namespace of the pack's keys in a stack's configuration."""
CHOSEN, EXCEPTIONS, BASELINE = "stack-profile-is-chosen", "stack-exceptions-current", "stack-baseline-current"
"""The policies whose settings are about the whole pack."""
OF_THE_STACK = {"profile": (CHOSEN, "profile"), "exceptions": (EXCEPTIONS, "file"), "baseline": (BASELINE, "file")}
"""Key in a stack's configuration → the policy and the setting that it stands for."""
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


class MisconfiguredError(Exception):
    """The configuration has mistakes; the message has one line for each, with key, value, allowed values and fix."""


@dataclass(frozen=True, slots=True)
class Given:
    """The part of a configuration about one policy."""

    level: Level | None = None
    """``None``: the level of the profile."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])


def policies(
    rules: Sequence[Rule],
    given: Mapping[str, Given],
    stack: Mapping[str, str],
    default: Profile | None = DEFAULT,
) -> list[Policy]:
    """The policies of one run. Raises ``MisconfiguredError`` with every mistake.

    ``stack`` is the stack's configuration, by full key. ``default`` is the profile if nothing chooses one; ``None`` for
    a pack without profiles, which runs every policy at its own level.
    """
    mistakes = [*_mistakes(rules, given), *(_mistakes_of_stack(rules, stack) if default else ())]
    if mistakes:
        lines = "\n".join(f"- {mistake}" for mistake in mistakes)
        raise MisconfiguredError(f"the configuration of the policies has {_number(mistakes, 'mistake')}:\n{lines}")
    given = {**given, **dict(_of_stack(rules, given, stack))} if default else given
    profile = _profile(given, stack, default)
    return [
        configured(rule, given, Place(rule.level) if profile is None else place_of(rule, profile)) for rule in rules
    ]


def configured(rule: Rule, given: Mapping[str, Given], place: Place | None = None) -> Policy:
    """The rule with what is given under its current name and under earlier ones; the current name takes precedence.

    The engine completes every policy's settings with the defaults, so a setting that equals the default counts as not
    given. A policy that the profile leaves out runs if the configuration gives it a level or a setting.
    """
    place = place or Place(rule.level)
    defaults = rule.settings({})
    settings: dict[str, Any] = {}
    level: Level | None = None
    for name in (*former_names(rule.name), rule.name):
        if name in given:
            level = given[name].level or level
            settings |= {key: value for key, value in given[name].settings.items() if value != defaults.get(key)}
    if ALL in given and level is given[ALL].level and place.level is Level.DISABLED:
        level = None
    if level is None:
        level = rule.level if place.level is Level.DISABLED and settings else place.level
    return Policy.of(rule, {**place.settings, **settings}, level)


def _profile(given: Mapping[str, Given], stack: Mapping[str, str], default: Profile | None) -> Profile | None:
    chosen = given[CHOSEN].settings.get("profile") if CHOSEN in given else None
    chosen = chosen or stack.get(f"{NAMESPACE}:profile")
    return Profile(chosen) if default is not None and chosen else default


def _of_stack(
    rules: Sequence[Rule], given: Mapping[str, Given], stack: Mapping[str, str]
) -> Iterator[tuple[str, Given]]:
    """The policies for which the stack's configuration has a setting that the policy configuration does not have."""
    by_name = {rule.name: rule for rule in rules}
    for key, (policy, setting) in OF_THE_STACK.items():
        value = stack.get(f"{NAMESPACE}:{key}")
        before = given.get(policy, Given())
        if value and policy in by_name and not before.settings.get(setting):
            yield policy, Given(before.level, {**before.settings, setting: value})


def _mistakes_of_stack(rules: Sequence[Rule], stack: Mapping[str, str]) -> Iterator[str]:
    by_name = {rule.name: rule for rule in rules}
    for full, value in sorted(stack.items()):
        namespace, _, key = full.partition(":")
        if namespace != NAMESPACE:
            continue
        if key not in OF_THE_STACK:
            yield _unknown(f"{full} in the stack's configuration", "is not a key", key, OF_THE_STACK, f"{NAMESPACE}:")
            continue
        policy, setting = OF_THE_STACK[key]
        if policy in by_name and value:
            yield from _of_value(f"{full} in the stack's configuration", value, by_name[policy].schema[setting])


def _mistakes(rules: Sequence[Rule], given: Mapping[str, Given]) -> Iterator[str]:
    by_name = {rule.name: rule for rule in rules}
    former = {name for name, present in renamed().items() if present in by_name}
    for name, choice in sorted(given.items()):
        if name == ALL:
            continue
        rule = by_name.get(present_name(name))
        if rule is None:
            yield _unknown(name, "is not a policy of this pack", name, {*by_name, *former, ALL})
            continue
        for key, value in sorted(choice.settings.items()):
            if key in rule.schema:
                yield from _of_value(f"{name}.{key}", value, rule.schema[key])
            else:
                yield _unknown(
                    f"{name}.{key}", "is not a setting of the policy", key, {*rule.schema, "enforcementLevel"}
                )


def _account(value: str) -> None:
    if not re.fullmatch(r"[0-9]{12}", value):
        raise ValueError


_FORMATS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "python-regex": (re.compile, "a regular expression of Python"),
    "cidr": (ipaddress.ip_network, "a CIDR block such as 203.0.113.0/24"),
    "aws-account": (_account, "an AWS account id: 12 digits"),
}


def _of_value(key: str, value: object, schema: Mapping[str, Any]) -> Iterator[str]:
    """The mistakes of a value by its schema: type, range, one of several, a pattern or a form; items likewise."""
    kind = str(schema.get("type", ""))
    if kind and (not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        yield _wrong(key, value, f"a value of type {kind}", f"write a value of type {kind}")
    elif "enum" in schema and value not in schema["enum"]:
        allowed = [str(item) for item in schema["enum"] if item != ""]
        yield _wrong(key, value, " or ".join(allowed), _nearest(str(value), allowed))
    elif isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        bounds = [
            f"{word} {schema[bound]}"
            for bound, word in (("minimum", "at least"), ("maximum", "at most"))
            if bound in schema
        ]
        yield _wrong(key, value, " and ".join(bounds), "write a number in this range")
    elif isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield _wrong(
            key, value, f"a text that matches {schema['pattern']}", str(schema.get("description", "correct it"))
        )
    elif isinstance(value, str) and schema.get("format") in _FORMATS:
        read, wanted = _FORMATS[str(schema["format"])]
        try:
            read(value)
        except (ValueError, re.error) as error:
            yield _wrong(key, value, wanted, f"correct it: {error}" if str(error) else "correct it")
    elif isinstance(value, list) and "items" in schema:
        for number, item in enumerate(cast("list[object]", value)):
            yield from _of_value(f"{key}[{number}]", item, schema["items"])


def _wrong(key: str, value: object, allowed: str, fix: str) -> str:
    return f"{key} is {json.dumps(value, default=str)}; allowed: {allowed}; fix: {fix}"


def _unknown(key: str, what: str, name: str, known: Collection[str], prefix: str = "") -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5) or _sharing_words(name, known)
    listed = sorted(known)
    few = len(listed) <= _FEW
    allowed = f"allowed: {', '.join(prefix + item for item in listed)}; " if few else ""
    fix = (
        f"write {prefix}{near[0]}"
        if near
        else "remove it"
        if few
        else "remove it, or write a name that the pack's README.md lists"
    )
    return f"{key} {what}; {allowed}fix: {fix}"


_FEW = 12
"""The largest number of allowed names that a message lists."""


def _sharing_words(name: str, known: Iterable[str]) -> list[str]:
    """The name that shares most words with ``name``; none if no name shares two."""
    words = set(name.lower().split("-"))
    shared = {item: len(words & set(item.split("-"))) for item in sorted(known)}
    best = max(shared.values(), default=0)
    return [item for item, number in shared.items() if number == best][:1] if best > 1 else []


def _nearest(value: str, allowed: Sequence[str]) -> str:
    near = difflib.get_close_matches(value, allowed, n=1, cutoff=0.4)
    return f"write {near[0]}" if near else "write one of these"


def _number(items: Sequence[object], noun: str) -> str:
    return f"1 {noun}" if len(items) == 1 else f"{len(items)} {noun}s"
