"""Disagreements that generated networks brought up, each as small as possible, with what AWS documents."""

from __future__ import annotations

from collections.abc import Callable

from .comparison import Says
from .recorded import Record, Recorded

Found = Callable[[Recorded, Record], tuple[str, Says]]
CASES: dict[str, Found] = {}
ANYWHERE = {"cidrBlocks": ["0.0.0.0/0"]}
HTTPS = {"protocol": "tcp", "fromPort": 443, "toPort": 443}


def case(found: Found) -> Found:
    """A case is a function that makes a network in a VPC and returns a claim with its answer."""
    CASES[found.__name__.replace("_", " ")] = found
    return found


def subnet(recorded: Recorded, vpc: Record, number: int = 0, **inputs: object) -> Record:
    block = f"10.0.{number}.0/24"
    return recorded.add("ec2.Subnet", f"subnet-{number}", vpcId=vpc["id"], cidrBlock=block, **inputs)


def group(recorded: Recorded, vpc: Record, name: str = "group", **rules: object) -> str:
    return recorded.add("ec2.SecurityGroup", name, vpcId=vpc["id"], **rules)["id"]


def interface(recorded: Recorded, where: Record, groups: list[str], name: str = "interface") -> Record:
    return recorded.add("ec2.NetworkInterface", name, subnetId=where["id"], securityGroups=groups)


def routes(recorded: Recorded, vpc: Record, where: Record, listed: list[Record]) -> None:
    table = recorded.add("ec2.RouteTable", f"table-{where['id']}", vpcId=vpc["id"], routes=listed)
    recorded.add("ec2.RouteTableAssociation", f"of-{where['id']}", subnetId=where["id"], routeTableId=table["id"])


def gateway(recorded: Recorded, vpc: Record) -> str:
    return recorded.add("ec2.InternetGateway", "igw", vpcId=vpc["id"])["id"]


def balancer(recorded: Recorded, where: Record, groups: list[str]) -> None:
    made = recorded.add(
        "lb.LoadBalancer", "balancer", loadBalancerType="application", internal=False, subnets=[where["id"]],
        securityGroups=groups, ipAddressType="ipv4",
    )  # fmt: skip
    login = {"type": "authenticate-oidc", "order": 1, "authenticateOidc": {"onUnauthenticatedRequest": "deny"}}
    recorded.add(
        "lb.Listener", "https", loadBalancerArn=made["arn"], port=443, protocol="HTTPS", defaultActions=[login]
    )


@case
def each_side_allows_the_other_in_another_family(recorded: Recorded, vpc: Record) -> tuple[str, Says]:
    """One side sends over IPv6 only and the other one admits IPv4 only: nothing passes."""
    where = subnet(recorded, vpc, ipv6CidrBlock="2a05:d018:100::/64", assignIpv6AddressOnCreation=True)
    sends = group(recorded, vpc, "sends", egress=[{**HTTPS, "ipv6CidrBlocks": ["2a05:d018:100::/64"]}])
    takes = group(recorded, vpc, "takes", ingress=[{**HTTPS, **ANYWHERE}])
    interface(recorded, where, [sends], "source")
    interface(recorded, where, [takes], "target")
    return "inside: source-1 → target-1 tcp 443", Says.NONE


@case
def a_function_accepts_no_connection(recorded: Recorded, vpc: Record) -> tuple[str, Says]:
    """Lambda's interfaces take no connections, whatever their groups admit."""
    where = subnet(recorded, vpc, ipv6CidrBlock="2a05:d018:100::/64", assignIpv6AddressOnCreation=True)
    routes(recorded, vpc, where, [{"ipv6CidrBlock": "::/0", "gatewayId": gateway(recorded, vpc)}])
    admits = group(recorded, vpc, ingress=[{**HTTPS, "ipv6CidrBlocks": ["::/0"]}])
    config = {"subnetIds": [where["id"]], "securityGroupIds": [admits], "ipv6AllowedForDualStack": True}
    recorded.add("lambda.Function", "function", role="arn:aws:iam::111122223333:role/function", vpcConfig=config)
    return "from the internet: 2600::1 → function-1 tcp 443", Says.NONE


