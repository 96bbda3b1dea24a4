"""Policies on networks: who reaches what, and what leaves."""

from __future__ import annotations

from typing import Any

from policies.guardrails.topology.graph.values import Value
from tests.policies.cases.edge import FORWARD, NOT_FOUND, login
from tests.policies.wire import UNKNOWN, case, r

TOPIC = r("sns.Topic", "topic")
VPC = r("ec2.Vpc", "vpc", cidrBlock="10.0.0.0/16")


def inside(kind: str, logical: str, **more: Value) -> dict[str, Any]:
    needs = more.pop("needs", {})
    return r(kind, logical, **{"vpcId": UNKNOWN, "needs": {"vpcId": VPC, **needs}, **more})


LOCKED = inside("ec2.DefaultSecurityGroup", "default")
LOG = inside("ec2.FlowLog", "flow", trafficType="ALL")
GATEWAY = inside("ec2.InternetGateway", "gateway")
PRIVATE = inside("ec2.Subnet", "private", cidrBlock="10.0.1.0/24")
PUBLIC = inside("ec2.Subnet", "public", cidrBlock="10.0.2.0/24")


def table(logical: str, *routes: dict[str, Any]) -> dict[str, Any]:
    needs = {"routes": GATEWAY} if routes else {}
    return inside("ec2.RouteTable", logical, routes=list(routes), needs=needs)


DEFAULT_ROUTE = {"cidrBlock": "0.0.0.0/0", "gatewayId": UNKNOWN}


def placed(subnet: dict[str, Any], in_table: dict[str, Any]) -> dict[str, Any]:
    return r("ec2.RouteTableAssociation", subnet["name"], subnetId=UNKNOWN, routeTableId=UNKNOWN,
             needs={"subnetId": subnet, "routeTableId": in_table})  # fmt: skip


CLOSED_TABLE, OPEN_TABLE = table("closed"), table("open", DEFAULT_ROUTE)
BASE = (VPC, LOCKED, LOG, GATEWAY, PRIVATE, PUBLIC, CLOSED_TABLE, OPEN_TABLE)
PLACES = (placed(PRIVATE, CLOSED_TABLE), placed(PUBLIC, OPEN_TABLE))


def serving(name: str, type_: str, **more: Value) -> dict[str, Any]:
    return inside("ec2.VpcEndpoint", name, serviceName=f"com.amazonaws.eu-west-1.{name}", vpcEndpointType=type_, **more)


SERVING = [*(serving(name, "Interface") for name in ("ecr.api", "ecr.dkr", "logs")), serving("s3", "Gateway")]


def group(logical: str, **more: Value) -> dict[str, Any]:
    return inside("ec2.SecurityGroup", logical, **more)


def ingress(into: dict[str, Any], logical: str = "in", **more: Value) -> dict[str, Any]:
    needs = {"securityGroupId": into, **more.pop("needs", {})}
    return r("vpc.SecurityGroupIngressRule", logical, securityGroupId=UNKNOWN, needs=needs,
             **{"ipProtocol": "tcp", "fromPort": 8443, "toPort": 8443, **more})  # fmt: skip


