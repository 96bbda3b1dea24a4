"""A policy pack as a process: Pulumi's Analyzer protocol over gRPC on loopback, for any list of rules.

It replaces ``pulumi_policy.PolicyPack``, which decodes every resource again for each stack policy (2.2 s for 1,000
resources and 80 policies), unwraps secrets so that a message could print them, reduces a whole policy to an advisory
note as soon as one value is unknown, and has one level for all reports of a policy. Here each request is decoded once,
secrets and unknowns keep their marks, and an excepted finding stays visible as advice under its own policy.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent import futures
from dataclasses import dataclass
from typing import Any, Protocol, cast

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, plugin_pb2

from . import stream
from .configuration import NAMESPACE, Given, MisconfiguredError, policies
from .details import attach, details_of, member_of
from .evaluation import Policy, Report
from .grouping import Group, grouped, message, once
from .profiles import Profile
from .rule import FRAMEWORK, Level, Rule, Severity
from .topology.graph.resources import Graph, Resource
from .topology.graph.values import UNKNOWN_SENTINELS, Value, as_mapping

_MAX_MESSAGE_BYTES = 400 * 1024 * 1024

_LEVELS = {
    Level.ADVISORY: analyzer_pb2.ADVISORY,
    Level.MANDATORY: analyzer_pb2.MANDATORY,
    Level.DISABLED: analyzer_pb2.DISABLED,
}
_UNSET = analyzer_pb2.REMEDIATE
"""The level of a policy for which the configuration names none. The engine replaces a missing level by the pack's initial
one, so that has to be a level with another meaning than the other three; no policy of these packs remediates."""
_FROM_ENGINE = {
    analyzer_pb2.ADVISORY: Level.ADVISORY,
    analyzer_pb2.MANDATORY: Level.MANDATORY,
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
    """Creates the evaluator for one run's configuration. May raise ``MisconfiguredError``."""
    profile: Profile | None = None
    """The profile of a stack for which nothing chooses one; ``None``: the pack has no profiles."""


