"""The pack as a process: the engine's Analyzer protocol on loopback.

Each AnalyzeStack request is decoded and compared once for all policies; what is not known yet is advice under a
policy of its own, which ``pulumi_policy.PolicyPack`` (one level for all reports of a policy) cannot express.
"""

from __future__ import annotations

import datetime as dt
import sys
import threading
from concurrent import futures
from typing import Any, TypeAlias

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, plugin_pb2

from policies.guardrails.topology.graph.resources import Graph
from policies.guardrails.topology.graph.values import UNKNOWN_SENTINELS
from policies.parity import evaluate, released
from policies.parity.shape import shape_of

NAME = "ai-interface-parity"
VERSION = "0.1.0"
_MAX_MESSAGE_BYTES = 400 * 1024 * 1024
_LEVELS = (
    analyzer_pb2.ADVISORY,
    analyzer_pb2.MANDATORY,
    analyzer_pb2.DISABLED,
    analyzer_pb2.REMEDIATE,
)

Message: TypeAlias = Any
"""A protobuf message of the Analyzer service."""


class Analyzer(analyzer_pb2_grpc.AnalyzerServicer):
    """Answers the engine for one run."""

    def __init__(self, today: dt.date) -> None:
        self._allowed = evaluate.declarations(today)
        self._committed = evaluate.manifests()
        self._levels = dict.fromkeys(evaluate.POLICIES, analyzer_pb2.MANDATORY)
        self._levels[evaluate.UNKNOWN] = analyzer_pb2.ADVISORY

    def Handshake(self, request: Message, context: Message) -> Message:  # noqa: N802 - the protocol's name
        """Nothing is asked of the engine, so nothing is kept."""
        return analyzer_pb2.AnalyzerHandshakeResponse()

    def GetPluginInfo(self, request: Message, context: Message) -> Message:  # noqa: N802
        """The version of the pack."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetAnalyzerInfo(self, request: Message, context: Message) -> Message:  # noqa: N802
        """The policies and their levels."""
        policies = [
            analyzer_pb2.PolicyInfo(
                name=name,
                description=description,
                enforcementLevel=self._levels[name],
                policy_type=analyzer_pb2.POLICY_TYPE_STACK,
                severity=analyzer_pb2.POLICY_SEVERITY_MEDIUM,
            )
            for name, description in evaluate.POLICIES.items()
        ]
        return analyzer_pb2.AnalyzerInfo(
            name=NAME, displayName="AI interface parity", version=VERSION, supportsConfig=True, policies=policies
        )

    def Configure(self, request: Message, context: Message) -> Message:  # noqa: N802
        """Levels that a team chose."""
        for name in self._levels:
            if name in request.policyConfig:
                self._levels[name] = _LEVELS[request.policyConfig[name].enforcementLevel]
        return empty_pb2.Empty()

    def ConfigureStack(self, request: Message, context: Message) -> Message:  # noqa: N802
        """The stack's name is read from its resources."""
        return analyzer_pb2.AnalyzerStackConfigureResponse()

    def Analyze(self, request: Message, context: Message) -> Message:  # noqa: N802
        """No policy checks one resource alone."""
        return analyzer_pb2.AnalyzeResponse()

    def AnalyzeStack(self, request: Message, context: Message) -> Message:  # noqa: N802
        """The running stack against the committed shape of every other environment, and its release's record."""
        if not request.resources:
            return analyzer_pb2.AnalyzeResponse()
        environment = request.resources[0].urn.split(":")[2]
        running = shape_of(environment, Graph.from_recorded(map(_entry, request.resources)))
        found = evaluate.of_release(running, self._allowed)
        idle: list[Message] = []
        if self._committed.keys() - {environment}:
            found += evaluate.of_running(running, self._committed, self._allowed).findings
        else:
            reason = "no other environment has a committed shape"
            names = evaluate.POLICIES.keys() - released.POLICIES.keys()
            idle = [analyzer_pb2.PolicyNotApplicable(policy_name=name, reason=reason) for name in sorted(names)]
        shown = [finding for finding in found if self._levels[finding.policy] != analyzer_pb2.DISABLED]
        return analyzer_pb2.AnalyzeResponse(diagnostics=map(self._diagnostic, shown), not_applicable=idle)

    def Remediate(self, request: Message, context: Message) -> Message:  # noqa: N802
        """No policy rewrites a resource."""
        return analyzer_pb2.RemediateResponse()

    def _diagnostic(self, found: evaluate.ParityFinding) -> Message:
        description = evaluate.POLICIES[found.policy]
        return analyzer_pb2.AnalyzeDiagnostic(
            policyName=found.policy,
            policyPackName=NAME,
            policyPackVersion=VERSION,
            description=description,
            message=f"{description}\n{found.message}",
            enforcementLevel=self._levels[found.policy],
            urn=found.urn,
            severity=analyzer_pb2.POLICY_SEVERITY_MEDIUM,
        )


def _entry(item: Message) -> dict[str, Any]:
    """As recorded, without what only the provider will choose: the dependencies name what the program sets."""
    properties = json_format.MessageToDict(item.properties)
    known = {k: v for k, v in properties.items() if k in item.propertyDependencies or not _is_unknown(v)}
    return {
        "urn": item.urn,
        "type": item.type,
        "name": item.name,
        "parent": item.parent,
        "inputs": known,
        "dependencies": list(item.dependencies),
        "property_dependencies": {key: list(value.urns) for key, value in item.propertyDependencies.items()},
        "protect": item.options.protect,
    }


def _is_unknown(value: object) -> bool:
    return isinstance(value, str) and value in UNKNOWN_SENTINELS


def main() -> None:
    """Serve on a free loopback port, print it as the engine expects, and run until the engine ends the process."""
    limits = [("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), options=limits)
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Analyzer(dt.datetime.now(dt.UTC).date()), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    threading.Event().wait()
