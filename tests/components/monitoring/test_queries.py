"""The saved queries name only fields and values that their logs have, and the runbook names each query at its step."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, cast

import pytest

from components.monitoring.queries import QUERIES, Query
from components.synthetic import probe
from policies.guardrails.topology.graph.documents import document
from preflight.recording.recorder import Recording
from tests.preflight.conform.graphs import STACKS, VARIANTS, program
from tests.settings.stack_files import ROOT

DEFINITION = "aws:cloudwatch/queryDefinition:QueryDefinition"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
RUNBOOK = ROOT / "docs" / "runbook.md"
OF_EVERY_LOG = {"@timestamp", "@message", "@logStream", "@log"}
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html, as are the fields of flow
logs; a field of JSON has its own name."""
FLOW = {"action", "bytes", "dstAddr", "dstPort", "interfaceId", "protocol", "srcAddr", "srcPort"}
WAF = {
    "action",
    "terminatingRuleId",
    "httpRequest.clientIp",
    "httpRequest.country",
    "httpRequest.httpMethod",
    "httpRequest.requestId",
    "httpRequest.uri",
}
"""https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html: those that are used. ``requestId``: "For Application
Load Balancers, this is the trace ID.\""""
DNS = {"firewall_rule_action", "query_name", "query_type", "rcode", "srcaddr", "vpc_id"}
"""https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-format.html"""
WORDS = {
    "and",
    "as",
    "asc",
    "bin",
    "by",
    "coalesce",
    "count",
    "count_distinct",
    "desc",
    "fields",
    "filter",
    "h",
    "in",
    "like",
    "limit",
    "m",
    "max",
    "min",
    "not",
    "or",
    "sort",
    "stats",
    "sum",
}
"""Commands, functions and operators of the query language
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html)."""


@cache
def containers(case: str) -> dict[str, dict[str, Any]]:
    """Container → its definition, in every task definition of a stack or variant."""
    definitions = program(case).of_type("aws:ecs/taskDefinition:TaskDefinition")
    found = [json.loads(one.inputs["containerDefinitions"]) for one in definitions]
    return {container["name"]: container for group in found for container in group}


@cache
def envoy(container: str) -> list[dict[str, Any]]:
    """The configurations of one Envoy, in all stacks and variants that have it."""
    commands: list[list[str]] = [
        containers(case)[container]["command"] for case in (*STACKS, *VARIANTS) if container in containers(case)
    ]
    arguments = [argument for command in commands for argument in command if argument.startswith("{")]
    assert arguments, f"no stack or variant has a container {container}"
    found = [document(argument) for argument in sorted(set(arguments))]
    return [cast("dict[str, Any]", one) for one in found if isinstance(one, dict)]


def inside(value: object, key: str) -> Iterator[Any]:
    """Every value of a key, however deep."""
    if isinstance(value, dict):
        for name, item in cast("dict[str, object]", value).items():
            if name == key:
                yield item
            yield from inside(item, key)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from inside(item, key)


def logged_by_envoy(container: str) -> set[str]:
    """The fields of its access logs. A field that only some stacks have is not one of them."""
    each: list[set[str]] = [{name for fmt in inside(one, "json_format") for name in fmt} for one in envoy(container)]
    return {name for name in each[0] if all(name in names for names in each)}


