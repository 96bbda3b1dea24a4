"""Small stacks, each buildable with known identifiers and as a first preview knows them: not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pulumi_policy import PolicyResource, PolicyResourceOptions
from pulumi_policy.policy import PolicyCustomTimeouts
from pulumi_policy.proxy import unknown_checking_proxy

from policies.guardrails.topology.graph.resources import Graph, host_of
from policies.guardrails.topology.graph.values import Value, as_list, as_mapping

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
Inputs = dict[str, Any]
_CHOSEN = ("ingress", "egress", "routes", "subnetMappings", "ipv6CidrBlock", "associatePublicIpAddress", "namePrefix")
"""Properties that the provider chooses when nothing is declared: a first preview shows them as unknown."""
OPTIONS = PolicyResourceOptions(False, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])
_DOMAINS = ("dnsName", "domainName")
_URLS = {
    "functionUrl": "https://{}.lambda-url.eu-west-1.on.aws/",
    "apiEndpoint": "https://{}.execute-api.eu-west-1.amazonaws.com",
}
"""Outputs that are URLs, in the form in which the provider gives them."""


@dataclass(frozen=True)
class Ref:
    """An output of another resource: a literal when identifiers are known, otherwise a dependency."""

    name: str
    attribute: str = "id"
    as_host: bool = False
    """Whether the program derives the host from it, as an origin needs it of a URL."""
    form: str = "{}"
    """A text that the program makes with it."""


@dataclass
class Entry:
    """One resource before it is built."""

    type: str
    name: str
    inputs: Inputs
    parent: str = ""

    def __getitem__(self, path: str) -> Value:
        return self.inputs[path]

    def __setitem__(self, path: str, value: Value) -> None:
        self.inputs[path] = value


def token(kind: str) -> str:
    """``ec2.Vpc`` as Pulumi writes it."""
    module, _, name = kind.partition(".")
    return f"aws:{module}/{name[0].lower()}{name[1:]}:{name}"


@dataclass
class Stack:
    """Resources by name, to be changed and then built."""

    entries: dict[str, Entry] = field(default_factory=dict[str, Entry])

    def add(self, kind: str, name: str, /, **inputs: Value) -> Ref:
        """Declare a resource."""
        assert name not in self.entries, f"{name} is declared twice"
        self.entries[name] = Entry(kind if ":" in kind else token(kind), name, inputs)
        return Ref(name)

    def __getitem__(self, name: str) -> Entry:
        return self.entries[name]

    def drop(self, *names: str) -> None:
        """Take resources out."""
        for name in names:
            del self.entries[name]

    def recorded(self, *, known: bool) -> list[dict[str, Any]]:
        """The registrations, as a recording holds them."""
        return [self._record(entry, known) for entry in self.entries.values()]

    def graph(self, *, known: bool = True) -> Graph:
        """The graph of the stack."""
        return Graph.from_recorded(self.recorded(known=known))

    def policy_graph(self, *, known: bool) -> Graph:
        """The graph as a stack policy is given it: outputs behind proxies which refuse unknown values."""
        records = self.recorded(known=known)
        given = {
            record["urn"]: PolicyResource(
                record["type"], unknown_checking_proxy({**record["inputs"], **record["outputs"]}), record["urn"],
                record["name"], OPTIONS, None, None, [], {},
            )
            for record in records
        }  # fmt: skip
        for record in records:
            for key, urns in record["property_dependencies"].items():
                given[record["urn"]].property_dependencies[key] = [given[item] for item in urns]
        return Graph.from_policy(given.values())

    def _record(self, entry: Entry, known: bool) -> dict[str, Any]:
        dependencies: dict[str, set[str]] = {key: set() for key in entry.inputs}

        def resolved(value: Value, top: str) -> Value:
            if isinstance(value, Ref):
                dependencies.setdefault(top, set()).add(urn(value.name))
                found = literal(value.name, value.attribute)
                return value.form.format(host_of(found) if value.as_host else found) if known else UNKNOWN
            if (mapping := as_mapping(value)) is not None:
                return {key: resolved(item, top) for key, item in mapping.items()}
            if (items := as_list(value)) is not None:
                return [resolved(item, top) for item in items]
            return value

        inputs = {key: resolved(value, key) for key, value in entry.inputs.items()}
        outputs = {
            attribute: literal(entry.name, attribute) if known else UNKNOWN
            for attribute in (
                "id",
                "arn",
                "dnsName",
                "domainName",
                "name",
                "functionUrl",
                "apiEndpoint",
                "primaryNetworkInterfaceId",
                "mainRouteTableId",
                "defaultSecurityGroupId",
            )
            if attribute not in inputs
        }
        if not known:
            outputs |= {name: UNKNOWN for name in _CHOSEN if name not in inputs}
        return {
            "urn": urn(entry.name),
            "type": entry.type,
            "name": entry.name,
            "inputs": inputs,
            "outputs": outputs,
            "property_dependencies": {key: sorted(urns) for key, urns in dependencies.items()},
        }


def urn(name: str) -> str:
    """The URN of a resource of these stacks."""
    return f"urn:pulumi:test::test::x::{name}"


def literal(name: str, attribute: str) -> str:
    """A known identifier, different for each resource and attribute."""
    if attribute == "arn":
        return f"arn:aws:test:eu-west-1:111122223333:{name}"
    if attribute in _URLS:
        return _URLS[attribute].format(name)
    return f"{name}.example.test" if attribute in _DOMAINS else f"{attribute}-{name}"


OIDC = {"type": "authenticate-oidc", "order": 1, "authenticateOidc": {"onUnauthenticatedRequest": "deny"}}


def forward(group: str = "target", order: int = 2) -> Inputs:
    """A forwarding action."""
    return {"type": "forward", "order": order, "targetGroupArn": Ref(group, "arn")}


def compliant() -> Stack:
    """A network of one load balancer, a service, databases, caches, file systems and endpoints with nothing exposed."""
    stack = Stack()
    vpc = stack.add("ec2.Vpc", "vpc", cidrBlock="10.0.0.0/16")
    stack.add("ec2.InternetGateway", "igw", vpcId=vpc)
    stack.add("ec2.DefaultSecurityGroup", "locked", vpcId=vpc)
    stack.add("ec2.RouteTable", "public", vpcId=vpc)
    stack.add("ec2.RouteTable", "private", vpcId=vpc)
    stack.add("ec2.Route", "out", routeTableId=Ref("public"), destinationCidrBlock="0.0.0.0/0", gatewayId=Ref("igw"))
    for index, zone in enumerate("ab"):
        for tier, base in (("public", 0), ("private", 10)):
            name = f"{tier}-{zone}"
            stack.add("ec2.Subnet", name, vpcId=vpc, cidrBlock=f"10.0.{base + index}.0/24")
            stack.add("ec2.RouteTableAssociation", f"{name}-table", subnetId=Ref(name), routeTableId=Ref(tier))
    for name in ("edge", "task", "state", "endpoint"):
        stack.add("ec2.SecurityGroup", f"{name}-sg", vpcId=vpc)
    _rule(stack, "edge-in", "edge", cidrIpv4="0.0.0.0/0", fromPort=443, toPort=443)
    _rule(stack, "task-in", "task", referencedSecurityGroupId=Ref("edge-sg"), fromPort=8443, toPort=8443)
    _rule(stack, "state-in", "state", referencedSecurityGroupId=Ref("task-sg"), fromPort=5432, toPort=5432)
    _rule(stack, "endpoint-in", "endpoint", referencedSecurityGroupId=Ref("task-sg"), fromPort=443, toPort=443)
    _edge(stack)
    _workloads(stack)
    return stack


def _rule(stack: Stack, name: str, group: str, **inputs: Value) -> None:
    stack.add("vpc.SecurityGroupIngressRule", name, securityGroupId=Ref(f"{group}-sg"), ipProtocol="tcp", **inputs)


def _edge(stack: Stack) -> None:
    subnets = [Ref("public-a"), Ref("public-b")]
    stack.add(
        "lb.LoadBalancer", "edge", loadBalancerType="application", subnets=subnets, securityGroups=[Ref("edge-sg")]
    )
    stack.add("lb.TargetGroup", "target", port=8443, protocol="HTTPS", targetType="ip", vpcId=Ref("vpc"))
    stack.add(
        "lb.Listener", "https", loadBalancerArn=Ref("edge", "arn"), port=443, protocol="HTTPS",
        defaultActions=[{"type": "fixed-response", "fixedResponse": {"statusCode": "404"}}],
    )  # fmt: skip
    stack.add(
        "lb.Listener", "http", loadBalancerArn=Ref("edge", "arn"), port=80, protocol="HTTP",
        defaultActions=[{"type": "redirect", "redirect": {"protocol": "HTTPS", "statusCode": "HTTP_301"}}],
    )  # fmt: skip
    stack.add(
        "lb.ListenerRule", "pages", listenerArn=Ref("https", "arn"), priority=10, actions=[OIDC, forward()],
        conditions=[{"hostHeader": {"values": ["chat.example.test"]}}],
    )  # fmt: skip
    size: Inputs = {
        "sizeConstraintStatement": {"fieldToMatch": {"uriPath": {}}, "comparisonOperator": "GT", "size": 2048}
    }
    rules: list[Inputs] = [{"name": "size", "priority": 1, "action": {"block": {}}, "statement": size}]
    stack.add("wafv2.WebAcl", "acl", scope="REGIONAL", rules=rules)
    stack.add("wafv2.WebAclAssociation", "acl-edge", resourceArn=Ref("edge", "arn"), webAclArn=Ref("acl", "arn"))


def _workloads(stack: Stack) -> None:
    private = [Ref("private-a"), Ref("private-b")]
    state = [Ref("state-sg")]
    stack.add(
        "ecs.Service", "service", loadBalancers=[{"targetGroupArn": Ref("target", "arn"), "containerPort": 8443}],
        networkConfiguration={"subnets": private, "securityGroups": [Ref("task-sg")], "assignPublicIp": False},
    )  # fmt: skip
    stack.add("rds.SubnetGroup", "db-subnets", subnetIds=private)
    stack.add("rds.Cluster", "db", dbSubnetGroupName=Ref("db-subnets", "name"), vpcSecurityGroupIds=state)
    stack.add("rds.ClusterInstance", "db-1", clusterIdentifier=Ref("db"), publiclyAccessible=False)
    stack.add("rds.Instance", "reports", dbSubnetGroupName=Ref("db-subnets", "name"), vpcSecurityGroupIds=state)
    stack.add("elasticache.SubnetGroup", "cache-subnets", subnetIds=private)
    stack.add(
        "elasticache.ReplicationGroup", "cache", subnetGroupName=Ref("cache-subnets", "name"), securityGroupIds=state
    )
    stack.add("efs.MountTarget", "files", subnetId=Ref("private-a"), securityGroups=state)
    stack.add(
        "ec2.VpcEndpoint", "bedrock", vpcId=Ref("vpc"), vpcEndpointType="Interface", subnetIds=private,
        securityGroupIds=[Ref("endpoint-sg")],
    )  # fmt: skip
    stack.add("ec2.VpcEndpoint", "s3", vpcId=Ref("vpc"), vpcEndpointType="Gateway", routeTableIds=[Ref("private")])
    stack.add("ec2.Instance", "worker", subnetId=Ref("private-a"), vpcSecurityGroupIds=[Ref("task-sg")])
    stack.add(
        "lambda.Function",
        "hook",
        vpcConfig={"subnetIds": private, "securityGroupIds": [Ref("task-sg")]},
        role="arn:aws:iam::1:role/x",
    )
