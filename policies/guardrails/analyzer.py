"""A policy pack as a process: Pulumi's Analyzer protocol over gRPC on loopback, for any list of rules.

It replaces ``pulumi_policy.PolicyPack``, which decodes every resource again for each stack policy (2.2 s for 1,000
resources and 80 policies), unwraps secrets so that a message could print them, reduces a whole policy to an advisory
note as soon as one value is unknown, and has one level for all reports of a policy. Here each request is decoded once,
secrets and unknowns keep their marks, and an excepted finding stays visible as advice under its own policy.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent import futures
from dataclasses import dataclass
from typing import Any, Protocol, cast

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, plugin_pb2

from .details import attach, details_of
from .evaluation import Policy, Report
from .renamed import former_names
from .rule import FRAMEWORK, Level, Rule, Severity
from .topology.graph.resources import Graph, Resource
from .topology.graph.values import UNKNOWN_SENTINELS, Value, as_mapping

_MAX_MESSAGE_BYTES = 400 * 1024 * 1024

_LEVELS = {
    Level.ADVISORY: analyzer_pb2.ADVISORY,
    Level.MANDATORY: analyzer_pb2.MANDATORY,
    Level.DISABLED: analyzer_pb2.DISABLED,
}
_FROM_ENGINE = {
    analyzer_pb2.ADVISORY: Level.ADVISORY,
    analyzer_pb2.MANDATORY: Level.MANDATORY,
    analyzer_pb2.REMEDIATE: Level.MANDATORY,
    analyzer_pb2.DISABLED: Level.DISABLED,
}
_SEVERITIES = {
    Severity.LOW: analyzer_pb2.POLICY_SEVERITY_LOW,
    Severity.MEDIUM: analyzer_pb2.POLICY_SEVERITY_MEDIUM,
    Severity.HIGH: analyzer_pb2.POLICY_SEVERITY_HIGH,
    Severity.CRITICAL: analyzer_pb2.POLICY_SEVERITY_CRITICAL,
}


class Evaluator(Protocol):
    """Runs a pack's policies."""

    def on_resource(self, resource: Resource, *, preview: bool) -> list[Report]:
        """The findings on one resource's inputs."""
        ...

    def on_stack(self, graph: Graph) -> tuple[list[Report], list[tuple[Rule, str]]]:
        """The findings on all resources, and the policies that have nothing to check (with the reason)."""
        ...


@dataclass(frozen=True, slots=True)
class Pack:
    """A policy pack."""

    name: str
    display_name: str
    version: str
    rules: tuple[Rule, ...]
    evaluator: Callable[[Sequence[Policy]], Evaluator]
    """Creates the evaluator for one run's configuration."""


class Analyzer(analyzer_pb2_grpc.AnalyzerServicer):
    """Serves the engine's requests for one pack. The configuration of the run is the only state."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self._preview = False
        self._evaluator = pack.evaluator([Policy.of(rule) for rule in pack.rules])

    def Handshake(self, request: Value, context: Value) -> Value:  # noqa: N802 - the protocol's name
        """The pack sends no requests to the engine, so nothing is stored."""
        return analyzer_pb2.AnalyzerHandshakeResponse()

    def GetPluginInfo(self, request: Value, context: Value) -> Value:  # noqa: N802
        """The version of the pack."""
        return plugin_pb2.PluginInfo(version=self._pack.version)

    def GetAnalyzerInfo(self, request: Value, context: Value) -> Value:  # noqa: N802
        """The policies with their descriptions, levels, controls and configuration schemas."""
        return analyzer_pb2.AnalyzerInfo(
            name=self._pack.name,
            displayName=self._pack.display_name,
            version=self._pack.version,
            supportsConfig=True,
            provider="aws",
            policies=[_information(rule) for rule in self._pack.rules],
        )

    def Configure(self, request: Value, context: Value) -> Value:  # noqa: N802
        """Set the levels and settings that a team chose, by policy."""
        self._evaluator = self._pack.evaluator([configured(rule, request.policyConfig) for rule in self._pack.rules])
        return empty_pb2.Empty()

    def ConfigureStack(self, request: Value, context: Value) -> Value:  # noqa: N802
        """Receive whether this is a preview; the stack's name is read from its resources."""
        self._preview = request.dry_run
        return analyzer_pb2.AnalyzerStackConfigureResponse()

    def Analyze(self, request: Value, context: Value) -> Value:  # noqa: N802
        """Run the resource policies on one resource's inputs."""
        resource = Resource.from_recorded(
            {
                "urn": request.urn,
                "type": request.type,
                "name": request.name,
                "parent": request.options.parent,
                "inputs": _plain(request.properties),
                "protect": request.options.protect,
            }
        )
        reports = self._evaluator.on_resource(resource, preview=self._preview)
        return analyzer_pb2.AnalyzeResponse(diagnostics=map(self._diagnostic, reports))

    def AnalyzeStack(self, request: Value, context: Value) -> Value:  # noqa: N802
        """Run the stack policies on the outputs of all resources, which are decoded and joined once."""
        reports, idle = self._evaluator.on_stack(graph_of(request))
        return analyzer_pb2.AnalyzeResponse(
            diagnostics=map(self._diagnostic, reports),
            not_applicable=[
                analyzer_pb2.PolicyNotApplicable(policy_name=rule.name, reason=reason) for rule, reason in idle
            ],
        )

    def Remediate(self, request: Value, context: Value) -> Value:  # noqa: N802
        """Return nothing: no policy modifies a resource, because only the program describes resources."""
        return analyzer_pb2.RemediateResponse()

    def _diagnostic(self, report: Report) -> Value:
        diagnostic = analyzer_pb2.AnalyzeDiagnostic(
            policyName=report.rule.name,
            policyPackName=self._pack.name,
            policyPackVersion=self._pack.version,
            description=report.rule.description,
            message=f"{report.rule.description}\n{report.message}",
            enforcementLevel=_LEVELS[report.level],
            urn=report.finding.urn,
            severity=_SEVERITIES[report.rule.severity],
        )
        attach(diagnostic, details_of(report))
        return diagnostic