def egress(of: dict[str, Any], logical: str = "out", **more: Value) -> dict[str, Any]:
    needs = {"securityGroupId": of, **more.pop("needs", {})}
    return r("vpc.SecurityGroupEgressRule", logical, securityGroupId=UNKNOWN, needs=needs,
             **{"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, **more})  # fmt: skip


TASKS, EDGE = group("tasks"), group("edge")
DATABASE = r("rds.SubnetGroup", "db", subnetIds=[UNKNOWN], needs={"subnetIds": PRIVATE})


def service(*, subnet: dict[str, Any] = PRIVATE, public: bool = False, **more: Value) -> dict[str, Any]:
    return r("ecs.Service", "service", needs={"networkConfiguration": [subnet, TASKS], **more.pop("needs", {})},
             networkConfiguration={"subnets": [UNKNOWN], "securityGroups": [UNKNOWN], "assignPublicIp": public},
             **more)  # fmt: skip


BALANCER = r("lb.LoadBalancer", "edge", internal=False, loadBalancerType="application", subnets=[UNKNOWN], securityGroups=[UNKNOWN],
             needs={"subnets": PUBLIC, "securityGroups": EDGE})  # fmt: skip
TARGETS = inside("lb.TargetGroup", "targets", targetType="ip", port=8443, protocol="HTTPS")
LISTENER = r("lb.Listener", "https", loadBalancerArn=UNKNOWN, port=443, protocol="HTTPS", defaultActions=[NOT_FOUND],
             needs={"loadBalancerArn": BALANCER})  # fmt: skip


def rule(*actions: dict[str, Any], logical: str = "rule") -> dict[str, Any]:
    return r("lb.ListenerRule", logical, listenerArn=UNKNOWN, priority=1, actions=list(actions),
             needs={"listenerArn": LISTENER, "actions": TARGETS})  # fmt: skip


ATTACHED = service(needs={"loadBalancers": TARGETS}, loadBalancers=[{"targetGroupArn": UNKNOWN, "containerPort": 8443}])
FROM_EDGE = ingress(TASKS, "from-edge", referencedSecurityGroupId=UNKNOWN, needs={"referencedSecurityGroupId": EDGE})
FROM_WORLD = ingress(EDGE, "from-world", fromPort=443, toPort=443, cidrIpv4="0.0.0.0/0")
ACL = r("wafv2.WebAcl", "acl", scope="REGIONAL", rules=[{"name": "rate", "action": {"block": {}}, "priority": 1,
        "statement": {"rateBasedStatement": {"limit": 100}}}], defaultAction={"allow": {}})  # fmt: skip
WALL = r(
    "wafv2.WebAclAssociation",
    "wall",
    resourceArn=UNKNOWN,
    webAclArn=UNKNOWN,
    needs={"resourceArn": BALANCER, "webAclArn": ACL},
)
FRONT = (*BASE, *PLACES, TASKS, EDGE, BALANCER, TARGETS, LISTENER, ATTACHED, FROM_EDGE, FROM_WORLD, ACL)
CLOSED = (*FRONT, WALL, rule(login(), FORWARD))
HALVES = [ingress(TASKS, "low", cidrIpv4="0.0.0.0/1"), ingress(TASKS, "high", cidrIpv4="128.0.0.0/1")]
READ_VPC = r("ec2.Vpc", "vpc", id="vpc-00000001", defaultSecurityGroupId="sg-00000001")


def read_group(**rules: Value) -> dict[str, Any]:
    return r("ec2.SecurityGroup", "default", id="sg-00000001", **rules)


OPEN_DEFAULT = inside("ec2.DefaultSecurityGroup", "default", ingress=[{"protocol": "-1", "self": True}])


def subnet(**more: Value) -> dict[str, Any]:
    return r("ec2.Subnet", "subnet", cidrBlock="10.0.0.0/24", **more)


def inline(*rules: dict[str, Any]) -> dict[str, Any]:
    return r("ec2.SecurityGroup", "group", ingress=list(rules))


TOO_LARGE = {"protocol": "icmp", "fromPort": 3, "toPort": 4}
SSH = {"protocol": "tcp", "fromPort": 22, "toPort": 22}


def entry(low: int, high: int, logical: str = "entry", **more: Value) -> dict[str, Any]:
    good = {"ruleAction": "allow", "protocol": "tcp", "cidrBlock": "10.0.0.0/16"}
    return r("ec2.NetworkAclRule", logical, **{**good, "fromPort": low, "toPort": high, **more})


PLAIN = r("lb.Listener", "http", loadBalancerArn=UNKNOWN, port=80, protocol="HTTP", defaultActions=[NOT_FOUND],
          needs={"loadBalancerArn": BALANCER})  # fmt: skip


def on_plain(*actions: dict[str, Any]) -> dict[str, Any]:
    return r("lb.ListenerRule", "rule", listenerArn=UNKNOWN, actions=list(actions), needs={"listenerArn": PLAIN})


ENDPOINTS = tuple(
    r("ec2.VpcEndpoint", name, serviceName=f"com.amazonaws.eu-west-1.{name}") for name in ("ecr.api", "ecr.dkr", "logs")
)
NAT = r("ec2.Route", "nat", routeTableId=UNKNOWN, destinationCidrBlock="0.0.0.0/0", natGatewayId="nat-1",
        needs={"routeTableId": CLOSED_TABLE})  # fmt: skip
CASES = [
    case("reachability-no-internal-endpoint-reachable", "only the edge is open", *CLOSED),
    case("reachability-no-internal-endpoint-reachable", "both halves of the internet, although no route leads in", *CLOSED, *HALVES,
         says=["violated low.cidrIpv4", "violated high.cidrIpv4"]),
    case("reachability-no-internal-endpoint-reachable", "a public address in a public subnet behind an open group",
         *BASE, *PLACES, TASKS, service(subnet=PUBLIC, public=True), ingress(TASKS, cidrIpv4="0.0.0.0/0"),
         says=["violated in.cidrIpv4", "violated service.networkConfiguration.subnets",
               "violated service.networkConfiguration.assignPublicIp"]),
    case("reachability-no-internal-endpoint-reachable", "an unknown source", *CLOSED,
         ingress(TASKS, cidrIpv4=UNKNOWN, needs={"cidrIpv4": TOPIC}), says=["not proven in.cidrIpv4"]),
    case("reachability-no-internal-endpoint-reachable", "not applicable", TOPIC),
    case("reachability-internet-paths-authenticate", "a login before every forward", *CLOSED),
    case("reachability-internet-paths-authenticate", "one rule without", *CLOSED, rule(FORWARD, logical="open"),
         says=["violated open.actions[0]"]),
    case("reachability-internet-paths-authenticate", "strangers are let through", *FRONT, WALL,
         rule(login(onUnauthenticatedRequest="allow"), FORWARD), says=["violated rule.actions[1]"]),
    case("reachability-internet-paths-authenticate", "unknown actions", *FRONT, WALL, r("lb.ListenerRule", "rule", listenerArn=UNKNOWN, priority=1,
         actions=UNKNOWN, needs={"listenerArn": LISTENER, "actions": TARGETS}), says=["not proven rule.actions"]),
    case("reachability-internet-paths-authenticate", "not applicable", TOPIC),
    case("elb-targets-admit-their-load-balancer-only", "the edge's group alone", *CLOSED),
    case("elb-targets-admit-their-load-balancer-only", "the whole private network too", *CLOSED,
         ingress(TASKS, cidrIpv4="10.0.0.0/16"), says=["violated in.cidrIpv4"]),
    case("elb-targets-admit-their-load-balancer-only", "an unknown source", *CLOSED,
         ingress(TASKS, cidrIpv4=UNKNOWN, needs={"cidrIpv4": TOPIC}), says=["not proven in.cidrIpv4"]),
    case("elb-targets-admit-their-load-balancer-only", "not applicable", TOPIC),
    case("reachability-internet-paths-pass-a-web-acl", "a firewall", *CLOSED),
    case("reachability-internet-paths-pass-a-web-acl", "none", *FRONT, rule(login(), FORWARD), says=["violated edge"]),
    case("reachability-internet-paths-pass-a-web-acl", "unknown", *FRONT, rule(login(), FORWARD),
         r("wafv2.WebAclAssociation", "wall", resourceArn=UNKNOWN, webAclArn=UNKNOWN, needs={"resourceArn": BALANCER, "webAclArn": TOPIC}),
         says=["not proven edge"]),
    case("reachability-internet-paths-pass-a-web-acl", "not applicable", TOPIC),
    case("vpc-open-ingress", "a group as source", inline({**SSH, "securityGroups": ["sg-1"]})),
    case("vpc-open-ingress", "HTTPS from everywhere", inline({"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["0.0.0.0/0"]})),
    case("vpc-open-ingress", "packets that are too large", inline({**TOO_LARGE, "cidrBlocks": ["0.0.0.0/0"]})),
    case("vpc-open-ingress", "pings from everywhere", inline({**TOO_LARGE, "fromPort": 8, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}),
         says=["violated group.ingress[0].cidrBlocks"]),
    case("vpc-open-ingress", "all of ICMP from everywhere", inline({**TOO_LARGE, "fromPort": -1, "toPort": -1, "cidrBlocks": ["0.0.0.0/0"]}),
         says=["violated group.ingress[0].cidrBlocks"]),
    case("vpc-open-ingress", "an office", inline({**SSH, "cidrBlocks": ["198.51.100.0/24", "203.0.113.7/32"]})),
    case("vpc-open-ingress", "private addresses", inline({**SSH, "cidrBlocks": ["10.0.0.0/8"]})),
    case("vpc-open-ingress", "SSH from everywhere", inline({**SSH, "cidrBlocks": ["0.0.0.0/0"]}), says=["violated group.ingress[0].cidrBlocks"]),
    case("vpc-open-ingress", "SSH from everywhere by IPv6", inline({**SSH, "ipv6CidrBlocks": ["::/0"]}),
         says=["violated group.ingress[0].cidrBlocks"]),
    case("vpc-open-ingress", "the two halves in one group", inline({**SSH, "cidrBlocks": ["0.0.0.0/1"]}, {**SSH, "cidrBlocks": ["128.0.0.0/1"]}),
         says=["violated group.ingress[0].cidrBlocks"]),
    case("vpc-open-ingress", "every protocol", r("ec2.SecurityGroupRule", type="ingress", protocol="-1", cidrBlocks=["0.0.0.0/0"]),
         says=["violated x.cidrBlocks"]),
    case("vpc-open-ingress", "a wide range that holds 443",
         r("vpc.SecurityGroupIngressRule", ipProtocol="tcp", fromPort=0, toPort=65535, cidrIpv4="0.0.0.0/0"), says=["violated x.cidrIpv4"]),
    case("vpc-open-ingress", "UDP 443", r("vpc.SecurityGroupIngressRule", ipProtocol="udp", fromPort=443, toPort=443, cidrIpv4="0.0.0.0/0"),
         says=["violated x.cidrIpv4"]),
    case("vpc-open-ingress", "an older rule that lets out", r("ec2.SecurityGroupRule", type="egress", protocol="-1", cidrBlocks=["0.0.0.0/0"])),
    case("vpc-open-ingress", "unknown addresses are left to the proof", r("vpc.SecurityGroupIngressRule", ipProtocol="-1", cidrIpv4=UNKNOWN)),
    case("vpc-open-ingress", "unknown ports count as all",
         r("vpc.SecurityGroupIngressRule", ipProtocol="tcp", fromPort=UNKNOWN, toPort=443, cidrIpv4="0.0.0.0/0"), says=["violated x.cidrIpv4"]),
    case("vpc-open-ingress", "not applicable", TOPIC),
    case("vpc-upstream-egress-declared", "groups and prefix lists", *BASE, *PLACES, TASKS, service(), (S3 := inside("ec2.VpcEndpoint", "s3")),
         egress(TASKS, "to-endpoints", referencedSecurityGroupId=UNKNOWN, needs={"referencedSecurityGroupId": EDGE}), EDGE,
         egress(TASKS, "to-s3", prefixListId=UNKNOWN, needs={"prefixListId": S3})),
    case("vpc-upstream-egress-declared", "anywhere", *BASE, *PLACES, TASKS, service(), egress(TASKS, cidrIpv4="0.0.0.0/0"),
         says=["violated out.cidrIpv4"]),
    case("vpc-upstream-egress-declared", "an edge that calls its identity provider", *FRONT, egress(EDGE, cidrIpv4="0.0.0.0/0")),
    case("vpc-upstream-egress-declared", "an edge that calls anything", *FRONT,
         egress(EDGE, cidrIpv4="0.0.0.0/0", ipProtocol="-1", fromPort=None, toPort=None), says=["violated out.cidrIpv4"]),
    case("vpc-upstream-egress-declared", "unknown", *BASE, *PLACES, TASKS, service(),
         egress(TASKS, cidrIpv4=UNKNOWN, needs={"cidrIpv4": TOPIC}), says=["not proven out.cidrIpv4"]),
    case("vpc-upstream-egress-declared", "not applicable", TOPIC),
    case("vpc-private-subnets-have-no-internet-route", "no route", *BASE, *PLACES, TASKS, service()),
    case("vpc-private-subnets-have-no-internet-route", "a service in a public subnet", *BASE, *PLACES, TASKS, service(subnet=PUBLIC),
         says=["violated open.routes[0].gatewayId"]),
    case("vpc-private-subnets-have-no-internet-route", "a NAT gateway beside the endpoints that tasks start by", *BASE, *PLACES, DATABASE, *ENDPOINTS, NAT,
         says=["violated nat.natGatewayId"]),
    case("vpc-private-subnets-have-no-internet-route", "a NAT gateway, and one endpoint", *BASE, *PLACES, DATABASE, ENDPOINTS[0], NAT),
    case("vpc-private-subnets-have-no-internet-route", "unknown", *BASE, *PLACES, DATABASE,
         r("ec2.Route", "new", routeTableId=UNKNOWN, destinationCidrBlock=UNKNOWN, gatewayId="igw-1",
           needs={"routeTableId": CLOSED_TABLE, "destinationCidrBlock": TOPIC}), says=["not proven new.destinationCidrBlock"]),
    case("vpc-private-subnets-have-no-internet-route", "not applicable", TOPIC),
    case("vpc-subnets-assign-no-public-address", "none", subnet(mapPublicIpOnLaunch=False)),
    case("vpc-subnets-assign-no-public-address", "one", subnet(mapPublicIpOnLaunch=True), says=["violated subnet.mapPublicIpOnLaunch"]),
    case("vpc-subnets-assign-no-public-address", "a default subnet", r("ec2.DefaultSubnet", "subnet"), says=["violated subnet.mapPublicIpOnLaunch"]),
    case("vpc-subnets-assign-no-public-address", "an IPv6 address", subnet(ipv6CidrBlock="2001:db8::/64", assignIpv6AddressOnCreation=True),
         says=["violated subnet.assignIpv6AddressOnCreation"]),
    case("vpc-subnets-assign-no-public-address", "unknown", subnet(mapPublicIpOnLaunch=UNKNOWN), says=["not proven subnet.mapPublicIpOnLaunch"]),
    case("vpc-subnets-assign-no-public-address", "not applicable", TOPIC),
    case("vpc-default-security-groups-locked", "locked", VPC, LOCKED),
    case("vpc-default-security-groups-locked", "left alone", VPC, says=["violated vpc.defaultSecurityGroupId"]),
    case("vpc-default-security-groups-locked", "with a rule", VPC, OPEN_DEFAULT, says=["violated default.ingress"]),
    case("vpc-default-security-groups-locked", "unknown", VPC, inside("ec2.DefaultSecurityGroup", "default", ingress=UNKNOWN, needs={"ingress": TOPIC}),
         says=["not proven default.ingress"]),
    case("vpc-default-security-groups-locked", "not applicable", TOPIC),
    case("vpc-flow-logs-recorded", "all traffic", VPC, LOG),
    case("vpc-default-security-groups-locked", "read from elsewhere, with a rule", READ_VPC, read_group(ingress=[{"protocol": "-1"}], egress=[]),
         says=["violated default.ingress"]),
    case("vpc-default-security-groups-locked", "read from elsewhere, without a rule", READ_VPC, read_group(ingress=[], egress=[])),
    case("vpc-default-security-groups-locked", "read from elsewhere, offline", READ_VPC, read_group(ingress=UNKNOWN, egress=UNKNOWN),
         says=["not proven default.egress", "not proven default.ingress"]),
    case("vpc-flow-logs-recorded", "of single subnets", VPC, r("ec2.FlowLog", "flow", subnetId="subnet-00000001", trafficType="ALL"),
         says=["not proven vpc"]),
    case("vpc-flow-logs-recorded", "none", VPC, says=["violated vpc"]),
    case("vpc-flow-logs-recorded", "what was let through only", VPC, inside("ec2.FlowLog", "flow", trafficType="ACCEPT"), says=["violated flow.trafficType"]),
    case("vpc-flow-logs-recorded", "unknown", VPC, inside("ec2.FlowLog", "flow", trafficType=UNKNOWN, needs={"trafficType": TOPIC}),
         says=["not proven flow.trafficType"]),
    case("vpc-flow-logs-recorded", "not applicable", TOPIC),
    case("vpc-network-acls-closed", "narrow", r("ec2.NetworkAcl", "acl", subnetIds=["subnet-1"],
         ingress=[{"action": "allow", "protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlock": "0.0.0.0/0", "ruleNo": 1}])),
    case("vpc-network-acls-closed", "everything from everywhere", r("ec2.NetworkAcl", "acl", subnetIds=["subnet-1"],
         ingress=[{"action": "allow", "protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlock": "0.0.0.0/0", "ruleNo": 1}]),
         says=["violated acl.ingress[0].cidrBlock", "violated acl.ingress[0].cidrBlock"]),
    case("vpc-network-acls-closed", "a rule of its own for remote desktops",
         r("ec2.NetworkAclRule", ruleAction="allow", protocol="tcp", fromPort=3000, toPort=4000, cidrBlock="0.0.0.0/1"),
         says=["violated x.cidrBlock"]),
    case("vpc-network-acls-closed", "a rule that lets out", r("ec2.NetworkAclRule", egress=True, ruleAction="allow", protocol="-1", cidrBlock="0.0.0.0/0")),
    case("vpc-network-acls-closed", "packets that are too large",
         r("ec2.NetworkAclRule", egress=False, ruleAction="allow", protocol="icmp", icmpType=3, icmpCode=4, cidrBlock="0.0.0.0/0")),
    case("vpc-network-acls-closed", "ports that are not named",
         r("ec2.NetworkAclRule", ruleAction="allow", protocol="6", cidrBlock="0.0.0.0/0"), says=["violated x.cidrBlock"] * 2),
    case("vpc-network-acls-closed", "a block that is not known",
         r("ec2.NetworkAclRule", ruleAction="allow", protocol="tcp", fromPort=22, toPort=22, cidrBlock=UNKNOWN, needs={"cidrBlock": TOPIC}),
         says=["not proven x.cidrBlock"]),
    case("vpc-network-acls-closed", "an action that is not known",
         r("ec2.NetworkAclRule", ruleAction=UNKNOWN, protocol="tcp", fromPort=22, toPort=22, cidrBlock="0.0.0.0/0", needs={"ruleAction": TOPIC}),
         says=["not proven x.cidrBlock"]),
    case("vpc-network-acls-closed", "used by nobody", r("ec2.NetworkAcl", "acl"), says=["violated acl.subnetIds"]),
    case("vpc-network-acls-closed", "not applicable", TOPIC),
    case("vpc-endpoints-serve-tasks", "all four", VPC, service(), *SERVING),
    case("vpc-endpoints-serve-tasks", "all four in another VPC", VPC, service(),
         *(r("ec2.VpcEndpoint", e["name"], vpcId="vpc-0other", serviceName=f"com.amazonaws.eu-west-1.{e['name']}") for e in SERVING),
         says=["violated vpc"] * 4),
    case("vpc-endpoints-serve-tasks", "S3 by interface, from which no image layer comes", VPC, service(), *SERVING[:3],
         serving("s3", "Interface"), says=["violated vpc"]),
    case("vpc-endpoints-serve-tasks", "none", VPC, service(), says=["violated vpc"] * 4),
    case("vpc-endpoints-serve-tasks", "a NAT gateway instead", VPC, service(), r("ec2.NatGateway", "nat")),
    case("vpc-endpoints-serve-tasks", "unknown", VPC, service(),
         inside("ec2.VpcEndpoint", "e", serviceName=UNKNOWN, needs={"serviceName": TOPIC}), says=["not proven vpc"] * 4),
    case("vpc-endpoints-serve-tasks", "not applicable", VPC),
    case("vpc-endpoints-survive-a-zone", "two zones", serving("logs", "Interface", subnetIds=["subnet-a", "subnet-b"])),
    case("vpc-endpoints-survive-a-zone", "one zone", serving("logs", "Interface", subnetIds=["subnet-a"]),
         says=["violated logs.subnetIds"]),
    case("vpc-endpoints-survive-a-zone", "in no zone", serving("logs", "Interface", subnetIds=[]),
         says=["violated logs.subnetIds"]),
    case("vpc-endpoints-survive-a-zone", "subnets that are added apart", serving("logs", "Interface"),
         r("ec2.VpcEndpointSubnetAssociation", "a")),
    case("vpc-endpoints-survive-a-zone", "unknown", serving("logs", "Interface", subnetIds=UNKNOWN, needs={"subnetIds": TOPIC}),
         says=["not proven logs.subnetIds"]),
    case("vpc-endpoints-survive-a-zone", "a gateway has no address", serving("s3", "Gateway")),
    case("vpc-endpoints-survive-a-zone", "not applicable", VPC),
    case("lambda-public-function-url", "signed", r("lambda.FunctionUrl", authorizationType="AWS_IAM")),
    case("lambda-public-function-url", "open", r("lambda.FunctionUrl", authorizationType="NONE"), says=["violated x.authorizationType"]),
    case("lambda-public-function-url", "unknown", r("lambda.FunctionUrl", authorizationType=UNKNOWN), says=["not proven x.authorizationType"]),
    case("lambda-public-function-url", "not applicable", TOPIC),
    case("vpc-network-acl-entries-are-narrow", "HTTPS and answers", entry(443, 443), entry(1024, 65535, logical="answers")),
    case("vpc-network-acl-entries-are-narrow", "every protocol", entry(0, 0, protocol="-1"), says=["violated entry.protocol"]),
    case("vpc-network-acl-entries-are-narrow", "every port", entry(0, 65535), says=["violated entry.fromPort"]),
    case("vpc-network-acl-entries-are-narrow", "a denial of everything", entry(0, 0, protocol="-1", ruleAction="deny")),
    case("vpc-network-acl-entries-are-narrow", "an inline entry for everything",
         r("ec2.NetworkAcl", "acl", egress=[{"action": "allow", "protocol": "-1"}]), says=["violated acl.egress[0].protocol"]),
    case("vpc-network-acl-entries-are-narrow", "not applicable", TOPIC),
    case("vpc-security-group-rules-are-narrow", "one port", ingress(TASKS)),
    case("vpc-security-group-rules-are-narrow", "every port", ingress(TASKS, fromPort=0, toPort=65535), says=["violated in.toPort"]),
    case("vpc-security-group-rules-are-narrow", "every protocol", egress(TASKS, ipProtocol="-1"), says=["violated out.ipProtocol"]),
    case("vpc-security-group-rules-are-narrow", "an inline rule for everything", inline({"protocol": "-1", "self": True}),
         says=["violated group.ingress[0].protocol"]),
    case("vpc-security-group-rules-are-narrow", "not applicable", TOPIC),
    case("elb-plain-http-forwards-nothing", "rules on HTTPS", LISTENER, BALANCER, rule(login(), FORWARD)),
    case("elb-plain-http-forwards-nothing", "a rule on port 80", PLAIN, on_plain(login(), FORWARD),
         says=["violated rule.actions[0].type", "violated rule.actions[1].type"]),
    case("elb-plain-http-forwards-nothing", "a redirect on port 80", PLAIN,
         on_plain({"type": "redirect", "redirect": {"protocol": "HTTPS", "statusCode": "HTTP_301"}})),
    case("elb-plain-http-forwards-nothing", "a redirect back to HTTP", PLAIN,
         on_plain({"type": "redirect", "redirect": {"protocol": "HTTP", "statusCode": "HTTP_302"}}),
         says=["violated rule.actions[0].redirect.protocol", "violated rule.actions[0].redirect.statusCode"]),
    case("elb-plain-http-forwards-nothing", "unknown", PLAIN,
         r("lb.ListenerRule", "rule", listenerArn=UNKNOWN, actions=UNKNOWN, needs={"listenerArn": PLAIN, "actions": TOPIC}),
         says=["not proven rule.actions"]),
    case("elb-plain-http-forwards-nothing", "not applicable", TOPIC),
    case("vpc-upstream-egress-declared", "a group from elsewhere", *BASE,
         r("ecs.Service", networkConfiguration={"securityGroups": ["sg-0123"]}), says=["not proven x.networkConfiguration.securityGroups"]),
    case("vpc-upstream-egress-declared", "no group at all", *BASE, r("ecs.Service", networkConfiguration={"subnets": ["subnet-1"]}),
         says=["not proven x.networkConfiguration.securityGroups"]),
    case("vpc-upstream-egress-declared", "a function outside a network", r("lambda.Function", handler="index.handler")),
    case("vpc-upstream-egress-declared", "two services in one open group", *BASE, *PLACES, TASKS, service(),
         r("ecs.TaskSet", networkConfiguration={"securityGroups": [UNKNOWN]}, needs={"networkConfiguration": TASKS}),
         egress(TASKS, cidrIpv4="0.0.0.0/0"), says=["violated out.cidrIpv4"]),
    case("vpc-private-subnets-have-no-internet-route", "a route to a peer", *BASE, *PLACES, DATABASE,
         r("ec2.Route", "peer", routeTableId=UNKNOWN, destinationCidrBlock="10.9.0.0/16", vpcPeeringConnectionId="pcx-1",
           needs={"routeTableId": CLOSED_TABLE})),
    case("vpc-private-subnets-have-no-internet-route", "a NAT gateway for private addresses", *BASE, *PLACES, DATABASE,
         r("ec2.Route", "nat", routeTableId=UNKNOWN, destinationCidrBlock="10.9.0.0/16", natGatewayId="nat-1",
           needs={"routeTableId": CLOSED_TABLE})),
    case("vpc-private-subnets-have-no-internet-route", "an endpoint's gateway", *BASE, *PLACES, DATABASE,
         r("ec2.Route", "vpce", routeTableId=UNKNOWN, destinationCidrBlock="52.0.0.0/8", gatewayId="vpce-1",
           needs={"routeTableId": CLOSED_TABLE})),
    case("vpc-private-subnets-have-no-internet-route", "an internet gateway by its id", *BASE, *PLACES, DATABASE,
         r("ec2.Route", "igw", routeTableId=UNKNOWN, destinationCidrBlock="0.0.0.0/0", gatewayId="igw-1",
           needs={"routeTableId": CLOSED_TABLE}), says=["violated igw.gatewayId"]),
    case("vpc-subnets-assign-no-public-address", "IPv6 only on demand",
         subnet(ipv6CidrBlock="2001:db8::/64", assignIpv6AddressOnCreation=False)),
    case("vpc-subnets-assign-no-public-address", "not said", subnet()),
    case("vpc-open-ingress", "an older rule that lets in", r("ec2.SecurityGroupRule", type="ingress", protocol="tcp", fromPort=22, toPort=22,
         cidrBlocks=["0.0.0.0/0"]), says=["violated x.cidrBlocks"]),
]  # fmt: skip