class Analyzer(analyzer_pb2_grpc.AnalyzerServicer):
    """Serves the engine's requests for one pack.

    Its state is the configuration of the run, and in a preview the reports on single resources so far.
    """

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self._preview = False
        self._held: dict[str, list[Report]] = {}
        self._stack: Mapping[str, str] = {}
        self._given: Mapping[str, Given] = {}
        self._configure()

    def _configure(self) -> None:
        """Raises ``MisconfiguredError`` for a configuration that names something which does not exist."""
        self._policies = policies(self._pack.rules, self._given, self._stack, self._pack.profile)
        self._evaluator = self._pack.evaluator(self._policies)

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
            policies=[_information(policy) for policy in self._policies],
            initialConfig={rule.name: analyzer_pb2.PolicyConfig(enforcementLevel=_UNSET) for rule in self._pack.rules},
        )

    def Configure(self, request: Value, context: Value) -> Value:  # noqa: N802
        """Set the levels and settings that a team chose, by policy; a mistake refuses the request."""
        self._given = {name: given(config) for name, config in request.policyConfig.items()}
        return self._configured(context, empty_pb2.Empty())

    def ConfigureStack(self, request: Value, context: Value) -> Value:  # noqa: N802
        """Receive whether this is a preview, and the stack's configuration; its name is read from its resources."""
        self._preview = request.dry_run
        self._stack = {key: str(value) for key, value in request.config.items() if _is_ours(key)}
        return self._configured(context, analyzer_pb2.AnalyzerStackConfigureResponse())

    def _configured(self, context: Value, answer: Value) -> Value:
        try:
            self._configure()
        except MisconfiguredError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        return answer

    def Analyze(self, request: Value, context: Value) -> Value:  # noqa: N802
        """Run the resource policies on one resource's inputs.

        In a preview nothing is created, so the findings are held back until the whole stack is analyzed, where those of
        one cause become one report. In an update they are returned at once, before the resource is created.
        """
        return self.analyze(resource_in(request))

    def analyze(self, entry: Mapping[str, Any]) -> Value:
        """The response to one resource's inputs as plain values (``resource_in``)."""
        resource = Resource.from_recorded(entry)
        reports = self._evaluator.on_resource(resource, preview=self._preview)
        if self._preview:
            self._held[resource.urn] = reports
            reports = []
        return analyzer_pb2.AnalyzeResponse(diagnostics=map(self._diagnostic, grouped(reports)))

    def AnalyzeStack(self, request: Value, context: Value) -> Value:  # noqa: N802
        """Run the stack policies on the outputs of all resources, which are decoded and joined once."""
        return self.analyze_stack(resources_in(request))

    def analyze_stack(self, entries: Iterable[Mapping[str, Any]]) -> Value:
        """The response to the outputs of all resources as plain values (``resources_in``)."""
        graph = graph_of(entries)
        reports, idle = self._evaluator.on_stack(graph)
        reports += [report for held in self._held.values() for report in held]
        self._held = {}
        return analyzer_pb2.AnalyzeResponse(
            diagnostics=map(self._diagnostic, grouped(once(reports, graph))),
            not_applicable=[
                analyzer_pb2.PolicyNotApplicable(policy_name=rule.name, reason=reason) for rule, reason in idle
            ],
        )

    def Remediate(self, request: Value, context: Value) -> Value:  # noqa: N802
        """Return nothing: no policy modifies a resource, because only the program describes resources."""
        return analyzer_pb2.RemediateResponse()

    def _diagnostic(self, group: Group) -> Value:
        report = group[0]
        diagnostic = analyzer_pb2.AnalyzeDiagnostic(
            policyName=report.rule.name,
            policyPackName=self._pack.name,
            policyPackVersion=self._pack.version,
            description=report.rule.description,
            message=f"{report.rule.description}\n{message(group)}",
            enforcementLevel=_LEVELS[report.level],
            urn=report.finding.urn,
            severity=_SEVERITIES[report.rule.severity],
        )
        attach(diagnostic, details_of(report), [member_of(each) for each in group])
        return diagnostic


def resource_in(request: Value) -> dict[str, Any]:
    """The resource of an Analyze request, as plain values."""
    return {
        "urn": request.urn,
        "type": request.type,
        "name": request.name,
        "parent": request.options.parent,
        "inputs": _plain(request.properties),
        "protect": request.options.protect,
    }


def resources_in(request: Value) -> list[dict[str, Any]]:
    """The resources of an AnalyzeStack request, as plain values."""
    return [
        {
            "urn": item.urn,
            "type": item.type,
            "name": item.name,
            "parent": item.parent,
            "inputs": _plain(item.properties),
            "dependencies": list(item.dependencies),
            "property_dependencies": {key: list(value.urns) for key, value in item.propertyDependencies.items()},
            "protect": item.options.protect,
        }
        for item in request.resources
    ]


def graph_of(entries: Iterable[Mapping[str, Any]]) -> Graph:
    """The resources of an AnalyzeStack request as plain values (``resources_in``)."""
    return Graph.from_recorded(
        {**entry, "inputs": declared(entry["inputs"], entry["property_dependencies"])} for entry in entries
    )


def _is_ours(key: str) -> bool:
    return key.startswith(f"{NAMESPACE}:")


def given(config: Value) -> Given:
    """The part of a request about one policy."""
    return Given(_FROM_ENGINE.get(config.enforcementLevel), _plain(config.properties))


def _information(policy: Policy) -> Value:
    rule = policy.rule
    information = analyzer_pb2.PolicyInfo(
        name=rule.name,
        displayName=rule.name.replace("-", " ").capitalize(),
        description=rule.description,
        enforcementLevel=_LEVELS[policy.level],
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
    """Serve on a free loopback port, print it as the engine expects, and run until the engine ends the process.

    With a socket from ``preflight`` (``stream``), serve on that.
    """
    if stream.VARIABLE in os.environ:
        stream.serve(Analyzer(pack))
        return
    limits = [("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), options=limits)
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Analyzer(pack), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()
