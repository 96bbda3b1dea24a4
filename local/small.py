"""``make local``: the path of a request through a stack on loopback, without root and on any system that has Envoy.

The same graph and the same parts as the twin's, less what needs other programs or the rights of root: one task of each
service, and the application keeps its data in files. ``LEFT_OUT`` lists the differences.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Generator, Mapping
from typing import Any, cast

from local import network as networks
from local.environment import NOTHING, Environment, Installed, Progress, ground, say_nothing
from local.places import tasks_per_subnet
from local.private_servers import with_servers
from local.stack import Stack
from local.task.services import SERVICE, task_definition
from local.wiring import Loopback
from preflight.conform.stack_file import Declared, declared_variables, preset_of
from preflight.conform.variables import PLAN

PREPARE, CLEANER = "prepare", "cleaner"
LEFT_OUT = {
    "the network": "every host is 127.0.0.1, so no security group, network ACL or route drops anything",
    "database, cache and bucket": "the application keeps tables, documents and messages in files, until Ctrl-C, and no cleaner "
    "removes them",
    "containers": "plain programs of your user: no namespaces, users, read-only roots, capabilities and limits",
    "all tasks but one of each service": "no messages between tasks, no rolling deployment",
    "DNS": "a proxy looks each name up once, when it starts; a task that replaces another has the same address",
}
"""Each property that ``make local`` lacks and ``make twin`` has → its replacement."""


def reduced(stack: Stack) -> Stack:
    """The stack with one task of each service. The application and ``prepare`` do without what the preset adds for shared
    data."""
    task = task_definition(stack)
    containers = cast("list[dict[str, Any]]", task.document("containerDefinitions"))
    declared = declared_variables(preset_of(stack.name))
    # Without a bucket, what the cleaner takes for copies are the only ones.
    made = [_without(one, declared) for one in containers if one["name"] != CLEANER]
    small = stack.changed(task, containerDefinitions=json.dumps(made))
    for service in stack.all(SERVICE):
        small = small.changed(service, desiredCount=1)
    return small


@contextlib.contextmanager
def running(
    stack: Stack,
    *,
    installed: Installed = NOTHING,
    progress: Progress = say_nothing,
    bootstrap: Stack | None = None,
) -> Generator[Environment]:
    """The stack on loopback until the block ends; see ``twin.running``."""
    small = with_servers(reduced(stack))
    plan = networks.plan_network(small.graph, tasks_per_subnet=tasks_per_subnet(small))
    with (
        ground(small, Loopback(), plan, progress, bootstrap) as base,
        base.serving(progress, installed) as environment,
    ):
        yield environment


def _without(container: Mapping[str, Any], declared: Declared) -> dict[str, Any]:
    """A container without shared data."""
    names = declared.prepared if container["name"] == PREPARE else declared.shared
    return {
        **container,
        "secrets": [one for one in container.get("secrets") or () if one["name"] not in names],
        "environment": [_own(one) for one in container.get("environment") or () if one["name"] not in names],
        "command": [one for one in container.get("command") or () if one not in declared.words],
    }


def _own(variable: Mapping[str, str]) -> Mapping[str, str]:
    """``prepare`` prepares no database, and leaves the volumes to the current user: only root can change their owner."""
    if variable["name"] != PLAN:
        return variable
    plan: dict[str, Any] = json.loads(variable["value"])
    plan |= {"database": None, "owner": [os.getuid(), os.getgid()]}
    return {**variable, "value": json.dumps(plan)}