def reported() -> dict[str, set[str]]:
    """Event → fields, of what prepare and the cleaner report."""
    events: dict[str, set[str]] = {}
    for path in [*sorted((ROOT / "components").glob("prepare/*.py")), ROOT / "components/cleaner/main.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "report":
                names = {text.value for text in ast.walk(node.args[0]) if isinstance(text, ast.Constant)}
                for name in names:
                    events.setdefault(str(name), set()).update(str(k.arg) for k in node.keywords)
    return events


def of_the_gateway() -> set[str]:
    """The fields of LiteLLM's lines."""
    tree = ast.parse((ROOT / "components/gateway/metrics.py").read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    passed = {str(k.arg) for node in ast.walk(tree) if isinstance(node, ast.Call) for k in node.keywords}
    return texts | passed


@cache
def of_the_synthetic_chat() -> dict[str, Any]:
    """A line of the synthetic chat with two groups. Its chats have every field that the probe sets."""
    fields: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / "components/synthetic/probe.py").read_text(encoding="utf-8"))):
        match node:
            case ast.AnnAssign(target=ast.Name(id="result"), value=ast.Dict(keys=keys)):
                fields |= {key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
            case ast.Subscript(value=ast.Name(id="result"), slice=ast.Constant(value=str(key)), ctx=ast.Store()):
                fields.add(key)
            case _:
                pass
    plan = {"namespace": "x", "environment": "x"}
    chat = {**dict.fromkeys(fields, 1), "outcome": "answered"}
    return json.loads(probe.line(plan, [chat, chat], 0))


def paths(value: object, at: str = "") -> Iterator[str]:
    """The fields that Logs Insights finds in a line of JSON: ``a.0.b`` for one within a list."""
    if isinstance(value, dict):
        items = [(str(key), item) for key, item in cast("dict[str, object]", value).items()]
    elif isinstance(value, list):
        items = [(str(index), item) for index, item in enumerate(cast("list[object]", value))]
    else:
        yield at
        return
    for key, item in items:
        yield from paths(item, f"{at}.{key}" if at else key)


def events_of(log: str) -> set[str]:
    """The values of ``event`` in a log."""
    return {str(of_the_synthetic_chat()["event"])} if log == "synthetic-chat" else set(reported())


def fields_of(log: str) -> set[str]:
    """The fields of a log."""
    match log:
        case "proxy" | "gateway-proxy" | "egress" | "synthetic-proxy":
            return logged_by_envoy(log)
        case "prepare":
            return {"event"}.union(*reported().values())
        case "gateway":
            return of_the_gateway()
        case "synthetic-chat":
            return set(paths(of_the_synthetic_chat()))
        case "waf" | "flow" | "dns":
            return {"waf": WAF, "flow": FLOW, "dns": DNS}[log]
        case "interface" | "database-logins":
            return set()
        case _:
            raise AssertionError(log)


def names_in(query: Query) -> set[str]:
    """What a query names, other than words of the language, numbers, texts and its own aliases."""
    text = re.sub(r'"[^"]*"|/\S+?/', " ", query.text)
    aliases = set(re.findall(r"\bas (\w+)", text))
    return set(re.findall(r"@?[A-Za-z_][\w.]*", text)) - WORDS - aliases


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_query_names_only_fields_that_its_log_has(query: Query) -> None:
    for log in query.logs:
        assert names_in(query) - OF_EVERY_LOG - fields_of(log) == set()


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_query_compares_with_values_that_the_log_can_have(query: Query) -> None:
    compared = re.findall(r'(side|route|event) = "([^"]+)"', query.text)
    for field, value in compared:
        match field:
            case "event":
                assert [log for log in query.logs if value not in events_of(log)] == []
            case "side":
                sides = {fmt["side"] for one in envoy("proxy") for fmt in inside(one, "json_format")}
                assert value in sides
            case _:
                routes = {name for one in envoy("proxy") for name in inside(one, "name")}
                assert value in routes


def test_the_names_that_a_query_has_are_found() -> None:
    assert names_in(
        Query("x", (), 'filter a.b like /c|d/ and e != "f" | stats count(*) as g by @h, bin(5m) | sort g')
    ) == {
        "a.b",
        "e",
        "@h",
    }


def definitions(recording: Recording) -> dict[str, tuple[list[str], str]]:
    """Name → log groups and text."""
    made = recording.of_type(DEFINITION)
    return {one.inputs["name"]: (one.inputs["logGroupNames"], one.inputs["queryString"]) for one in made}


@pytest.mark.parametrize("case", [*STACKS, *VARIANTS])
def test_a_stack_has_the_queries_of_its_logs_and_they_read_its_own_log_groups(case: str) -> None:
    found = definitions(program(case))
    groups = {one.inputs["name"] for one in program(case).of_type(LOG_GROUP)}
    environment = program(case).stack
    others = {"gateway", "gateway-proxy", "egress"} - set(containers(case))
    expected = {one.name for one in QUERIES if not set(one.logs) & others}
    assert set(found) == {f"ai-interface/{environment}/{name}" for name in expected}
    assert [names for names, _ in found.values() if not set(names) <= groups] == []


def test_every_query_is_in_one_of_these_graphs() -> None:
    made = {name.rpartition("/")[2] for case in (*STACKS, *VARIANTS) for name in definitions(program(case))}
    assert made == {query.name for query in QUERIES}


def test_the_runbook_names_each_query_and_no_other() -> None:
    named = set(re.findall(r"[Qq]uery `([a-z-]+)`", RUNBOOK.read_text(encoding="utf-8")))
    assert named - {"name"} == {query.name for query in QUERIES}


def test_names_are_unique() -> None:
    assert len({query.name for query in QUERIES}) == len(QUERIES)
