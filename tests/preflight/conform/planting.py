"""A violation of every documented constraint: generated from a recorded stack or, for a function, hand-written."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

from preflight.conform.documented import edge, identity, network, observation, services, signals, tags
from preflight.conform.documented.model import Constraint, Entries, Number, Shared, Text, document, read
from preflight.recording.recorder import Recording
from preflight.sdk.wire import unwrap
from tests.preflight.conform.changed_graphs import changed, copies, edited, put, stack, with_type

Plants = Iterator[tuple[str, Recording]]


def plants(constraint: Constraint) -> Plants:
    """A description of each violation and a recording with it; at least one for every constraint."""
    if isinstance(constraint, Text):
        yield from _texts(constraint)
    elif isinstance(constraint, Number):
        yield from _numbers(constraint)
    elif isinstance(constraint, Entries):
        yield from _entries(constraint)
    elif isinstance(constraint, Shared):
        recording = with_type(constraint.type)
        members = [one for several in constraint.members(recording).values() for one in several]
        given = dict(members[0].inputs) if members else {}
        yield "too many", changed(recording, copies(recording, constraint.type, constraint.most + 1, **given))
    elif constraint.name in WRITTEN:
        yield "written out", WRITTEN[constraint.name]()


def _texts(constraint: Text) -> Plants:
    if constraint.most:
        yield "too long", _with_value(constraint, "a" * (constraint.most + 1))
    if constraint.least:
        yield "too short", _with_value(constraint, "a" * (constraint.least - 1))
    if constraint.pattern:
        wrong = next(text for text in ("a\x00b", "a.", "a:b") if not re.fullmatch(constraint.pattern, text))
        yield "another character", _with_value(constraint, wrong)


def _numbers(constraint: Number) -> Plants:
    if constraint.least > 0:
        yield "too small", _with_value(constraint, constraint.least - 1)
    if constraint.most != float("inf"):
        yield "too large", _with_value(constraint, constraint.most + 1)


def _entries(constraint: Entries) -> Plants:
    yield "too many", _with_value(constraint, [{"name": str(one)} for one in range(constraint.most + 1)])


def _with_value(constraint: Text | Number | Entries, value: object) -> Recording:
    """A recording in which the first value that the constraint reads is this one."""
    for type_, paths in sorted(constraint.types.items()):
        recording = with_type(type_)
        for resource, place, _ in read(recording, {type_: paths}):
            inputs, outputs = copy.deepcopy(resource.inputs), copy.deepcopy(resource.outputs)
            generated = any(path == f"={place}" for path in paths)
            put(outputs if generated else inputs, place, value)
            return changed(recording, [replace(resource, inputs=inputs, outputs=outputs)])
    raise AssertionError(f"no recorded stack has a value that {constraint.name} is about")


def _prod(type_: str, edit: Callable[[dict[str, Any]], object], name: str = "") -> Callable[[], Recording]:
    return lambda: edited(stack("prod"), type_, edit, name)


def _container(key: str, value: object) -> Callable[[], Recording]:
    """The first container with another value."""

    def edit(task: dict[str, Any]) -> None:
        found = document(unwrap(task["containerDefinitions"]))
        step, _, rest = key.partition(".")
        if rest:
            found[0][step] = {**(found[0].get(step) or {}), rest: value}
        else:
            found[0][step] = value
        task["containerDefinitions"] = json.dumps(found)

    return _prod(services.TASK, edit)


def _more_containers(task: dict[str, Any]) -> None:
    found = document(unwrap(task["containerDefinitions"]))
    task["containerDefinitions"] = json.dumps([{**found[0], "name": f"c{number}"} for number in range(11)])


def _conditions(values: list[str]) -> Callable[[], Recording]:
    def edit(rule: dict[str, Any]) -> None:
        rule["conditions"] = [{"pathPattern": {"values": values}}]

    return _prod(edge.LISTENER_RULE, edit)


def _acl(statement: dict[str, Any], times: int = 1) -> Callable[[], Recording]:
    def edit(acl: dict[str, Any]) -> None:
        acl["rules"] = [
            *acl["rules"],
            *({"name": f"r{n}", "statement": copy.deepcopy(statement)} for n in range(times)),
        ]

    return _prod(edge.WEB_ACL, edit)


def _bodies(acl: dict[str, Any]) -> None:
    acl["customResponseBodies"] = [{"key": f"k{number}", "content": "a" * 4000} for number in range(13)]


def _tagged(given: dict[str, str]) -> Callable[[], Recording]:
    return _prod(network.GROUP, lambda group: group.update(tags=given))


def _repeat(type_: str) -> Callable[[], Recording]:
    return lambda: changed(stack("prod"), copies(stack("prod"), type_, 1))


def _many_rules() -> Recording:
    return changed(stack("prod"), copies(stack("prod"), edge.LISTENER_RULE, 101))


def _endpoint_elsewhere(endpoint: dict[str, Any]) -> None:
    endpoint["serviceName"] = "com.amazonaws.us-east-1.bedrock-runtime"


def _long_inline() -> Recording:
    """Two policies of one role, each within the limit, together beyond it."""
    first = stack("prod").of_type(identity.ROLE_POLICY)[0]
    text = json.dumps({"Statement": ["a" * 6000]})
    return changed(
        stack("prod"),
        copies(stack("prod"), identity.ROLE_POLICY, 2, policy=text, role=cast("str", first.inputs["role"])),
    )


def _alarm(**inputs: object) -> Callable[[], Recording]:
    return _prod(observation.ALARM, lambda alarm: alarm.update(inputs))


def _masking(edit: Callable[[dict[str, Any]], object]) -> Callable[[], Recording]:
    def change(policy: dict[str, Any]) -> None:
        found = json.loads(policy["policyDocument"])
        edit(found)
        policy["policyDocument"] = json.dumps(found)

    return _prod(observation.MASKING, change)


def _rule(rule: str) -> Callable[[], Recording]:
    return _prod(signals.COMPOSITE, lambda alarm: alarm.update(alarmRule=rule))


def _filter(**made: object) -> Callable[[], Recording]:
    return _prod(signals.FILTER, lambda one: one["metricTransformation"].update(made))


def _plan(key: str, value: int) -> Callable[[], Recording]:
    return _prod(services.PLAN, lambda plan: plan["rules"][0].update({key: value}))


_RATE: dict[str, Any] = {"rateBasedStatement": {"limit": 100, "evaluationWindowSec": 300}}
_METRIC = {"metric": {"metricName": "m", "namespace": "n", "period": 60, "stat": "Sum"}}

WRITTEN: dict[str, Callable[[], Recording]] = {
    "network-acl-entry-numbers-differ": _repeat(network.ACL_RULE),
    "endpoint-service-region": _prod(network.ENDPOINT, _endpoint_elsewhere),
    "rules-per-load-balancer": _many_rules,
    "condition-values-per-rule": _conditions(["/a", "/b", "/c", "/d", "/e", "/f"]),
    "condition-wildcards-per-rule": _conditions(["/*/?", "/*/*", "/*/*"]),
    "listener-rule-priorities-differ": _repeat(edge.LISTENER_RULE),
    "health-check-timeout": _prod(edge.TARGETS, lambda group: group["healthCheck"].update(timeout=30, interval=30)),
    "rate-based-rules-per-web-acl": _acl(_RATE, times=11),
    "rate-based-rule-limit": _acl({"rateBasedStatement": {"limit": 9}}),
    "rate-based-rule-window": _acl({"rateBasedStatement": {"limit": 100, "evaluationWindowSec": 90}}),
    "text-transformations-per-statement": _acl({"byteMatchStatement": {"textTransformations": [{}] * 11}}),
    "firewall-pattern-size": _acl({"regexMatchStatement": {"regexString": "a" * 201}}),
    "custom-response-bodies-size": _prod(edge.WEB_ACL, _bodies),
    "references-per-web-acl": _acl({"ipSetReferenceStatement": {"arn": "a"}}, times=51),
    "inline-policies-size": _long_inline,
    "alarm-statistic": _alarm(metricName="m", statistic="Sum", extendedStatistic="p99"),
    "alarm-statistic-name": _alarm(metricName="m", statistic="p99"),
    "alarm-extended-statistic-name": _alarm(metricName="m", extendedStatistic="p101"),
    "alarm-query-statistic-name": _alarm(metricQueries=[{"metric": {**_METRIC["metric"], "stat": "Median"}}]),
    "alarm-metrics": _alarm(metricQueries=[*[_METRIC] * 11, {"expression": "m", "returnData": True}]),
    "alarm-result": _alarm(metricQueries=[{**_METRIC, "returnData": True}, {**_METRIC, "returnData": True}]),
    "alarm-period": _alarm(period=86_460, evaluationPeriods=1),
    "alarm-window": _alarm(period=60, evaluationPeriods=1441),
    "log-masking-statements": _masking(lambda found: found["Statement"][0]["DataIdentifier"].pop()),
    "log-masking-own-identifiers": _masking(
        lambda found: found["Configuration"].update(CustomDataIdentifier=[{"Name": "a", "Regex": "b"}] * 11)
    ),
    "log-masking-pattern": _masking(
        lambda found: found["Configuration"]["CustomDataIdentifier"].append({"Name": "a", "Regex": "(b)"})
    ),
    "alarm-window-of-hours": _alarm(period=3600, evaluationPeriods=169),
    "composite-alarm-rule": _rule('ALARM("a") OR'),
    "composite-alarm-children": _rule(" OR ".join(f'ALARM("a{number}")' for number in range(101))),
    "composite-alarm-elements": _rule("(" * 250 + "TRUE" + ")" * 250),
    "composite-alarm-children-exist": _rule('ALARM("a")'),
    "composite-alarm-suppressor-exists": _prod(
        signals.COMPOSITE, lambda alarm: alarm.update(actionsSuppressor={"alarm": "a"})
    ),
    "composite-alarm-cycle": _prod(
        signals.COMPOSITE, lambda alarm: alarm.update(alarmRule=f'ALARM("{alarm["alarmName"]}")')
    ),
    "metric-filter-dimensions": _filter(dimensions=dict.fromkeys("abcd", "$.side")),
    "metric-filter-default": _filter(defaultValue="0"),
    "task-definition-size": _container("command", ["a" * services.TASK_BYTES]),
    "zone-rebalancing": _prod(services.SERVICE, lambda service: service.update(deploymentMaximumPercent=100)),
    "containers-per-task": _prod(services.TASK, _more_containers),
    "container-dependencies": _container("dependsOn", [{"containerName": "absent", "condition": "START"}]),
    "container-stoptimeout": _container("stopTimeout", 121),
    "container-starttimeout": _container("startTimeout", 121),
    "container-restart-restartattemptperiod": _container("restartPolicy.restartAttemptPeriod", 59),
    "container-health-check-interval": _container("healthCheck.interval", 4),
    "container-health-check-timeout": _container("healthCheck.timeout", 61),
    "container-health-check-retries": _container("healthCheck.retries", 11),
    "container-health-check-startperiod": _container("healthCheck.startPeriod", 301),
    "backup-start-window": _plan("startWindow", 59),
    "backup-completion-window": _plan("completionWindow", 90),
    "tags-per-resource": _tagged({f"tag{number}": "a" for number in range(51)}),
    "tag-key": _tagged({"owner'": "a"}),
    "tag-value": _tagged({"owner": "a" * (tags.LONGEST_VALUE + 1)}),
    "tag-prefix": _tagged({"aws:owner": "a"}),
}
"""By name, a violation of each constraint that is a function of the graph."""
