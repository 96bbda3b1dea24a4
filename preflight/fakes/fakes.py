"""The values that AWS would return: in AWS's format, unique, deterministic, and never ``None`` by accident."""

from __future__ import annotations

from dataclasses import dataclass

from preflight.errors import FakeError
from preflight.fakes.calls import CALLS
from preflight.fakes.network import NETWORK
from preflight.fakes.services import SERVICES
from preflight.fakes.values import Digest, Site, Subject
from preflight.sdk.schema import computed_outputs, outputs_of
from preflight.sdk.wire import UNKNOWN, Json, Wire, has_unknown, unwrap

RESOURCES = NETWORK | SERVICES
_KNOWN_IN_PREVIEW = {"name", "bucket", "region", "tagsAll"}
"""Computed, but the provider knows them before it creates anything."""

_CHOSEN = {"name", "tagsAll"}
"""Computed, but chosen by the creator of the resource."""


@dataclass(frozen=True, slots=True)
class FakeAnswer:
    """The engine's response to one registration."""

    id: str
    """Empty if the value is not known yet."""
    outputs: Wire
    known: frozenset[str]
    """The outputs that have a value once the resource exists."""


class Fakes:
    """Replaces the providers of one stack."""

    def __init__(self, site: Site | None = None) -> None:
        self.site = site or Site()
        self._made: dict[str, Wire] = {}

    def resource(self, token: str, name: str, inputs: Wire, urn: str, *, preview: bool) -> FakeAnswer:
        """The inputs and every computed output: a faithful value, or unknown in a first preview."""
        if token.startswith("pulumi:providers:"):
            identifier = "" if preview else Digest(urn).uuid()
            return FakeAnswer(identifier, dict(inputs), frozenset(inputs))
        computed = self._computed(token, name, inputs, urn)
        identifier = str(computed.pop("id"))
        known = frozenset({*computed, *inputs})
        if not preview:
            outputs = dict(sorted({**computed, **inputs, "id": identifier}.items()))
            self._made[identifier] = outputs
            return FakeAnswer(identifier, outputs, known)
        unknown = {*computed, *computed_outputs(token), "id"} - _KNOWN_IN_PREVIEW
        certain = {key: value for key, value in computed.items() if key in _KNOWN_IN_PREVIEW}
        outputs = {**dict.fromkeys(unknown, UNKNOWN), **certain, **inputs}
        return FakeAnswer("", dict(sorted(outputs.items())), known)

    def remember(self, identifier: str, outputs: Wire) -> None:
        """Register a resource that another process created."""
        self._made[identifier] = outputs

    def existing(self, token: str, name: str, identifier: str, state: Wire, urn: str) -> FakeAnswer:
        """A resource that is imported: its outputs are known in a preview too."""
        computed = {**self._computed(token, name, state, urn), "id": identifier}
        return FakeAnswer(identifier, dict(sorted({**computed, **state}.items())), frozenset({*computed, *state}))

    def read(self, token: str, name: str, identifier: str, state: Wire, urn: str) -> FakeAnswer:
        """A resource that is only read: values that only AWS knows (tags, routes) are unknown, never absent."""
        answer = self.existing(token, name, identifier, state, urn)
        elsewhere = dict.fromkeys(outputs_of(token), UNKNOWN)
        certain = {key: value for key, value in answer.outputs.items() if key in state or key not in _CHOSEN}
        return FakeAnswer(identifier, dict(sorted({**elsewhere, **certain}.items())), answer.known)

    def answers(self, token: str) -> bool:
        """Whether the look-up has an answer."""
        return token in CALLS

    def call(self, token: str, args: Wire) -> Wire:
        """The response to a look-up."""
        fake = CALLS.get(token)
        if fake is None:
            raise FakeError(
                f"the program calls {token}, and the offline engine has no answer for it.\n"
                "fix: pass the value in as configuration, or add a faithful answer to preflight/fakes/calls.py"
            )
        return fake(self.site, args)

    def _computed(self, token: str, name: str, inputs: Wire, urn: str) -> Wire:
        plain = {key: value for key, value in unwrap(inputs).items() if not has_unknown(value)}
        subject = Subject(self.site, urn, name, plain, self._made)
        always = computed_outputs(token)
        outputs: dict[str, Json] = {"id": f"{name}-{subject.digest.hex(7)}"}
        if "name" in always:
            outputs["name"] = subject.name
        if "region" in always:
            outputs["region"] = self.site.region
        if "tagsAll" in always:
            outputs["tagsAll"] = plain.get("tags") or {}
        fake = RESOURCES.get(token)
        return outputs if fake is None else {**outputs, **fake(subject)}
