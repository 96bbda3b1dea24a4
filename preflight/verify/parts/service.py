"""The service runs the images of the release, and all tasks are healthy and behind the WAF."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from preflight.account.lines import Group, Line, joined
from preflight.verify.context import Part, VerifyContext
from preflight.verify.reading import at, listed, mapped
from preflight.verify.stack import WEB_ACL

TASK = "aws:ecs/taskDefinition:TaskDefinition"
LOGGING = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
EVENTS = "aws ecs describe-services shows the service's events; docs/runbook.md lists the causes"


def _primary(context: VerifyContext) -> Mapping[str, Any]:
    deployments = context.service.get("deployments", [])
    return next(one for one in deployments if one.get("status") == "PRIMARY")


def steady(context: VerifyContext, group: Group) -> Iterator[Line]:
    """The desired number of tasks runs, and no deployment is in progress."""
    service = context.service
    running, desired, pending = (int(service.get(f"{key}Count", 0)) for key in ("running", "desired", "pending"))
    found = f"{running} running, {pending} pending, {desired} desired"
    yield group.holds("tasks", running == desired and not pending and desired > 0, found, EVENTS)
    state = str(_primary(context).get("rolloutState"))
    found = f"the primary deployment is {state}, one of {len(service['deployments'])}"
    complete = state == "COMPLETED" and len(service["deployments"]) == 1
    yield group.holds("deployment", complete, found, f"wait until it is COMPLETED; {EVENTS}")


def images(context: VerifyContext, group: Group) -> Iterator[Line]:
    """The running task definition has the release's images, by digest."""
    arn = str(_primary(context)["taskDefinition"])
    answer = context.account.ask("ecs", "describe_task_definition", taskDefinition=arn)["taskDefinition"]
    running = {one["name"]: str(one["image"]) for one in answer["containerDefinitions"]}
    family = str(answer["family"])
    recorded = [one for one in context.stack.inputs(TASK) if one["family"] == family]
    if not recorded:
        yield group.missing("task definition", f"the service runs {family}, which the stack does not have", "pulumi up")
        return
    wanted = {str(one["name"]): str(one["image"]) for one in json.loads(recorded[0]["containerDefinitions"])}
    release = context.stack.release
    digests = {image.digest for image in release.images.values()}
    for name, image in sorted(wanted.items()):
        digest = running.get(name, "").rpartition("@")[2]
        right = running.get(name) == image and digest in digests
        found = f"{digest or 'no such container'}, " + (
            f"of release {release.version}" if right else f"release {release.version} has {image.rpartition('@')[2]}"
        )
        yield group.holds(
            f"image of {name}", right, found, "the deployment was rolled back, or another one ran: pulumi up"
        )


def tasks(context: VerifyContext, group: Group) -> Iterator[Line]:
    """Every running task is healthy and has the primary deployment's task definition."""
    service = context.service
    cluster = str(service["clusterArn"])
    found = context.account.every("ecs", "list_tasks", "taskArns", cluster=cluster, serviceName=service["serviceName"])
    if not found:
        yield group.missing("running tasks", "none", EVENTS)
        return
    described = context.account.ask("ecs", "describe_tasks", cluster=cluster, tasks=found[:100])["tasks"]
    arn = _primary(context)["taskDefinition"]
    other = [one for one in described if one.get("taskDefinitionArn") != arn]
    sick = [one for one in described if one.get("healthStatus") == "UNHEALTHY"]
    said = f"{len(described)}, {len(other)} of another task definition, {len(sick)} unhealthy"
    yield group.holds("running tasks", not other and not sick, said, EVENTS)


def targets(context: VerifyContext, group: Group) -> Iterator[Line]:
    """Every task is a healthy target of the load balancer."""
    for arn in context.target_groups:
        answer = context.account.ask("elbv2", "describe_target_health", TargetGroupArn=arn)
        states = [str(one["TargetHealth"]["State"]) for one in answer["TargetHealthDescriptions"]]
        healthy, desired = states.count("healthy"), int(context.service.get("desiredCount", 0))
        found = f"{healthy} of {desired} healthy; states: {joined(sorted(set(states)))}"
        fix = "aws elbv2 describe-target-health gives the reason; check the proxy's log"
        yield group.holds("targets", healthy >= desired > 0 and "unhealthy" not in states, found, fix)


def balancer(context: VerifyContext, group: Group) -> Iterator[Line]:
    """The load balancer is active and has exactly the recorded listeners."""
    answer = context.account.ask("elbv2", "describe_load_balancers", LoadBalancerArns=[context.balancer])
    state = str(answer["LoadBalancers"][0].get("State", {}).get("Code"))
    yield group.holds("load balancer", state == "active", f"is {state}", "wait until it is active")
    listeners = context.account.ask("elbv2", "describe_listeners", LoadBalancerArn=context.balancer)["Listeners"]
    found = sorted(_listener(one["Port"], one["Protocol"], one.get("SslPolicy")) for one in listeners)
    wanted = sorted(
        _listener(one["port"], one["protocol"], one.get("sslPolicy"))
        for one in context.stack.inputs("aws:lb/listener:Listener")
    )
    said = joined(" ".join(filter(None, map(str, one))) for one in found)
    yield group.holds("listeners", found == wanted, said, "run pulumi refresh to see manual changes, then pulumi up")


def _listener(port: object, protocol: object, policy: object) -> tuple[int, str, str]:
    """Port, protocol and, for TLS, the security policy."""
    return int(str(port)), str(protocol), str(policy or "") if protocol in ("HTTPS", "TLS") else ""


def firewall(context: VerifyContext, group: Group) -> Iterator[Line]:
    """The recorded web ACL is associated with the load balancer and logs."""
    name = str(context.stack.inputs(WEB_ACL)[0]["name"])
    answer = context.account.ask("wafv2", "get_web_acl_for_resource", ResourceArn=context.balancer)
    found = mapped(answer.get("WebACL"))
    said = f"the load balancer has {found['Name']}" if found else "the load balancer has no web ACL"
    right = found.get("Name") == name
    yield group.holds("firewall", right, said, f"associate {name} with the load balancer: pulumi up")
    if not right:
        return
    logging = context.account.find(
        "wafv2", "get_logging_configuration", ("WAFNonexistentItemException",), ResourceArn=str(found["ARN"])
    )
    targets = listed(at(logging, "LoggingConfiguration", "LogDestinationConfigs"))
    names = sorted(str(one).rpartition("log-group:")[2].removesuffix(":*") for one in targets)
    wanted = sorted(
        str(one).rpartition("log-group:")[2].removesuffix(":*")
        for inputs in context.stack.inputs(LOGGING)
        for one in inputs["logDestinationConfigs"]
    )
    yield group.holds("firewall's log", names == wanted, f"goes to {joined(names)}", "pulumi up")


PART = Part(
    "service",
    (
        ("tasks", steady),
        ("images", images),
        ("running tasks", tasks),
        ("targets", targets),
        ("load balancer", balancer),
        ("firewall", firewall),
    ),
)
