"""One self-contained page about all environments: path, findings, witnesses, and the settings that a reviewer needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import cast

import jinja2

from policies.guardrails.topology.graph.resources import Graph, Resource
from policies.guardrails.topology.graph.values import Unknown, Value, as_mapping
from policies.guardrails.topology.reachability.evaluation import reachability
from preflight.analysis.check import Checked
from preflight.analysis.edge_proxy import configuration, facts
from preflight.errors import PreflightError
from preflight.findings import grouped
from preflight.recording.recorder import Recording

Rows = Iterator[tuple[str, str]]
_HEADERS = "routingHttpResponse"
_SESSION = ("issuer", "scope", "sessionCookieName", "sessionTimeout", "onUnauthenticatedRequest")


@dataclass(frozen=True, slots=True)
class PageRow:
    """One setting in every environment."""

    name: str
    cells: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the environments have different values."""
        return len(set(self.cells)) > 1


@dataclass(frozen=True, slots=True)
class PageTable:
    """One kind of setting, side by side."""

    title: str
    caption: str
    subject: str
    rows: tuple[PageRow, ...]


def html(checked: Checked) -> str:
    """The page. It loads no external resources and contains no script."""
    report = checked.report
    names = [environment.name for environment in report.environments]
    recordings = {name: checked.recordings[name, False] for name in names}
    graphs = {name: Graph.from_recorded(recording.resources) for name, recording in recordings.items()}
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        report=report,
        groups=grouped(report.failing),
        exceptions=grouped([finding for finding in report.findings if finding.exemption is not None]),
        names=names,
        tables=_tables(names, graphs, recordings),
        witnesses={name: _witnesses(graph) for name, graph in graphs.items()},
    )


def _tables(names: list[str], graphs: Mapping[str, Graph], recordings: Mapping[str, Recording]) -> list[PageTable]:
    def table(title: str, caption: str, subject: str, rows: Callable[[Graph], Rows]) -> PageTable:
        return _table(title, caption, subject, {name: dict(rows(graphs[name])) for name in names})

    limits = {name: {**dict(_proxy_limits(recordings[name])), **dict(_capacity(graphs[name]))} for name in names}
    owners = {name: dict(_owners(recordings[name])) for name in names}
    return [
        _table("Owners and release", "The owners of the environment, and its release", "role", owners),
        table("Response headers", "Headers that the load balancer sets", "header", _response_headers),
        table("Sessions", "Logins at the edge", "setting", _sessions),
        _table("Limits", "Limits of the proxy and the tasks", "limit", limits),
        table("Firewall", "Rules in order of evaluation", "rule", _firewall),
        table("Network rules", "Security group rules: allowed connections", "rule", _network),
        table("Logs", "The retention of each log", "log", _logs),
    ]


def _table(title: str, caption: str, subject: str, values: Mapping[str, Mapping[str, str]]) -> PageTable:
    keys = dict.fromkeys(key for own in values.values() for key in own)
    rows = tuple(PageRow(key, tuple(own.get(key, "absent") for own in values.values())) for key in keys)
    return PageTable(title, caption, subject, rows)


def _owners(recording: Recording) -> Rows:
    if release := recording.outputs.get("release"):
        yield "release", _text(release)
    owner = as_mapping(recording.outputs.get("owner")) or {}
    for name, value in owner.items():
        people = cast("list[Value]", value) if isinstance(value, list) else [value]
        yield re.sub(r"(?=[A-Z])", " ", name).lower(), ", ".join(map(_text, people))


def _response_headers(graph: Graph) -> Rows:
    for listener in graph.of_type("lb.Listener"):
        for name in sorted(listener.properties):
            if name.startswith(_HEADERS) and (text := _text(listener.value(name))):
                header = re.sub(r"(?<!^)(?=[A-Z])", "-", name.removeprefix(_HEADERS).removesuffix("HeaderValue"))
                yield f"{listener.name}: {header}", text


def _sessions(graph: Graph) -> Rows:
    for rule in graph.of_type("lb.ListenerRule"):
        actions = rule.items("actions")
        for action in [] if isinstance(actions, Unknown) else actions:
            oidc = as_mapping((as_mapping(action) or {}).get("authenticateOidc"))
            for name in _SESSION if oidc else ():
                if text := _text((oidc or {}).get(name)):
                    yield f"{rule.name}: {name}", text


def _proxy_limits(recording: Recording) -> Rows:
    try:
        found = facts(configuration(recording))
    except PreflightError:
        return
    for field in fields(found):
        value = getattr(found, field.name)
        shown = ", ".join(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else str(value)
        yield f"proxy: {field.name.replace('_', ' ')}", shown


def _capacity(graph: Graph) -> Rows:
    for task in graph.of_type("ecs.TaskDefinition"):
        for name in ("cpu", "memory"):
            yield f"{task.name}: {name}", _text(task.value(name))
    for balancer in graph.of_type("lb.LoadBalancer"):
        for name in ("idleTimeout", "clientKeepAlive"):
            yield f"{balancer.name}: {name}", _text(balancer.value(name))
    for group in graph.of_type("lb.TargetGroup"):
        yield f"{group.name}: deregistrationDelay", _text(group.value("deregistrationDelay"))


def _firewall(graph: Graph) -> Rows:
    for acl in graph.of_type("wafv2.WebAcl"):
        rules = acl.items("rules")
        found = [] if isinstance(rules, Unknown) else [as_mapping(rule) or {} for rule in rules]
        for rule in sorted(found, key=lambda item: item.get("priority", 0)):
            action = as_mapping(rule.get("action")) or as_mapping(rule.get("overrideAction")) or {}
            yield str(rule.get("name")), ", ".join(sorted(key for key, value in action.items() if value is not None))


def _network(graph: Graph) -> Rows:
    for direction in ("Ingress", "Egress"):
        for rule in graph.of_type(f"vpc.SecurityGroup{direction}Rule"):
            yield f"{direction.lower()} {rule.name}", _rule(graph, rule)


def _rule(graph: Graph, rule: Resource) -> str:
    first, last = rule.value("fromPort"), rule.value("toPort")
    ports = _text(first) if first == last else f"{_text(first)}-{_text(last)}"
    peers = [_text(rule.value(name)) for name in ("cidrIpv4", "cidrIpv6", "prefixListId")]
    groups = graph.referenced(rule, "referencedSecurityGroupId", types=["ec2.SecurityGroup"])
    peers += [group.name for group in groups]
    return f"{_text(rule.value('ipProtocol'))} {ports}: {', '.join(peer for peer in peers if peer) or 'none'}"


def _logs(graph: Graph) -> Rows:
    for group in graph.of_type("cloudwatch.LogGroup"):
        days = _text(group.value("retentionInDays"))
        encrypted = (
            "encrypted with a customer managed key"
            if group.properties.get("kmsKeyId")
            else "encrypted with an AWS managed key"
        )
        yield group.name, f"{days} days, {encrypted}" if days else "never deleted"
    for lifecycle in graph.of_type("s3.BucketLifecycleConfiguration"):
        rules = lifecycle.items("rules")
        for rule in [] if isinstance(rules, Unknown) else rules:
            expiration = as_mapping((as_mapping(rule) or {}).get("expiration")) or {}
            if days := _text(expiration.get("days")):
                yield f"{lifecycle.name} (bucket)", f"{days} days"


def _witnesses(graph: Graph) -> list[str]:
    return sorted({" → ".join(map(str, path.hops)) for path in reachability(graph).paths})


def _text(value: Value) -> str:
    if value is None:
        return ""
    return "not known yet" if isinstance(value, Unknown) else str(value)
