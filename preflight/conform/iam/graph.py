"""The recorded resources from IAM's point of view: ARNs, tags, and the roles and keys that resources refer to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from preflight.fakes.calls import key_of_secret
from preflight.fakes.values import Site
from preflight.recording.recorder import RecordedResource, Recording, site_of

ROLE, KEY, SECRET = "aws:iam/role:Role", "aws:kms/key:Key", "aws:secretsmanager/secret:Secret"


@dataclass(frozen=True, slots=True)
class Graph:
    """One recording, indexed by ARN."""

    recording: Recording
    account: str
    region: str
    tags: Mapping[str, Mapping[str, str]]
    """ARN → tags, for every resource with both."""
    documents: Mapping[str, tuple[Mapping[str, Any], ...]]
    """ARN of a key → the statements of its key policy."""
    trusts: Mapping[str, tuple[str, ...]]
    """ARN of a role → the services that may assume it."""
    keys: Mapping[str, str]
    """ARN of a secret → ARN of the key that encrypts it."""
    actions: dict[tuple[str, frozenset[str], bool], Mapping[str, set[str]]] = field(
        default_factory=dict[tuple[str, frozenset[str], bool], Mapping[str, set[str]]],
        init=False,
        repr=False,
        compare=False,
    )
    """Type, inputs and whether it has tags → its actions by operation: the same for a hundred alarms, so computed once."""

    @classmethod
    def of(cls, recording: Recording, bootstrap: Recording | None = None) -> Graph:
        """Index a recording with known values. ``bootstrap``'s secrets for this environment and their key are included,
        because the program reads them."""
        provider = next(r for r in recording.resources if r.type == "pulumi:providers:aws")
        site = site_of({f"aws:{key}": str(value) for key, value in provider.inputs.items()})
        own = [r for r in recording.resources if r.custom and isinstance(r.outputs.get("arn"), str)]
        own += _of_bootstrap(bootstrap, recording.stack, site) if bootstrap is not None else []
        return cls(
            recording,
            site.account,
            site.region,
            {str(r.outputs["arn"]): tags(r) for r in own if "tags" in r.inputs},
            {
                str(r.outputs["arn"]): statements(r.inputs["policy"])
                for r in own
                if r.type == KEY and "policy" in r.inputs
            },
            {str(r.outputs["arn"]): _services(r) for r in own if r.type == ROLE},
            {
                str(r.outputs["arn"]): str(r.inputs["kmsKeyId"])
                for r in own
                if r.type == SECRET and "kmsKeyId" in r.inputs
            },
        )

    def arn(self, service: str, resource: str) -> str:
        """A regional ARN of this account."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def role(self, name: str) -> str:
        """The ARN of the role with this name in the graph."""
        return next(
            (arn for arn in self.trusts if arn.rpartition("/")[2] == name), f"arn:aws:iam::{self.account}:role/{name}"
        )


def _of_bootstrap(bootstrap: Recording, stack: str, site: Site) -> list[RecordedResource]:
    """The secrets for an environment and their keys. Each key has the ARN that the program reads for its secret."""
    keys = {str(r.outputs["arn"]): r for r in bootstrap.resources if r.type == KEY}
    found = list(keys.values())
    for secret in bootstrap.resources:
        if secret.type == SECRET and tags(secret).get("environment") == stack:
            arn = key_of_secret(site, str(secret.outputs["arn"]))
            key = keys[str(secret.inputs["kmsKeyId"])]
            found.append(replace(key, outputs={**key.outputs, "arn": arn}))
            found.append(replace(secret, inputs={**secret.inputs, "kmsKeyId": arn}))
    return found


def tags(resource: RecordedResource) -> dict[str, str]:
    """The tags of a registered resource."""
    return {str(key): str(value) for key, value in cast("dict[str, Any]", resource.inputs.get("tags") or {}).items()}


def statements(document: str) -> tuple[Mapping[str, Any], ...]:
    """The statements of a policy document in JSON. No policy document in this project is a secret."""
    return tuple(json.loads(document)["Statement"])


def named(resource: RecordedResource, prefix: str) -> list[str]:
    """The ARNs with this prefix that are whole values in a resource's inputs, sorted. Policy documents are not searched."""
    return sorted({text for text in _strings(resource.inputs) if text.startswith(prefix)})


def _strings(value: Any) -> Iterator[str]:  # noqa: ANN401 - any part of the wire form
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in cast("Mapping[str, Any]", value).values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _strings(item)


def _services(role: RecordedResource) -> tuple[str, ...]:
    found: set[str] = set()
    for statement in statements(role.inputs["assumeRolePolicy"]):
        principal = statement.get("Principal", {})
        if isinstance(principal, Mapping):
            services = cast("Mapping[str, Any]", principal).get("Service", [])
            found |= {services} if isinstance(services, str) else set(services)
    return tuple(sorted(found))
