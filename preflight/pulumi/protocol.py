"""The messages of the Analyzer protocol: resources in requests, diagnostics in responses."""

from __future__ import annotations

import dataclasses
import functools
import marshal
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2

from policies.guardrails.details import Details
from preflight.errors import ConfigurationError
from preflight.sdk.wire import Json, Wire, flatten_references, from_struct, received, to_struct

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from google.protobuf import struct_pb2

ENFORCEMENT = {0: "advisory", 1: "mandatory", 2: "disabled", 3: "remediate"}
SEVERITY = {0: "", 1: "low", 2: "medium", 3: "high", 4: "critical"}
KIND = {0: "unknown", 1: "resource", 2: "stack"}

RESPONSES: Mapping[str, Any] = {
    "Handshake": analyzer_pb2.AnalyzerHandshakeResponse,
    "GetAnalyzerInfo": analyzer_pb2.AnalyzerInfo,
    "Configure": empty_pb2.Empty,
    "ConfigureStack": analyzer_pb2.AnalyzerStackConfigureResponse,
    "Analyze": analyzer_pb2.AnalyzeResponse,
    "AnalyzeStack": analyzer_pb2.AnalyzeResponse,
}
"""The methods, each with the type of its response."""

Target: TypeAlias = analyzer_pb2.AnalyzeRequest | analyzer_pb2.AnalyzerResource


@dataclasses.dataclass(frozen=True, slots=True)
class Diagnostic:
    """One report of one policy, as the engine receives it."""

    pack: str
    policy: str
    urn: str
    """Empty if the policy did not report a resource."""
    message: str
    """The message without the policy's description, which the SDK prepends."""
    description: str
    enforcement: str
    severity: str
    details: Details | None = None
    """The fields of the report, if the pack attaches them."""


@dataclasses.dataclass(frozen=True, slots=True)
class PolicyInfo:
    """One policy as its pack describes it."""

    name: str
    kind: str
    """``resource`` or ``stack``."""
    description: str
    enforcement: str
    severity: str
    remediation: str
    url: str


@dataclasses.dataclass(frozen=True, slots=True)
class PackInfo:
    """A pack and its policies, sorted by name."""

    name: str
    version: str
    policies: tuple[PolicyInfo, ...]


def completed(
    info: analyzer_pb2.AnalyzerInfo, given: Mapping[str, Mapping[str, Json]]
) -> analyzer_pb2.ConfigureAnalyzerRequest:
    """A configuration as the engine sends it: what is given, completed with the pack's defaults."""
    levels = {name: number for number, name in ENFORCEMENT.items()}
    for name, entry in sorted(given.items()):
        if (level := entry.get("enforcementLevel")) is not None and level not in levels:
            raise ConfigurationError(
                f"{name}.enforcementLevel is {level!r}; allowed: {', '.join(sorted(levels))}; fix: write one of these"
            )
    chosen: dict[str, tuple[int, Wire]] = {}
    for policy in info.policies:
        initial = info.initialConfig[policy.name].enforcementLevel if policy.name in info.initialConfig else None
        schemas: Wire = from_struct(policy.configSchema.properties)
        defaults = {key: schema["default"] for key, schema in schemas.items() if "default" in schema}
        chosen[policy.name] = policy.enforcementLevel if initial is None else initial, defaults
    if level := given.get("all", {}).get("enforcementLevel"):
        chosen = {name: (levels[level], settings) for name, (_, settings) in chosen.items()}
    for name, entry in given.items():
        before, settings = chosen.get(name, (levels["mandatory"], {}))
        own = {key: value for key, value in entry.items() if key != "enforcementLevel"}
        chosen[name] = levels[entry["enforcementLevel"]] if "enforcementLevel" in entry else before, {**settings, **own}
    request = analyzer_pb2.ConfigureAnalyzerRequest()
    for name, (level, settings) in chosen.items():
        request.policyConfig[name].enforcementLevel = cast("Any", level)
        to_struct(settings, request.policyConfig[name].properties)
    return request


def providers_of(resources: Iterable[object]) -> dict[str, Mapping[str, Json]]:
    """The provider resources among ``resources``, by URN."""
    found = (fields_of(resource) for resource in resources)
    return {fields["urn"]: fields for fields in found if fields["type"].startswith("pulumi:providers:")}


def fields_of(resource: object) -> Mapping[str, Json]:
    """A resource as a mapping: a ``RecordedResource``, or a mapping already."""
    if isinstance(resource, Mapping):
        return cast("Mapping[str, Json]", resource)
    return {name: getattr(resource, name) for name in _names(type(cast("DataclassInstance", resource)))}


@functools.cache
def _names(kind: type[DataclassInstance]) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def fill(
    target: Target, fields: Mapping[str, Json], properties: Mapping[str, Json], providers: Mapping[str, Json]
) -> None:
    """Write one resource into a request: the fields shared by Analyze and AnalyzeStack."""
    target.urn, target.type, target.name = fields["urn"], fields["type"], fields["name"]
    target.properties.CopyFrom(_struct(properties))
    _fill_options(fields, target.options)
    provider = providers.get((fields.get("provider") or "").rpartition("::")[0])
    if provider is not None:
        target.provider.urn, target.provider.type, target.provider.name = (
            provider["urn"],
            provider["type"],
            provider["name"],
        )
        target.provider.properties.CopyFrom(_struct(provider["inputs"]))


