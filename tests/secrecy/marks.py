"""Moves the marks of secrets to each position at which the engine can put them, in recordings with marks at the leaves.

A provider that accepts secrets keeps the program's marks. For one that does not, the engine copies the marks from the inputs
object by object, and marks a list with a secret as a whole
(``annotateSecrets`` in https://github.com/pulumi/pulumi/blob/master/pkg/resource/plugin/provider_plugin.go).
For a state that it cannot decrypt, ``pulumi policy analyze`` replaces every secret by ``[secret]``
(https://www.pulumi.com/docs/iac/cli/commands/pulumi_policy_analyze/).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import cast

from preflight.recording.recorder import RecordedResource
from preflight.sdk.wire import MASK, SECRET, Json, Wire, is_signed, secret, unwrap

Marks = Callable[[Wire], Wire]


def at_the_leaf(properties: Wire) -> Wire:
    """The marks of a provider that accepts secrets."""
    return properties


def lifted(properties: Wire) -> Wire:
    """The engine's marks for a provider that does not accept secrets."""
    return {key: _lifted(value) for key, value in properties.items()}


def _lifted(value: Json) -> Json:
    if is_signed(value, SECRET):
        return secret(unwrap(value))
    if isinstance(value, dict):
        return lifted(cast("Wire", value))
    return secret(unwrap(value)) if holds_secret(value) else value


def holds_secret(value: Json) -> bool:
    """Whether a value contains a mark."""
    if isinstance(value, dict):
        entries = cast("Wire", value)
        return is_signed(entries, SECRET) or any(holds_secret(item) for item in entries.values())
    return isinstance(value, list) and any(holds_secret(item) for item in cast("list[Json]", value))


def blinded(properties: Wire) -> Wire:
    """The same for a state that cannot be decrypted."""
    return {key: _blinded(value) for key, value in properties.items()}


def _blinded(value: Json) -> Json:
    if is_signed(value, SECRET):
        return secret(MASK)
    if isinstance(value, dict):
        return blinded(cast("Wire", value))
    return [_blinded(item) for item in cast("list[Json]", value)] if isinstance(value, list) else value


def blinded_lists(properties: Wire) -> Wire:
    """An undecryptable state of a provider that does not accept secrets: lists with a secret are unknown."""
    return blinded(lifted(properties))


def marked(resources: Iterable[RecordedResource], how: Marks) -> list[RecordedResource]:
    """Resources with moved marks; a component's outputs come from the program and are not changed."""
    return [
        replace(each, inputs=how(each.inputs), outputs=how(each.outputs)) if each.custom else each for each in resources
    ]
