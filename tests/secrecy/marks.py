"""The mark of a secret in each place where the engine may put it, for what was recorded with marks at the leaves.

A provider that accepts secrets keeps them where the program put them. Of one that does not, the engine copies the marks
from the inputs: object by object, and of a list with a secret in it the whole list becomes one
(``annotateSecrets`` in https://github.com/pulumi/pulumi/blob/master/pkg/resource/plugin/provider_plugin.go).
``pulumi policy analyze`` of a state that it cannot decrypt puts ``[secret]`` in the place of every secret
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
    """As a provider that accepts secrets leaves them."""
    return properties


def lifted(properties: Wire) -> Wire:
    """As the engine marks what a provider without secrets returned."""
    return {key: _lifted(value) for key, value in properties.items()}


def _lifted(value: Json) -> Json:
    if is_signed(value, SECRET):
        return secret(unwrap(value))
    if isinstance(value, dict):
        return lifted(cast("Wire", value))
    return secret(unwrap(value)) if holds_secret(value) else value


def holds_secret(value: Json) -> bool:
    """Whether anything in a value is marked."""
    if isinstance(value, dict):
        entries = cast("Wire", value)
        return is_signed(entries, SECRET) or any(holds_secret(item) for item in entries.values())
    return isinstance(value, list) and any(holds_secret(item) for item in cast("list[Json]", value))


def blinded(properties: Wire) -> Wire:
    """The same, of a state that cannot be decrypted."""
    return {key: _blinded(value) for key, value in properties.items()}


def _blinded(value: Json) -> Json:
    if is_signed(value, SECRET):
        return secret(MASK)
    if isinstance(value, dict):
        return blinded(cast("Wire", value))
    return [_blinded(item) for item in cast("list[Json]", value)] if isinstance(value, list) else value


def blinded_lists(properties: Wire) -> Wire:
    """A state of a provider without secrets, that cannot be decrypted: of a list with a secret nothing is known."""
    return blinded(lifted(properties))


def marked(resources: Iterable[RecordedResource], how: Marks) -> list[RecordedResource]:
    """Resources with their marks moved; a component's outputs are the program's and stay."""
    return [
        replace(each, inputs=how(each.inputs), outputs=how(each.outputs)) if each.custom else each for each in resources
    ]