@case
def a_function_connects_from_every_ephemeral_port(recorded: Recorded, vpc: Record) -> tuple[str, Says]:
    """Lambda functions use ports 1024-65535 (VPC user guide, ephemeral ports), Linux hosts 32768-60999."""
    here, there = subnet(recorded, vpc), subnet(recorded, vpc, 1)
    sends, takes = (group(recorded, vpc, name, **{name: [{**HTTPS, **ANYWHERE}]}) for name in ("egress", "ingress"))
    config = {"subnetIds": [here["id"]], "securityGroupIds": [sends]}
    recorded.add("lambda.Function", "function", role="arn:aws:iam::111122223333:role/function", vpcConfig=config)
    interface(recorded, there, [takes])
    answers = {"ruleNo": 100, "action": "allow", "protocol": "tcp", "cidrBlock": "0.0.0.0/0"}
    recorded.add(
        "ec2.NetworkAcl", "acl", vpcId=vpc["id"], subnetIds=[there["id"]],
        ingress=[{**answers, "fromPort": 443, "toPort": 443}], egress=[{**answers, "fromPort": 32768, "toPort": 60999}],
    )  # fmt: skip
    return "inside: function-1 → interface-1 tcp 443", Says.NOT_ALL


@case
def clients_have_no_route_over_ipv4(recorded: Recorded, vpc: Record) -> tuple[str, Says]:
    """A route to an internet gateway for IPv6 alone leaves IPv4 clients without an answer."""
    where = subnet(recorded, vpc, ipv6CidrBlock="2a05:d018:100::/64")
    routes(recorded, vpc, where, [{"ipv6CidrBlock": "::/0", "gatewayId": gateway(recorded, vpc)}])
    balancer(recorded, where, [group(recorded, vpc, ingress=[{**HTTPS, **ANYWHERE}])])
    return "front: clients → balancer in subnet-0 tcp 443", Says.NOT_ALL


@case
def only_some_clients_have_a_route(recorded: Recorded, vpc: Record) -> tuple[str, Says]:
    """A route for half of the internet leaves the other half without an answer."""
    where = subnet(recorded, vpc)
    routes(recorded, vpc, where, [{"cidrBlock": "0.0.0.0/1", "gatewayId": gateway(recorded, vpc)}])
    balancer(recorded, where, [group(recorded, vpc, ingress=[{**HTTPS, **ANYWHERE}])])
    return "front: clients → balancer in subnet-0 tcp 443", Says.NOT_ALL


@case
def a_network_acl_that_admits_only_the_clients_of_the_groups(recorded: Recorded, vpc: Record) -> tuple[str, Says]:
    """Clients that the groups do not admit are not blocked by the network ACL."""
    where = subnet(recorded, vpc)
    routes(recorded, vpc, where, [{"cidrBlock": "0.0.0.0/0", "gatewayId": gateway(recorded, vpc)}])
    balancer(recorded, where, [group(recorded, vpc, ingress=[{**HTTPS, "cidrBlocks": ["203.0.113.0/24"]}])])
    entry = {
        "ruleNo": 100, "action": "allow", "protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlock": "203.0.113.0/24",
    }  # fmt: skip
    recorded.add("ec2.NetworkAcl", "acl", vpcId=vpc["id"], subnetIds=[where["id"]], ingress=[entry], egress=[entry])
    return "front: clients → balancer in subnet-0 tcp 443", Says.ALL


@case
def a_network_acl_that_blocks_an_identity_provider_named_by_two_rules(
    recorded: Recorded, vpc: Record
) -> tuple[str, Says]:
    """Two halves of the internet are the internet: the network ACL has to let both through."""
    where = subnet(recorded, vpc)
    routes(recorded, vpc, where, [{"cidrBlock": "0.0.0.0/0", "gatewayId": gateway(recorded, vpc)}])
    halves = [{**HTTPS, "cidrBlocks": [block]} for block in ("0.0.0.0/1", "128.0.0.0/1")]
    balancer(recorded, where, [group(recorded, vpc, egress=halves)])
    recorded.add("ec2.NetworkAcl", "acl", vpcId=vpc["id"], subnetIds=[where["id"]])
    return "login: balancer in subnet-0 → identity provider", Says.NOT_ALL