def graph_of(request: Value) -> Graph:
    """The resources of an AnalyzeStack request."""
    return Graph.from_recorded(
        {
            "urn": item.urn,
            "type": item.type,
            "name": item.name,
            "parent": item.parent,
            "inputs": declared(_plain(item.properties), item.propertyDependencies),
            "dependencies": list(item.dependencies),
            "property_dependencies": {key: list(value.urns) for key, value in item.propertyDependencies.items()},
            "protect": item.options.protect,
        }
        for item in request.resources
    )


def configured(rule: Rule, given: Mapping[str, Any]) -> Policy:
    """The rule with the configuration given under its current name and under earlier ones.

    The engine completes the configuration with every policy's defaults, under current names only
    (https://github.com/pulumi/pulumi/blob/master/pkg/resource/analyzer/config.go). A value
    under the current name that equals the default is therefore ignored in favor of one under an earlier name; any other
    value under the current name takes precedence.
    """
    defaults = rule.settings({})
    settings: dict[str, Any] = {}
    level: Level | None = None
    for name in (*former_names(rule.name), rule.name):
        if name not in given:
            continue
        chosen = _FROM_ENGINE[given[name].enforcementLevel]
        former = name != rule.name
        settings |= {
            key: value for key, value in _plain(given[name].properties).items() if former or value != defaults.get(key)
        }
        level = chosen if former or level is None or chosen is not rule.level else level
    return Policy.of(rule, settings, level)


def _information(rule: Rule) -> Value:
    information = analyzer_pb2.PolicyInfo(
        name=rule.name,
        displayName=rule.name.replace("-", " ").capitalize(),
        description=rule.description,
        enforcementLevel=_LEVELS[rule.level],
        policy_type=analyzer_pb2.POLICY_TYPE_STACK if rule.is_stack else analyzer_pb2.POLICY_TYPE_RESOURCE,
        severity=_SEVERITIES[rule.severity],
        remediation_steps=rule.remediation,
    )
    if rule.controls:
        information.framework.name = FRAMEWORK
        information.framework.specification = ", ".join(rule.controls)
    for key, schema in rule.schema.items():
        information.configSchema.properties.update({key: dict(schema)})
    return information


def declared(properties: dict[str, Any], dependencies: Collection[str]) -> dict[str, Any]:
    """The properties without those that the provider will fill in.

    A stack policy sees outputs. In a preview, an optional property that the program left out is unknown there, like one
    that it computes from another resource; only a computed one has dependencies. An omitted property is absent, so that
    a policy evaluates AWS's default instead of an unknown value. A resource that is only read omits nothing: it exists,
    so it has an id, and the program computes none of its properties.
    """
    if not dependencies and "id" in properties and not _is_unknown(properties["id"]):
        return properties
    return {
        key: value if key in dependencies else _without_unknowns(value)
        for key, value in properties.items()
        if key in dependencies or not _is_unknown(value)
    }


def _without_unknowns(value: Value) -> Value:
    mapping = as_mapping(value)
    if mapping is not None:
        return {key: _without_unknowns(item) for key, item in mapping.items() if not _is_unknown(item)}
    return [_without_unknowns(item) for item in cast("list[Any]", value)] if isinstance(value, list) else value


def _is_unknown(value: Value) -> bool:
    return isinstance(value, str) and value in UNKNOWN_SENTINELS


def _plain(struct: Value) -> dict[str, Any]:
    """A protobuf ``Struct`` as plain values; whole numbers become ``int``."""
    return {key: _value(value) for key, value in cast("Mapping[str, struct_pb2.Value]", struct.fields).items()}


def _value(value: struct_pb2.Value) -> Value:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "struct_value":
        return _plain(value.struct_value)
    if kind == "list_value":
        return [_value(item) for item in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return value.bool_value if kind == "bool_value" else None


def serve(pack: Pack) -> None:
    """Serve on a free loopback port, print it as the engine expects, and run until the engine ends the process."""
    limits = [("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), options=limits)
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Analyzer(pack), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()