def stack_request(resources: Iterable[object]) -> analyzer_pb2.AnalyzeStackRequest:
    """All resources with their outputs (a component's too), sorted by URN."""
    request = analyzer_pb2.AnalyzeStackRequest()
    all_fields = sorted((fields_of(resource) for resource in resources), key=lambda f: f["urn"])
    providers = providers_of(all_fields)
    for fields in all_fields:
        target = request.resources.add()
        outputs = fields.get("outputs")
        fill(target, fields, fields["inputs"] if outputs is None else outputs, providers)
        target.parent = fields.get("parent") or ""
        target.dependencies.extend(fields.get("dependencies") or ())
        by_property: Mapping[str, Iterable[str]] = fields.get("property_dependencies") or {}
        for name, urns in by_property.items():
            if urns:
                target.propertyDependencies[name].urns.extend(urns)
    return request


def resource_request(resource: object, providers: Mapping[str, Json]) -> analyzer_pb2.AnalyzeRequest:
    """One resource with its inputs."""
    request = analyzer_pb2.AnalyzeRequest()
    fields = fields_of(resource)
    fill(request, fields, fields["inputs"], providers)
    return request


def plain_resource(fields: Mapping[str, Json]) -> Wire:
    """One resource with its inputs, as a pack reads it from ``resource_request`` (``policies.guardrails.analyzer.resource_in``)."""
    return {
        "urn": fields["urn"],
        "type": fields["type"],
        "name": fields["name"],
        "parent": fields.get("parent") or "",
        "inputs": _plain(fields["inputs"]),
        "protect": bool(fields.get("protect")),
    }


def plain_stack(every: Iterable[Mapping[str, Json]]) -> list[Wire]:
    """All resources with their outputs, as a pack reads them from ``stack_request`` (``policies.guardrails.analyzer.resources_in``)."""
    found: list[Wire] = []
    for fields in sorted(every, key=lambda f: f["urn"]):
        outputs = fields.get("outputs")
        by_property: Mapping[str, Iterable[str]] = fields.get("property_dependencies") or {}
        found.append(
            {
                "urn": fields["urn"],
                "type": fields["type"],
                "name": fields["name"],
                "parent": fields.get("parent") or "",
                "inputs": _plain(fields["inputs"] if outputs is None else outputs),
                "dependencies": list(fields.get("dependencies") or ()),
                "property_dependencies": {name: list(urns) for name, urns in by_property.items() if urns},
                "protect": bool(fields.get("protect")),
            }
        )
    return found


class Preview:
    """The requests of one preview, serialized once for all packs, for gRPC or (``plain``) for a fork of this process."""

    def __init__(self, resources: Iterable[object]) -> None:
        self._resources = list(resources)
        self._lock = threading.Lock()
        self._inputs: dict[bool, list[bytes]] = {}
        self._stack: dict[bool, bytes] = {}

    def resources(self, *, plain: bool = False) -> list[bytes]:
        """A request for each resource with its inputs. A resource that is only read is not registered: the engine shows it to stack
        policies alone."""
        with self._lock:
            if plain not in self._inputs:
                registered = [one for one in map(fields_of, self._resources) if not one.get("external")]
                providers = {} if plain else providers_of(self._resources)
                self._inputs[plain] = [
                    marshal.dumps(plain_resource(one))
                    if plain
                    else resource_request(one, providers).SerializeToString()
                    for one in registered
                ]
            return self._inputs[plain]

    def stack(self, *, plain: bool = False) -> bytes:
        """The request for all resources with their outputs."""
        with self._lock:
            if plain not in self._stack:
                self._stack[plain] = (
                    marshal.dumps(plain_stack(map(fields_of, self._resources)))
                    if plain
                    else stack_request(self._resources).SerializeToString()
                )
            return self._stack[plain]


def _struct(properties: Mapping[str, Json]) -> struct_pb2.Struct:
    visible = {key: value for key, value in properties.items() if not key.startswith("__")}
    return to_struct(flatten_references(visible))


def _plain(properties: Mapping[str, Json]) -> Wire:
    return {key: received(value) for key, value in properties.items() if not key.startswith("__")}


def _fill_options(fields: Mapping[str, Json], target: analyzer_pb2.AnalyzerResourceOptions) -> None:
    target.protect = bool(fields.get("protect"))
    target.ignoreChanges.extend(fields.get("ignore_changes") or ())
    target.deleteBeforeReplace = bool(fields.get("delete_before_replace"))
    target.deleteBeforeReplaceDefined = fields.get("delete_before_replace") is not None
    target.additionalSecretOutputs.extend(fields.get("additional_secret_outputs") or ())
    target.aliases.extend(fields.get("aliases") or ())
    target.parent = fields.get("parent") or ""
    timeouts: Mapping[str, float] = fields.get("custom_timeouts") or {}
    target.customTimeouts.create = timeouts.get("create", 0)
    target.customTimeouts.update = timeouts.get("update", 0)
    target.customTimeouts.delete = timeouts.get("delete", 0)