@case
def networks_without_a_peering_connection(recorded: Recorded, vpc: Record) -> tuple[str, Says]:
    """A VPC's local route leads to its own blocks only."""
    second = recorded.add("ec2.Vpc", "second", cidrBlock="10.9.0.0/16")
    far = recorded.add("ec2.Subnet", "far", vpcId=second["id"], cidrBlock="10.9.0.0/24")
    interface(recorded, subnet(recorded, vpc), [group(recorded, vpc, egress=[{**HTTPS, **ANYWHERE}])], "source")
    interface(recorded, far, [group(recorded, second, "takes", ingress=[{**HTTPS, **ANYWHERE}])], "target")
    return "inside: source-1 → target-1 tcp 443", Says.NOT_ALL


@case
def a_route_by_prefix_list(recorded: Recorded, vpc: Record) -> tuple[str, Says]:
    """The entries of a prefix list that the stack declares are known destinations."""
    where = subnet(recorded, vpc)
    listed = recorded.add(
        "ec2.ManagedPrefixList", "list", name="list", addressFamily="IPv4", maxEntries=1,
        entries=[{"cidr": "203.0.113.0/24"}],
    )  # fmt: skip
    igw = gateway(recorded, vpc)
    routes(recorded, vpc, where, [{"destinationPrefixListId": listed["id"], "gatewayId": igw}])
    made = interface(recorded, where, [group(recorded, vpc, ingress=[{**HTTPS, **ANYWHERE}])])
    recorded.add("ec2.Eip", "address", domain="vpc", networkInterface=made["id"])
    return "from the internet: 203.0.113.10 → interface-1 tcp 443", Says.SOME


@case
def a_rule_about_the_default_group_of_an_endpoint_without_groups(recorded: Recorded, vpc: Record) -> tuple[str, Says]:
    """An endpoint that names no group has the VPC's default group, and rules about that group are about it."""
    where = subnet(recorded, vpc)
    sends = group(recorded, vpc, egress=[{**HTTPS, "securityGroups": [vpc["defaultSecurityGroupId"]]}])
    recorded.add(
        "vpc.SecurityGroupIngressRule", "admits", securityGroupId=vpc["defaultSecurityGroupId"], ipProtocol="tcp",
        fromPort=443, toPort=443, referencedSecurityGroupId=sends,
    )  # fmt: skip
    interface(recorded, where, [sends])
    recorded.add(
        "ec2.VpcEndpoint", "endpoint", vpcId=vpc["id"], vpcEndpointType="Interface", subnetIds=[where["id"]],
        serviceName="com.amazonaws.us-east-1.logs",
    )  # fmt: skip
    return "inside: interface-1 → endpoint-1 tcp 443", Says.SOME


@case
def an_egress_only_gateway_beside_an_internet_gateway(recorded: Recorded, vpc: Record) -> tuple[str, Says]:
    """Clients whose answers leave by the internet gateway can connect (a fault of the plan, not of topology)."""
    where = subnet(recorded, vpc, ipv6CidrBlock="2a05:d018:100::/64", assignIpv6AddressOnCreation=True)
    outward = recorded.add("ec2.EgressOnlyInternetGateway", "outward", vpcId=vpc["id"])["id"]
    listed = [
        {"ipv6CidrBlock": "::/0", "gatewayId": gateway(recorded, vpc)},
        {"ipv6CidrBlock": "2001:db8:ffff::/48", "egressOnlyGatewayId": outward},
    ]
    routes(recorded, vpc, where, listed)
    interface(recorded, where, [group(recorded, vpc, ingress=[{**HTTPS, "ipv6CidrBlocks": ["::/0"]}])])
    return "from the internet: 2600::1 → interface-1 tcp 443", Says.SOME


def network(name: str) -> tuple[Recorded, str, Says]:
    """The network of a case, the claim that it is about, and the right answer."""
    recorded = Recorded()
    vpc = recorded.add("ec2.Vpc", "vpc", cidrBlock="10.0.0.0/16", ipv6CidrBlock="2a05:d018:100::/56")
    return (recorded, *CASES[name](recorded, vpc))
