"""Synthetic stacks for the guardrails benchmark: as recorded registrations, and the same as Terraform."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
Record = dict[str, Any]


class Cells:
    """Resources of repeated networks."""

    def __init__(self, *, known: bool) -> None:
        self.known = known
        self.records: list[Record] = []

    def add(
        self, type_: str, name: str, inputs: dict[str, Any], references: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        """Add one resource; ``references`` are properties with the ids of others."""
        dependencies: dict[str, list[str]] = {key: [] for key in inputs}
        for path, names in (references or {}).items():
            top, _, nested = path.partition(".")
            values: Any = [self._value(other) for other in names]
            if path.endswith("Id") or path.endswith("Arn"):
                values = values[0]
            inputs = {**inputs, top: {**inputs.get(top, {}), nested: values} if nested else values}
            dependencies.setdefault(top, []).extend(_urn(other) for other in names)
        self.records.append(
            {
                "urn": _urn(name), "type": type_, "name": name, "inputs": inputs,
                "outputs": {"id": self._value(name), "arn": self._value(name)},
                "property_dependencies": dependencies,
            }
        )  # fmt: skip

    def _value(self, name: str) -> str:
        return f"id-{name}" if self.known else UNKNOWN

    def cell(self, number: int) -> None:
        """One network with everything in it: 31 resources."""
        n = f"c{number}"
        self.add("aws:ec2/vpc:Vpc", f"{n}-vpc", {"cidrBlock": "10.0.0.0/16"})
        self.add("aws:ec2/internetGateway:InternetGateway", f"{n}-igw", {}, {"vpcId": [f"{n}-vpc"]})
        for tier in ("public", "private"):
            self.add("aws:ec2/routeTable:RouteTable", f"{n}-{tier}", {}, {"vpcId": [f"{n}-vpc"]})
            for zone in "ab":
                subnet = f"{n}-{tier}-{zone}"
                self.add("aws:ec2/subnet:Subnet", subnet, {"cidrBlock": "10.0.1.0/24"}, {"vpcId": [f"{n}-vpc"]})
                self.add(
                    "aws:ec2/routeTableAssociation:RouteTableAssociation", f"{subnet}-table", {},
                    {"subnetId": [subnet], "routeTableId": [f"{n}-{tier}"]},
                )  # fmt: skip
        self.add(
            "aws:ec2/route:Route", f"{n}-out", {"destinationCidrBlock": "0.0.0.0/0"},
            {"routeTableId": [f"{n}-public"], "gatewayId": [f"{n}-igw"]},
        )  # fmt: skip
        for name in ("edge", "task", "state"):
            self.add("aws:ec2/securityGroup:SecurityGroup", f"{n}-{name}-sg", {}, {"vpcId": [f"{n}-vpc"]})
        self._rules(n, exposed=number % 10 == 0)
        self._edge(n)
        self._workloads(n)

    def _rules(self, n: str, *, exposed: bool) -> None:
        for group, source, port in (("edge", None, 443), ("task", "edge", 8443), ("state", "task", 5432)):
            inputs: dict[str, Any] = {"ipProtocol": "tcp", "fromPort": port, "toPort": port}
            references: dict[str, Sequence[str]] = {"securityGroupId": [f"{n}-{group}-sg"]}
            if source is None or (exposed and group == "state"):
                inputs["cidrIpv4"] = "0.0.0.0/0"
            else:
                references["referencedSecurityGroupId"] = [f"{n}-{source}-sg"]
            self.add("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", f"{n}-{group}-in", inputs, references)

    def _edge(self, n: str) -> None:
        self.add(
            "aws:lb/loadBalancer:LoadBalancer", f"{n}-alb", {"loadBalancerType": "application"},
            {"subnets": [f"{n}-public-a", f"{n}-public-b"], "securityGroups": [f"{n}-edge-sg"]},
        )  # fmt: skip
        self.add("aws:lb/targetGroup:TargetGroup", f"{n}-target", {"port": 8443})
        fixed = [{"type": "fixed-response", "fixedResponse": {"statusCode": "404"}}]
        self.add(
            "aws:lb/listener:Listener", f"{n}-https", {"port": 443, "protocol": "HTTPS", "defaultActions": fixed},
            {"loadBalancerArn": [f"{n}-alb"]},
        )  # fmt: skip
        login = {"type": "authenticate-oidc", "order": 1, "authenticateOidc": {"onUnauthenticatedRequest": "deny"}}
        actions = [login, {"type": "forward", "order": 2, "targetGroupArn": self._value(f"{n}-target")}]
        self.add(
            "aws:lb/listenerRule:ListenerRule",
            f"{n}-rule",
            {"actions": actions, "priority": 1},
            {"listenerArn": [f"{n}-https"]},
        )
        self.records[-1]["property_dependencies"]["actions"] = [_urn(f"{n}-target")]
        blocking: list[dict[str, Any]] = [{"name": "size", "priority": 1, "action": {"block": {}}}]
        self.add("aws:wafv2/webAcl:WebAcl", f"{n}-acl", {"rules": blocking})
        self.add(
            "aws:wafv2/webAclAssociation:WebAclAssociation", f"{n}-acl-alb", {},
            {"resourceArn": [f"{n}-alb"], "webAclArn": [f"{n}-acl"]},
        )  # fmt: skip

    def _workloads(self, n: str) -> None:
        private = [f"{n}-private-a", f"{n}-private-b"]
        for index in range(2):
            self.add(
                "aws:ecs/service:Service", f"{n}-service-{index}", {"networkConfiguration": {"assignPublicIp": False}},
                {"networkConfiguration.subnets": private, "networkConfiguration.securityGroups": [f"{n}-task-sg"]},
            )  # fmt: skip
            self.records[-1]["inputs"]["loadBalancers"] = [{"targetGroupArn": self._value(f"{n}-target")}]
            self.records[-1]["property_dependencies"]["loadBalancers"] = [_urn(f"{n}-target")]
        self.add(
            "aws:elasticache/serverlessCache:ServerlessCache",
            f"{n}-cache",
            {},
            {"subnetIds": private, "securityGroupIds": [f"{n}-state-sg"]},
        )
        self.add(
            "aws:efs/mountTarget:MountTarget",
            f"{n}-files",
            {},
            {"subnetId": private[:1], "securityGroups": [f"{n}-state-sg"]},
        )


def _urn(name: str) -> str:
    return f"urn:pulumi:bench::bench::x::{name}"


def synthetic(size: int, *, known: bool = True) -> list[Record]:
    """A stack of about this many resources."""
    cells = Cells(known=known)
    number = 0
    while len(cells.records) < size:
        cells.cell(number)
        number += 1
    return cells.records[:size]


_TERRAFORM = {
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "aws_vpc_security_group_ingress_rule",
    "aws:elasticache/serverlessCache:ServerlessCache": "aws_elasticache_serverless_cache",
    "aws:efs/mountTarget:MountTarget": "aws_efs_mount_target",
    "aws:ecs/service:Service": "aws_ecs_service",
    "aws:lb/loadBalancer:LoadBalancer": "aws_lb",
    "aws:lb/targetGroup:TargetGroup": "aws_lb_target_group",
    "aws:lb/listener:Listener": "aws_lb_listener",
    "aws:lb/listenerRule:ListenerRule": "aws_lb_listener_rule",
    "aws:wafv2/webAcl:WebAcl": "aws_wafv2_web_acl",
    "aws:wafv2/webAclAssociation:WebAclAssociation": "aws_wafv2_web_acl_association",
}
_BLOCKS = {"default_actions": "default_action", "actions": "action", "load_balancers": "load_balancer", "rules": "rule"}


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _terraform_type(type_: str) -> str:
    return _TERRAFORM.get(type_) or f"aws_{_snake(type_.rpartition(':')[2])}"


def terraform(records: Sequence[Record]) -> str:
    """The same stack as Terraform, with references."""
    kinds = {f"id-{record['name']}": f"{_terraform_type(record['type'])}.{record['name']}.id" for record in records}

    def expression(value: object) -> str:
        if isinstance(value, list):
            return "[" + ", ".join(expression(item) for item in cast("list[object]", value)) + "]"
        return kinds[value] if isinstance(value, str) and value in kinds else json.dumps(value)

    def body(inputs: Mapping[str, Any]) -> Iterator[str]:
        for key, value in inputs.items():
            name = _BLOCKS.get(_snake(key), _snake(key))
            nested: list[Any] = cast("list[Any]", value) if isinstance(value, list) else [value]
            if nested and isinstance(nested[0], dict):
                for item in nested:
                    yield f"{name} {{"
                    yield from body(item)
                    yield "}"
            else:
                yield f"{name} = {expression(cast('object', value))}"

    lines: list[str] = []
    for record in records:
        lines += [f'resource "{_terraform_type(record["type"])}" "{record["name"]}" {{', *body(record["inputs"]), "}"]
    return "\n".join(lines) + "\n"
