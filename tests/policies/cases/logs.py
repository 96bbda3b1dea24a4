"""Policies on what reads logs: saved queries and metric filters."""

from __future__ import annotations

import json
from typing import Any

from policies.guardrails.topology.graph.values import Value
from tests.policies.wire import UNKNOWN, case, r

FIT = "logs-readers-fit-their-log"
THING = r("other.Thing", "thing")


def group(name: str) -> dict[str, Any]:
    return r(
        "cloudwatch.LogGroup", name.strip("/"), name=name, arn=f"arn:aws:logs:eu-west-1:123456789012:log-group:{name}"
    )


def container(log: str, *fields: str) -> dict[str, Any]:
    """A container that writes to a log group, as Envoy with these fields if there are any."""
    access = {"typed_config": {"log_format": {"json_format": dict.fromkeys(fields, "%X%")}}}
    text = json.dumps({"static_resources": {"listeners": [{"access_log": [access]}]}})
    return {
        "name": "proxy",
        "command": ["envoy", "--config-yaml", text] if fields else ["run"],
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": log}},
    }


def task(*inside: dict[str, Any], name: str = "task", text: Value = None) -> dict[str, Any]:
    return r(
        "ecs.TaskDefinition",
        name,
        containerDefinitions=text or json.dumps(inside),
        needs={"containerDefinitions": THING},
    )


def counts(pattern: Value, log: Value = "/proxy", **made: Value) -> dict[str, Any]:
    needs = {"pattern": THING, "logGroupName": THING}
    transformation = {"namespace": "shop", "name": "Failures", "value": "1", **made}
    return r(
        "cloudwatch.LogMetricFilter",
        "filter",
        logGroupName=log,
        pattern=pattern,
        metricTransformation=transformation,
        needs=needs,
    )


def asks(query: Value, *logs: Value) -> dict[str, Any]:
    needs = {"queryString": THING, "logGroupNames": THING}
    return r(
        "cloudwatch.QueryDefinition", "query", queryString=query, logGroupNames=list(logs or ("/proxy",)), needs=needs
    )


PROXY, FLOW, DNS, WAF = group("/proxy"), group("/flow"), group("/dns"), group("aws-waf-logs-edge")
CACHE, INSIGHTS, APP = group("/cache"), group("/aws/ecs/containerinsights/shop/performance"), group("/app")
ENVOY = (PROXY, task(container("/proxy", "status", "route", "duration_ms")))
ARN = "arn:aws:logs:eu-west-1:123456789012:log-group:"
FLOWS = r("ec2.FlowLog", "flows", logDestination=f"{ARN}/flow")
NAMES = r("route53.ResolverQueryLogConfig", "names", destinationArn=f"{ARN}/dns")
BLOCKS = r("wafv2.WebAclLoggingConfiguration", "blocks", logDestinationConfigs=[f"{ARN}aws-waf-logs-edge"])


def cache(kind: Value = "engine-log", form: str = "json") -> dict[str, Any]:
    sent = {"destination": "/cache", "destinationType": "cloudwatch-logs", "logFormat": form, "logType": kind}
    return r(
        "elasticache.ReplicationGroup",
        "cache",
        logDeliveryConfigurations=[sent],
        needs={"logDeliveryConfigurations": THING},
    )


FOUND, MISSING = ["violated filter.pattern"], ["violated query.queryString"]

