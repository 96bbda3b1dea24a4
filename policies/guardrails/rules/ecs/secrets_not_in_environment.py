"""No container, function or parameter contains a secret in plain text, whether in environment, command, labels or log
options.

The console and the API show a definition to every principal with read access, and the values appear in the plan. Pass
secrets by reference to Secrets Manager or Parameter Store instead.

The policy checks the names and formats of values, and Pulumi's secret mark; it misses a secret with an innocuous name
and format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from ...checks import containers, is_secret, listed
from ...rule import Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown, unknowns_in
from ...topology.graph.values import Value, as_mapping, walk
from ...topology.graph.verdicts import Finding, not_proven, violated

_WANTED = "secrets by reference (the container's secrets, with valueFrom set to an ARN)"
_FIX = "store the value in Secrets Manager and pass it to the container under secrets with valueFrom"
_NAME = re.compile(
    r"(^|_)(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|PRIVATE_KEY|API_KEYS?|ACCESS_KEY(_ID)?|SECRET_KEY)$"
)
_VALUE = re.compile(
    r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\."
    r"|\b(sk|ghp|gho|xox[abp])[-_][A-Za-z0-9-]{20,}\b"
    r"|\b[a-z][a-z0-9+]*://[^/\s:@]+:[^/\s:@]+@"
)
_OPTION = re.compile(r"^--?([A-Za-z][\w.-]*)(?:=(.*))?$", re.DOTALL)
_REFERENCE = re.compile(r"^(\$|%|<|/|\./|file:|env:|arn:)")
"""A reference in place of a secret, such as a variable, a file or an ARN."""
_TEXTS = ("command", "entryPoint", "healthCheck.command")
_MAPPINGS = ("dockerLabels", "logConfiguration.options")
_SETTINGS = re.compile(r"^(true|false|\d*|none|disabled)$", re.IGNORECASE)


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate each variable of each container, or of a function."""
    if resource.kind == "lambda.Function":
        yield from _function(resource)
        return
    if resource.kind == "ssm.Parameter":
        yield from _parameter(resource)
        return
    if is_secret(resource.get("containerDefinitions")):
        yield violated(
            resource,
            "containerDefinitions",
            resource.get("containerDefinitions"),
            _WANTED,
            _FIX,
            what="contains a secret",
        )
    found, undecided = containers(resource, _WANTED, _FIX)
    yield from undecided
    for container in found:
        for variable in cast("list[Mapping[str, Any]]", listed(container.get("environment"))):
            name = str(variable.get("name") or "")
            yield from _variable(resource, container.path(f"environment[{name}]"), name, variable.get("value"))
        for entry in cast("list[Mapping[str, Any]]", listed(container.get("secrets"))):
            if _VALUE.search(str(entry.get("valueFrom"))):
                place = container.path(f"secrets[{entry.get('name')}].valueFrom")
                found_ = "a value that looks like a credential"
                yield violated(
                    resource, place, found_, _WANTED, _FIX, what="contains a secret instead of a reference to it"
                )
        if container.get("environmentFiles"):
            place = container.path("environmentFiles")
            fix = "list the variables under environment and the secrets under secrets, where they can be checked"
            yield not_proven(
                resource, place, ["the contents of the files"], _WANTED, fix, what="reads variables from a bucket"
            )
        for place in _TEXTS:
            yield from _arguments(resource, container.path(place), listed(walk(container.values, place)))
        for place in _MAPPINGS:
            options = as_mapping(walk(container.values, place)) or {}
            for name, value in sorted(options.items()):
                spelled = re.sub(r"\W+", "_", name)
                yield from _variable(resource, container.path(f"{place}[{name}]"), spelled, value)


def _parameter(parameter: Resource) -> Iterator[Finding]:
    """A parameter that is not encrypted, by its name and the format of its value."""
    type_, value = parameter.value("type"), parameter.get("value")
    wanted, fix = "type SecureString, or a secret in Secrets Manager", "set type to SecureString and name a keyId"
    name = parameter.value("name")
    last = re.sub(r"\W+", "_", (name if isinstance(name, str) else parameter.name).rpartition("/")[2]).upper()
    if isinstance(type_, Unknown):
        yield not_proven(parameter, "type", [type_], wanted, fix)
    elif type_ != "SecureString" and (is_secret(value) or _VALUE.search(str(value)) or _NAME.search(last)):
        yield violated(parameter, "type", type_, wanted, fix, what="contains a secret")


def _arguments(resource: Resource, path: str, arguments: list[Any]) -> Iterator[Finding]:
    """Each word of a command, and each option named like a secret together with the word that follows it."""
    for index, word in enumerate(arguments):
        if not isinstance(word, str):
            continue
        place = f"{path}[{index}]"
        if _VALUE.search(word):
            found = "a value that looks like a credential"
            yield violated(resource, place, found, _WANTED, _FIX, what="contains a secret")
            continue
        option = _OPTION.match(word)
        if option is None or not _NAME.search(re.sub(r"\W+", "_", option[1]).upper()):
            continue
        following = arguments[index + 1] if index + 1 < len(arguments) else ""
        value = option[2] if option[2] is not None else following
        if isinstance(value, str) and not (_SETTINGS.match(value) or _REFERENCE.match(value) or value.startswith("-")):
            found = "a value under a name that suggests a secret"
            yield violated(resource, place, found, _WANTED, _FIX, what="contains a secret")


def _function(resource: Resource) -> Iterator[Finding]:
    variables = resource.get("environment.variables")
    if isinstance(variables, Unknown):
        yield not_proven(resource, "environment.variables", [variables], _WANTED, _FIX)
    elif is_secret(variables):
        yield violated(resource, "environment.variables", variables, _WANTED, _FIX, what="contains a secret")
    elif isinstance(variables, dict):
        for name, value in sorted(cast("dict[str, Any]", variables).items()):
            yield from _variable(resource, f"environment.variables[{name}]", name, value)


def _variable(resource: Resource, path: str, name: str, value: Value) -> Iterator[Finding]:
    if is_secret(value):
        yield violated(resource, path, value, _WANTED, _FIX, what="contains a secret")
    elif isinstance(value, Unknown):
        yield from (not_proven(resource, path, [unknown], _WANTED, _FIX) for unknown in unknowns_in(value))
    elif _VALUE.search(str(value)):
        yield violated(resource, path, "a value that looks like a credential", _WANTED, _FIX, what="contains a secret")
    elif _NAME.search(name.upper()) and not _SETTINGS.match(str(value or "")):
        yield violated(
            resource, path, "a value under a name that suggests a secret", _WANTED, _FIX, what="contains a secret"
        )


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.CRITICAL,
    remediation=_FIX,
    types=("ecs.TaskDefinition", "lambda.Function", "ssm.Parameter"),
    controls=("ECS.8",),
)
