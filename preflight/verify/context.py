"""The input of every part of the account check, and their shared lookups."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from preflight.account import parts
from preflight.account.parts import AbsentError
from preflight.account.session import Account
from preflight.ready.wanted import properties
from preflight.verify.stack import StackInCheckout

SERVICE = "aws:ecs/service:Service"
CLUSTER = "aws:ecs/cluster:Cluster"
TAGGED_BY = ("project", "environment")
"""The tags on every resource of a stack."""


@dataclass(frozen=True)
class VerifyContext:
    """The stack, its account, and the current time."""

    stack: StackInCheckout
    account: Account
    now: dt.datetime

    @cached_property
    def service(self) -> Mapping[str, Any]:
        """The ECS service in the account."""
        cluster = str(self.stack.inputs(CLUSTER)[0]["name"])
        name = str(self.stack.inputs(SERVICE)[0]["name"])
        absent = ("ClusterNotFoundException",)
        found = self.account.find("ecs", "describe_services", absent, cluster=cluster, services=[name])
        services = [one for one in (found or {}).get("services", []) if one.get("status") == "ACTIVE"]
        if not services:
            raise AbsentError(f"the service {name} of cluster {cluster}")
        return services[0]

    @cached_property
    def target_groups(self) -> list[str]:
        """The ARNs of the target groups that the service registers its tasks with."""
        return sorted(str(one["targetGroupArn"]) for one in self.service.get("loadBalancers", []))

    @cached_property
    def balancer(self) -> str:
        """The ARN of the load balancer in front of the service."""
        groups = self.account.ask("elbv2", "describe_target_groups", TargetGroupArns=self.target_groups)["TargetGroups"]
        found = sorted({arn for group in groups for arn in group.get("LoadBalancerArns", [])})
        if not found:
            raise AbsentError("a load balancer in front of the service's target group")
        return found[0]

    @cached_property
    def tagged(self) -> list[str]:
        """The ARNs of all resources with the stack's tags, sorted."""
        tags = next(i["tags"] for i in self.stack.inputs(CLUSTER))
        filters = [{"Key": key, "Values": [tags[key]]} for key in TAGGED_BY]
        key = "ResourceTagMappingList"
        found = self.account.every("resourcegroupstaggingapi", "get_resources", key, TagFilters=filters)
        return sorted(str(one["ResourceARN"]) for one in found)

    def live(self, kind: str, arn: str) -> list[tuple[str, str]]:
        """Logical name and live name of all resources of a type; ``arn`` is the part of the ARN before the name.

        Pulumi adds seven hexadecimal digits to a name that the program does not set
        (https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming), and Secrets Manager six more characters.
        """
        found: list[tuple[str, str]] = []
        for resource in self.stack.resources(kind):
            pattern = re.compile(rf"arn:[^:]+:{arn}({re.escape(resource.name)}-[0-9a-f]{{7}})(?:-\w{{6}})?")
            names = [match[1] for one in self.tagged if (match := pattern.fullmatch(one))]
            found.append((resource.name, names[0] if names else ""))
        return found

    def live_arn(self, name: str) -> str:
        """The ARN of a live resource with this name."""
        return next(one for one in self.tagged if re.search(rf"[:/]{re.escape(name)}(?:-\w{{6}})?$", one))

    def recorded(self, kind: str, identifier: str) -> str:
        """The logical name of the recorded resource with an id."""
        return next((r.name for r in self.stack.resources(kind) if r.id == identifier), "")

    def named(self, kind: str, key: str = "name") -> list[str]:
        """The names that the program sets for all resources of a type, sorted."""
        return sorted(str(properties(resource)[key]) for resource in self.stack.resources(kind))


Part = parts.Part[VerifyContext]
"""A group of checks of this command."""
