"""Normal forms: pure, idempotent functions that turn a declared value into the form in which AWS returns it.

A value that a function does not recognize stays unchanged. ``round_trip.TABLE`` assigns the functions to properties, with
sources.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

Json: TypeAlias = Any
"""A JSON value."""

_ICMP = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}


def firewall_domain(value: Json) -> Json:
    """``api.example.com`` is returned as ``api.example.com.``, and ``*`` as ``*.``."""
    return f"{value.rstrip('.')}." if isinstance(value, str) and value else value


def without_final_dot(value: Json) -> Json:
    """``chat.example.com.`` is returned as ``chat.example.com``, in lower case."""
    return value.rstrip(".").lower() if isinstance(value, str) else value


def lower_case(value: Json) -> Json:
    """``Sun:03:30-Sun:04:30`` is returned as ``sun:03:30-sun:04:30``."""
    return value.lower() if isinstance(value, str) else value


def network_address(value: Json) -> Json:
    """``10.20.3.4/16`` is returned as ``10.20.0.0/16``, an IPv6 block in its short form."""
    try:
        return str(ipaddress.ip_network(value, strict=False)) if isinstance(value, str) and "/" in value else value
    except ValueError:
        return value


def protocol_name(value: Json) -> Json:
    """``6`` and ``TCP`` are returned as ``tcp``, every protocol as ``-1``."""
    if not isinstance(value, str):
        return value
    return {**_ICMP, "all": "-1"}.get(value.lower(), value.lower())


def log_group_arn(value: Json) -> Json:
    """The ARN of a log group is returned without ``:*``, which stands for its streams."""
    return value.removesuffix(":*") if isinstance(value, str) and ":log-group:" in value else value


def whole_number(value: Json) -> Json:
    """``1000`` is returned as ``1000.0``."""
    try:
        return str(float(value)) if isinstance(value, str) else value
    except ValueError:
        return value


def json_document(value: Json) -> Json:
    """A JSON document is returned without white space and with its keys in another order."""
    try:
        parsed = json.loads(value) if isinstance(value, str) and value[:1] in "{[" else None
    except ValueError:
        return value
    return value if parsed is None else json.dumps(parsed, sort_keys=True, separators=(",", ":"))


def rule_without_ports(inputs: Mapping[str, Json]) -> dict[str, Json]:
    """A rule for every protocol is returned with the ports -1, which the provider treats as equal to no ports."""
    if protocol_name(inputs.get("ipProtocol")) != "-1":
        return dict(inputs)
    return {key: value for key, value in inputs.items() if key not in ("fromPort", "toPort")}


AURORA_SETS = {
    "log_hostname": "0",
    "log_rotation_age": "60",
    "rds.accepted_password_auth_method": "md5+scram",
    "rds.adaptive_autovacuum": "1",
    "rds.log_retention_period": "4320",
    "ssl": "1",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "track_activity_query_size": "4096",
    "track_io_timing": "1",
}
"""Parameters of Aurora PostgreSQL that AWS sets itself (``describe-db-cluster-parameters``: ``Source`` is ``system``);
``rds.force_ssl`` is 1 from version 17 on, 0 before."""
_FORCED_TLS_FROM = 17


def parameters_of_aws(inputs: Mapping[str, Json]) -> dict[str, Json]:
    """A parameter that is set to AWS's own value is not a change: it is returned as ``pending-reboot``."""
    version = "".join(one for one in str(inputs.get("family")) if one.isdigit())
    forced = "1" if version and int(version) >= _FORCED_TLS_FROM else "0"
    known = {**AURORA_SETS, "rds.force_ssl": forced}
    parameters: list[dict[str, Json]] = [
        {**parameter, "applyMethod": "pending-reboot"}
        if known.get(str(parameter.get("name"))) == parameter.get("value")
        else parameter
        for parameter in cast("list[dict[str, Json]]", inputs.get("parameters") or [])
    ]
    return {**inputs, "parameters": parameters} if parameters else dict(inputs)


def replaced(value: Json, path: tuple[str, ...], form: Callable[[Json], Json]) -> Json:
    """``value`` with ``form`` applied to each leaf at ``path``; ``*`` is each item, ``**`` any depth."""
    if not path:
        return form(value)
    step, rest = path[0], path[1:]
    if step == "**":
        value = replaced(value, rest, form)
    entries = cast("dict[str, Json]", value) if isinstance(value, dict) else {}
    items = cast("list[Json]", value) if isinstance(value, list) else []
    if step == "**" and entries:
        return {key: replaced(item, path, form) for key, item in entries.items()}
    if step in ("*", "**") and items:
        return [replaced(item, rest if step == "*" else path, form) for item in items]
    return {**entries, step: replaced(entries[step], rest, form)} if step in entries else cast("Json", value)
