"""Headers, sessions, network rules, logs and capacity of all environments in one table: each value once, with the resources that have it,
and per environment only where it differs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.graph.values import Unknown, Value, as_mapping
from preflight.analysis.edge_proxy import configuration, facts
from preflight.errors import PreflightError
from preflight.recording.recorder import Recording
from preflight.review.path_limits import duration

Facts = Iterator[tuple[str, str, str]]
"""Setting, value, and the resource that has it."""
_HEADERS = "routingHttpResponse"
_SESSION = ("issuer", "scope", "sessionCookieName", "sessionTimeout", "onUnauthenticatedRequest")
_MOST_NAMES = 4


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One setting: its values in every environment."""

    subject: str
    cells: tuple[tuple[str, ...], ...]
    """For each environment its values, most often one."""

    @property
    def differs(self) -> bool:
        """Whether the environments have different values."""
        return len(set(self.cells)) > 1


@dataclass(frozen=True, slots=True)
class ReviewGroup:
    """Settings of one kind."""

    title: str
    rows: tuple[ReviewRow, ...]

    @property
    def differing(self) -> tuple[ReviewRow, ...]:
        """The rows in which the environments differ."""
        return tuple(row for row in self.rows if row.differs)

    @property
    def same(self) -> tuple[ReviewRow, ...]:
        """The rows in which they do not."""
        return tuple(row for row in self.rows if not row.differs)


def groups_of(recordings: Mapping[str, Recording], graphs: Mapping[str, Graph]) -> list[ReviewGroup]:
    """Every group, in the order of a request's way."""
    own: list[tuple[str, Callable[[str], Facts]]] = [
        ("Sessions and log-in", lambda name: _sessions(graphs[name])),
        ("Headers", lambda name: chain(_headers(graphs[name]), _stripped(recordings[name]))),
        ("Firewall rules, in order", lambda name: _firewall(graphs[name])),
        ("Security group rules", lambda name: _network(graphs[name])),
        ("Logs", lambda name: _logs(graphs[name])),
    ]
    return [_group(title, {name: _merged(made(name)) for name in recordings}) for title, made in own]


def _group(title: str, values: Mapping[str, Mapping[str, tuple[str, ...]]]) -> ReviewGroup:
    subjects = dict.fromkeys(subject for own in values.values() for subject in own)
    rows = (ReviewRow(subject, tuple(own.get(subject, ("absent",)) for own in values.values())) for subject in subjects)
    return ReviewGroup(title, tuple(rows))


def _merged(own: Iterable[tuple[str, str, str]]) -> dict[str, tuple[str, ...]]:
    """Setting → its values. A value that only some of the resources have names them."""
    found: dict[str, dict[str, list[str]]] = {}
    everywhere: dict[str, set[str]] = {}
    for setting, value, resource in own:
        everywhere.setdefault(setting, set()).add(resource)
        found.setdefault(setting, {}).setdefault(value, []).append(resource)
    return {
        setting: tuple(
            value
            if len(values) == 1 or len(set(resources)) == len(everywhere[setting])
            else f"{value} ({_names(resources)})"
            for value, resources in values.items()
        )
        for setting, values in found.items()
    }


def _names(resources: list[str]) -> str:
    """Names with a common beginning as one: edge-api-1, edge-api-2 → edge-api-1 … edge-api-2."""
    names = sorted(dict.fromkeys(resources))
    if len(names) <= _MOST_NAMES:
        return ", ".join(names)
    stems: dict[str, list[str]] = {}
    for name in names:
        stems.setdefault(re.sub(r"-\d+$", "", name), []).append(name)
    return ", ".join(f"{stem}-*" if len(own) > 1 else own[0] for stem, own in stems.items())


def _sessions(graph: Graph) -> Facts:
    for rule in graph.of_type("lb.ListenerRule"):
        actions = rule.items("actions")
        for action in [] if isinstance(actions, Unknown) else actions:
            oidc = as_mapping((as_mapping(action) or {}).get("authenticateOidc"))
            for name in _SESSION if oidc else ():
                value = (oidc or {}).get(name)
                if text := _text(value):
                    shown = duration(float(text)) if name == "sessionTimeout" and text.isdigit() else text
                    yield name, shown, rule.name


def _headers(graph: Graph) -> Facts:
    for listener in graph.of_type("lb.Listener"):
        for name in sorted(listener.properties):
            if name.startswith(_HEADERS) and (text := _text(listener.value(name))):
                header = re.sub(r"(?<!^)(?=[A-Z])", "-", name.removeprefix(_HEADERS).removesuffix("HeaderValue"))
                yield f"set on responses: {header}", text, listener.name


def _stripped(recording: Recording) -> Facts:
    """The headers of a request that the proxy removes, because the application would trust them."""
    try:
        proxy = facts(configuration(recording))
    except PreflightError:
        return
    for name in (*proxy.stripped_headers, *proxy.stripped_patterns):
        yield "removed from requests", name, "proxy"


def _firewall(graph: Graph) -> Facts:
    for acl in graph.of_type("wafv2.WebAcl"):
        rules = acl.items("rules")
        found = [] if isinstance(rules, Unknown) else [as_mapping(rule) or {} for rule in rules]
        for rule in sorted(found, key=lambda item: item.get("priority", 0)):
            action = as_mapping(rule.get("action")) or as_mapping(rule.get("overrideAction")) or {}
            done = ", ".join(sorted(key for key, value in action.items() if value is not None))
            yield str(rule.get("name")), "its own actions" if done == "none" else done, acl.name


def _network(graph: Graph) -> Facts:
    for direction in ("Ingress", "Egress"):
        for rule in graph.of_type(f"vpc.SecurityGroup{direction}Rule"):
            yield f"{direction.lower()} {rule.name}", _rule(graph, rule), rule.name


def _rule(graph: Graph, rule: Resource) -> str:
    first, last = rule.value("fromPort"), rule.value("toPort")
    ports = _text(first) if first == last else f"{_text(first)}-{_text(last)}"
    peers = [_text(rule.value(name)) for name in ("cidrIpv4", "cidrIpv6", "prefixListId")]
    groups = graph.referenced(rule, "referencedSecurityGroupId", types=["ec2.SecurityGroup"])
    peers += [group.name for group in groups]
    return f"{_text(rule.value('ipProtocol'))} {ports}: {', '.join(peer for peer in peers if peer) or 'none'}"


def _logs(graph: Graph) -> Facts:
    for group in graph.of_type("cloudwatch.LogGroup"):
        days = _text(group.value("retentionInDays"))
        keys = "customer managed key" if group.properties.get("kmsKeyId") else "AWS managed key"
        yield group.name, f"{days} days, {keys}" if days else f"never deleted, {keys}", group.name
    for lifecycle in graph.of_type("s3.BucketLifecycleConfiguration"):
        rules = lifecycle.items("rules")
        for rule in [] if isinstance(rules, Unknown) else rules:
            own = as_mapping(rule) or {}
            if days := _text((as_mapping(own.get("expiration")) or {}).get("days")):
                yield f"{lifecycle.name} (bucket), {_text(own.get('id'))}", f"{days} days", lifecycle.name


def _text(value: Value) -> str:
    if value is None:
        return ""
    return "not known yet" if isinstance(value, Unknown) else str(value)
