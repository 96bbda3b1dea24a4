"""No AWS setting writes prompts or model answers to a log.

Logs have more readers than conversations, are kept longer and are exported to more places. Identifiers, status codes,
sizes and timestamps are enough to diagnose a fault. A team that must keep conversations sets ``contents`` to allow.

The policy checks settings of AWS services; it cannot see what an application writes to its log.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...checks import expect, listed
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown
from ...topology.graph.values import Value, as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated

_FIX = "turn off content logging; keep identifiers, status codes, sizes and timestamps"
_SCHEMA = {
    "contents": {
        "type": "string",
        "enum": ["forbid", "allow"],
        "default": "forbid",
        "description": "Whether prompts and answers may be logged in full, for example by Bedrock's model invocation logging.",
    }
}
_DELIVERIES = (
    "textDataDeliveryEnabled",
    "imageDataDeliveryEnabled",
    "embeddingDataDeliveryEnabled",
    "videoDataDeliveryEnabled",
)
_FLAGS = {
    "apigateway.MethodSettings": ("settings.dataTraceEnabled",),
    "apigatewayv2.Stage": ("defaultRouteSettings.dataTraceEnabled",),
    "appsync.GraphQLApi": ("logConfig.fieldLogLevel",),
    "sfn.StateMachine": ("loggingConfiguration.includeExecutionData",),
}
_QUIET = (None, False, "NONE", "ERROR", "INFO")
_PARAMETERS = {
    "log_min_duration_statement": ("-1",),
    "log_statement": ("none", "ddl"),
    "pgaudit.log": ("none", "ddl", "role", "misc"),
}
_WITHOUT_VALUES = "log_parameter_max_length"
"""With 0, a slow statement is logged without its parameter values."""


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one logging setting."""
    if settings["contents"] == "allow":
        return
    if resource.kind == "bedrockmodel.InvocationLoggingConfiguration":
        for name in _DELIVERIES:
            path = f"loggingConfig.{name}"
            wanted, what = "false", "writes prompts and answers to a log"
            yield from expect(resource, path, lambda found: found is False, wanted, _FIX, default=True, what=what)
    elif resource.kind in ("rds.ClusterParameterGroup", "rds.ParameterGroup"):
        yield from _parameters(resource)
    for path in _FLAGS.get(resource.kind, ()):
        yield from expect(
            resource, path, lambda found: found in _QUIET, "off", _FIX, what="writes request contents to a log"
        )


def _parameters(group: Resource) -> Iterator[Finding]:
    parameters = group.items("parameters")
    wanted = "statements without their parameter values"
    if isinstance(parameters, Unknown):
        yield not_proven(group, "parameters", [parameters], wanted, _FIX)
        return
    entries = [as_mapping(item) or {} for item in parameters]
    values = {str(entry.get("name")): entry.get("value") for entry in entries}
    for name, quiet in _PARAMETERS.items():
        value, place = values.get(name), f"parameters[{name}]"
        if value is None or (name.startswith("log_min") and str(values.get(_WITHOUT_VALUES)) == "0"):
            continue
        if isinstance(value, Unknown):
            yield not_proven(group, place, [value], wanted, _FIX)
        elif not _is_quiet(value, quiet):
            yield violated(group, place, value, " or ".join(quiet), _FIX, what="writes user input to a log")


def _is_quiet(value: Value, quiet: tuple[str, ...]) -> bool:
    named: list[Any] = listed(value)
    return all(part.strip().lower() in quiet for text in named for part in str(text).split(","))


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.HIGH,
    remediation=_FIX,
    types=(
        "bedrockmodel.InvocationLoggingConfiguration",
        "rds.ClusterParameterGroup",
        "rds.ParameterGroup",
        *sorted(_FLAGS),
    ),
    schema=_SCHEMA,
)
