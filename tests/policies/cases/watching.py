"""Policies on what alarms watch, and on where events and messages go that cannot be delivered."""

from __future__ import annotations

import json
from typing import Any

from policies.guardrails.topology.graph.values import Value
from tests.policies.wire import UNKNOWN, case, r

METRICS = "cloudwatch-alarms-have-metrics"
OWN = "shop/orders"
THING = r("other.Thing", "thing")


def watches(namespace: Value = OWN, metric: Value = "Failures", **more: Value) -> dict[str, Any]:
    given = {"namespace": namespace, "metricName": metric, "dimensions": {"shop": "test"}, **more}
    needs = {"metricName": THING, "namespace": THING, "dimensions": THING}
    return r(
        "cloudwatch.MetricAlarm",
        "alarm",
        **{key: value for key, value in given.items() if value is not None},
        needs=needs,
    )


def query(**metric: Value) -> dict[str, Any]:
    parts = {"namespace": OWN, "metricName": "Failures", "dimensions": {"shop": "test"}, **metric}
    return {"id": "m1", "metric": parts, "returnData": False}


def formula(*queries: Value, **more: Value) -> dict[str, Any]:
    share = {"id": "share", "expression": "100 * m1 / m2", "returnData": True}
    return r("cloudwatch.MetricAlarm", "alarm", metricQueries=[*queries, share], needs={"metricQueries": THING}, **more)


def filters(name: Value = "Failures", logical: str = "filter", **more: Value) -> dict[str, Any]:
    made = {"namespace": OWN, "name": name, "value": "1", "dimensions": {"shop": "$.shop"}, **more}
    return r(
        "cloudwatch.LogMetricFilter",
        logical,
        logGroupName="/app",
        pattern='{ $.status = "failed" }',
        metricTransformation=made,
        needs={"metricTransformation": THING},
    )


def runs(*, image: str = "registry.example.com/api", **environment: str) -> dict[str, Any]:
    told = [{"name": name, "value": value} for name, value in environment.items()]
    return r(
        "ecs.TaskDefinition",
        "task",
        containerDefinitions=json.dumps([{"name": "api", "image": image, "environment": told}]),
    )


MAY = r("iam.RolePolicy", "may", policy=json.dumps({"Statement": {
    "Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*",
    "Condition": {"StringEquals": {"cloudwatch:namespace": OWN}}}}))  # fmt: skip
UNREAD = r("ecs.TaskDefinition", "task", containerDefinitions=UNKNOWN, needs={"containerDefinitions": THING})

CASES = [
    case(METRICS, "a metric filter publishes it", watches(), filters()),
    case(METRICS, "in a formula, two metric filters", formula(query(), query(metricName="Calls")), filters(), filters("Calls", "calls")),
    case(METRICS, "nothing publishes it", watches(), says=["violated alarm.metricName"]),
    case(METRICS, "another metric of the namespace is published", watches(), filters("Refused"), says=["violated alarm.metricName"]),
    case(METRICS, "the metric is published in another namespace", watches(), filters(namespace="shop/other"),
         says=["violated alarm.metricName"]),
    case(METRICS, "in a formula, nothing publishes it", formula(query()), says=["violated alarm.metricQueries[m1]"]),
    case(METRICS, "in a formula, another account's", formula({**query(), "accountId": "210987654321"})),
    case(METRICS, "in a formula without a name, nothing publishes it", formula({"metric": query()["metric"]}),
         says=["violated alarm.metricQueries[0]"]),
    case(METRICS, "dimensions that the filter does not publish", watches(dimensions={"shop": "test", "model": "a"}), filters(),
         says=["violated alarm.metricName"]),
    case(METRICS, "no dimensions, where the filter has some", watches(dimensions=None), filters(), says=["violated alarm.metricName"]),
    case(METRICS, "neither has dimensions", watches(dimensions=None), filters(dimensions=None)),
    case(METRICS, "a second filter publishes the dimensions", watches(dimensions=None), filters(), filters(logical="all", dimensions=None)),
    case(METRICS, "a metric of AWS", watches("AWS/SQS")),
    case(METRICS, "a metric of AWS in small letters", watches("/aws/sagemaker/Endpoints")),
    case(METRICS, "a metric of AWS without its prefix", watches("ECS/ContainerInsights")),
    case(METRICS, "the definition of a container names it", watches(), runs(NAMESPACE=OWN)),
    case(METRICS, "a role may publish it", watches(), MAY),
    case(METRICS, "only the image has the name", watches(), runs(image=f"registry/{OWN}"), runs(image=OWN),
         says=["violated alarm.metricName"]),
    case(METRICS, "a container publishes a longer name", watches(), runs(NAMESPACE=f"{OWN}/sub"), says=["violated alarm.metricName"]),
    case(METRICS, "a filter for a metric that a container publishes too", watches(), filters("Refused"), runs(NAMESPACE=OWN)),
    case(METRICS, "unknown name", watches(metric=UNKNOWN), filters(), says=["not proven alarm.metricName"]),
    case(METRICS, "unknown namespace", watches(namespace=UNKNOWN), filters(), says=["not proven alarm.metricName"]),
    case(METRICS, "unknown formula", r("cloudwatch.MetricAlarm", "alarm", metricQueries=UNKNOWN, needs={"metricQueries": THING}), says=["not proven alarm.metricQueries"]),
    case(METRICS, "unknown part of a formula", formula(UNKNOWN), says=["not proven alarm.metricQueries[0]"]),
    case(METRICS, "unknown metric of a formula", formula({"id": "m1", "metric": UNKNOWN}),
         says=["not proven alarm.metricQueries[m1]"]),
    case(METRICS, "unknown dimensions", watches(dimensions=UNKNOWN), filters(), says=["not proven alarm.metricName"]),
    case(METRICS, "unknown dimensions, where the filter has none", watches(dimensions=UNKNOWN), filters(dimensions=None),
         says=["not proven alarm.metricName"]),
    case(METRICS, "unknown dimensions of a metric that nothing publishes", watches(dimensions=UNKNOWN), says=["violated alarm.metricName"]),
    case(METRICS, "a value of a dimension that is not known yet", watches(dimensions={"shop": UNKNOWN}), filters()),
    case(METRICS, "a filter whose name is not known", watches(), filters(UNKNOWN), says=["not proven alarm.metricName"]),
    case(METRICS, "a filter whose namespace is not known", watches(), filters(namespace=UNKNOWN), says=["not proven alarm.metricName"]),
    case(METRICS, "a filter whose dimensions are not known", watches(), filters(dimensions=UNKNOWN), says=["not proven alarm.metricName"]),
    case(METRICS, "containers that are not known yet", watches(), UNREAD, says=["not proven alarm.metricName"]),
    case(METRICS, "containers that are not known yet, beside a filter", watches(), filters(), UNREAD),
    case(METRICS, "not applicable", THING),
]  # fmt: skip