CASES = [
    case(FIT, "a filter on fields of Envoy's log", *ENVOY, counts('{ $.status >= 500 && $.route != "$.x" }')),
    case(FIT, "a filter on a field that it lacks", *ENVOY, counts("{ $.code >= 500 }"), says=FOUND),
    case(FIT, "a value that it lacks", *ENVOY, counts("{ $.status = 200 }", value="$.first_byte"),
         says=["violated filter.metricTransformation.value"]),
    case(FIT, "a dimension that it lacks", *ENVOY, counts("{ $.status = 200 }", dimensions={"model": "$.model"}),
         says=["violated filter.metricTransformation.dimensions"]),
    case(FIT, "a pattern of words", *ENVOY, counts("ERROR")),
    case(FIT, "a filter for JSON on a flow log", FLOW, FLOWS, counts("{ $.action = \"REJECT\" }", "/flow"), says=FOUND),
    case(FIT, "a filter for columns on a flow log", FLOW, FLOWS, counts("[version, account, action=REJECT]", "/flow")),
    case(FIT, "a query on fields of Envoy's log", *ENVOY, asks(
        "filter status >= 500 and route like /a_b|c/ and route != 'x y' # the slow ones\n"
        "| fields @timestamp, @message, `duration_ms`\n| stats count(*) as calls, max(duration_ms) as slowest by route, bin(5m)\n"
        "| sort calls desc\n| limit 20")),
    case(FIT, "a query on a field that it lacks", *ENVOY, asks("fields code | limit 5"), says=MISSING),
    case(FIT, "a query that groups by a field that it lacks", *ENVOY, asks("stats count(*) by bin(5m), model"), says=MISSING),
    case(FIT, "a query that filters in capitals", *ENVOY, asks("FILTER Status = 200"), says=MISSING),
    case(FIT, "a query that makes fields", *ENVOY, asks("parse @message '* *' as one, two | fields one, other")),
    case(FIT, "a query that sorts by what it makes", *ENVOY, asks("fields duration_ms / 1000 as seconds | sort seconds desc")),
    case(FIT, "a query on a part of a field", WAF, BLOCKS, asks("fields httpRequest.clientIp | filter action = 'BLOCK'", "aws-waf-logs-edge")),
    case(FIT, "a query for Envoy on a web ACL's log", WAF, BLOCKS, asks("filter status >= 500", "aws-waf-logs-edge"), says=MISSING),
    case(FIT, "a query for flows", FLOW, FLOWS, asks("filter action = 'REJECT' | stats count(*) by srcAddr", "/flow")),
    case(FIT, "a query for names on flows", FLOW, FLOWS, asks("fields query_name", "/flow"), says=MISSING),
    case(FIT, "flows in another format", FLOW, r("ec2.FlowLog", "flows", logDestination=f"{ARN}/flow", logFormat="${vpc-id}"),
         asks("fields vpcId", "/flow")),
    case(FIT, "flows in a format that is not known", FLOW, r("ec2.FlowLog", "flows", logDestination=f"{ARN}/flow", logFormat=UNKNOWN,
         needs={"logFormat": THING}), asks("fields vpcId", "/flow"), says=["not proven query.logGroupNames"]),
    case(FIT, "a cache's log of a kind that is not known", CACHE, cache(UNKNOWN), asks("fields Command", "/cache"),
         says=["not proven query.logGroupNames"]),
    case(FIT, "a query for names", DNS, NAMES, asks("stats count(*) by query_name, rcode", "/dns")),
    case(FIT, "a query for addresses on names", DNS, NAMES, asks("fields srcAddr", "/dns"), says=MISSING),
    case(FIT, "a query on a cache's log", CACHE, cache(), asks("fields Time, Message", "/cache")),
    case(FIT, "a query for requests on a cache's log", CACHE, cache(), asks("fields Command", "/cache"), says=MISSING),
    case(FIT, "a query on a cache's slow log", CACHE, cache("slow-log"), asks("fields Command", "/cache")),
    case(FIT, "a cache's log as text", CACHE, cache(form="text"), asks("fields Command", "/cache")),
    case(FIT, "a query on Container Insights", INSIGHTS, asks("stats avg(CpuUtilized) by TaskId", "/aws/ecs/containerinsights/shop/performance")),
    case(FIT, "a query for requests on Container Insights", INSIGHTS, asks("fields status", "/aws/ecs/containerinsights/shop/performance"), says=MISSING),
    case(FIT, "a log of another program", APP, task(container("/app")), asks("fields anything", "/app"), counts("{ $.anything = 1 }", "/app")),
    case(FIT, "a log that another program writes to as well", PROXY, task(container("/proxy", "status"), container("/proxy")), asks("fields anything")),
    case(FIT, "a log of two proxies", PROXY, task(container("/proxy", "status"), container("/proxy", "code")), asks("fields code, status")),
    case(FIT, "two logs", *ENVOY, DNS, NAMES, asks("fields status, rcode", "/proxy", "/dns")),
    case(FIT, "two logs, and a field of neither", *ENVOY, DNS, NAMES, asks("fields status, srcAddr", "/proxy", "/dns"), says=MISSING),
    case(FIT, "two logs, one of another program", *ENVOY, APP, asks("fields anything", "/proxy", "/app")),
    case(FIT, "two logs, one of another stack", *ENVOY, asks("fields anything", "/proxy", "/elsewhere")),
    case(FIT, "a query for every log", *ENVOY, r("cloudwatch.QueryDefinition", "query", queryString="fields anything")),
    case(FIT, "unknown query", *ENVOY, asks(UNKNOWN), says=["not proven query.queryString"]),
    case(FIT, "unknown pattern", *ENVOY, counts(UNKNOWN), says=["not proven filter.pattern"]),
    case(FIT, "unknown containers", PROXY, task(text=UNKNOWN), asks("fields anything"), says=["not proven task.containerDefinitions"]),
    case(FIT, "unknown containers that nothing reads", PROXY, task(text=UNKNOWN)),
    case(FIT, "not applicable", THING),
]  # fmt: skip
