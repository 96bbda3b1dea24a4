"""PostgreSQL logs connections and errors, but not the statements and values of users.

By default a failed statement is logged with its values, and the detail of an error repeats the row.

The policy checks PostgreSQL parameter groups; it cannot see the settings of a session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...rule import Level, Rule, Settings, Severity, resource_rule
from ...topology.graph.resources import Resource, Unknown, contains_unknown
from ...topology.graph.values import as_mapping
from ...topology.graph.verdicts import Finding, not_proven, violated

_WANTED: dict[str, tuple[str, Callable[[str], bool], str]] = {
    "log_connections": ("0", lambda found: found in ("1", "on", "true"), "1"),
    "log_disconnections": ("0", lambda found: found in ("1", "on", "true"), "1"),
    "log_error_verbosity": ("default", lambda found: found == "terse", "terse"),
    "log_min_duration_sample": ("-1", lambda found: found == "-1", "-1"),
    "log_min_duration_statement": ("-1", lambda found: found == "-1", "-1"),
    "log_min_error_statement": ("error", lambda found: found in ("fatal", "panic"), "fatal or panic"),
    "log_parameter_max_length": ("-1", lambda found: found == "0", "0"),
    "log_statement": ("none", lambda found: found == "none", "none"),
}
"""Parameter → PostgreSQL's default, the compliant values, and their description in a finding."""


def evaluate(resource: Resource, settings: Settings) -> Iterator[Finding]:
    """Evaluate one parameter group."""
    family = resource.value("family")
    if isinstance(family, str) and "postgres" not in family:
        return
    found = resource.items("parameters")
    if isinstance(found, Unknown) or contains_unknown(found):
        yield not_proven(
            resource, "parameters", ["parameters"], "parameters with known values", "write the parameters as literals"
        )
        return
    entries: list[Any] = [as_mapping(item) or {} for item in found]
    values = {str(item.get("name")): str(item.get("value")).lower() for item in entries}
    for name, (default, fits, wanted) in sorted(_WANTED.items()):
        value = values.get(name)
        if not fits(default if value is None else value):
            said = value if value is not None else f"not set, which means {default}"
            yield violated(resource, f"parameters[{name}]", said, wanted, f"set {name}")


RULE: Rule = resource_rule(
    __name__,
    __doc__,
    evaluate,
    severity=Severity.LOW,
    remediation="set the named parameter in the parameter group; none of them needs a restart",
    types=("rds.ClusterParameterGroup", "rds.ParameterGroup"),
    level=Level.ADVISORY,
)
