"""The services of a stack: the interface's, which the load balancer reaches, and those that its tasks call."""

from __future__ import annotations

from local.stack import Resource, Stack, items

SERVICE, TASK_DEFINITION = "aws:ecs/service:Service", "aws:ecs/taskDefinition:TaskDefinition"
REGISTRY = "aws:servicediscovery/service:Service"


def interface(stack: Stack) -> Resource:
    """Return the interface's service: the only one, or the only one with a load balancer. Raises ``LookupError`` if that
    is not one service."""
    found = stack.all(SERVICE)
    behind = found if len(found) == 1 else [one for one in found if any(items(one.get("loadBalancers")))]
    if len(behind) != 1:
        names = [one.name for one in behind or found]
        raise LookupError(f"{stack.name} has {len(behind)} services behind a load balancer, not one: {names}")
    return behind[0]


def others(stack: Stack) -> list[Resource]:
    """Return the services that the load balancer does not reach, sorted by URN."""
    own = interface(stack).recorded.urn
    return [one for one in stack.all(SERVICE) if one.recorded.urn != own]


def task_definition(stack: Stack, service: Resource | None = None) -> Resource:
    """Return the task definition of a service, the interface's if none is given; the only one of a stack that has one.

    Raises ``LookupError`` if the stack has several and none of them has the service's ARN.
    """
    found = stack.all(TASK_DEFINITION)
    if len(found) == 1:
        return found[0]
    asked = service or interface(stack)
    named = [one for one in found if one["arn"] == asked["taskDefinition"]]
    if len(named) != 1:
        raise LookupError(f"{asked.name}: the stack has no task definition {asked['taskDefinition']}")
    return named[0]
