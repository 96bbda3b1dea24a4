"""What has interfaces in a generated network: one function for each kind."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from .drawing import Made


def add_workloads(made: Made) -> None:
    if made.chance(50):
        _balancer(made)
    for _ in range(made.number(1, 4)):
        _WORKLOADS[made.one(sorted(_WORKLOADS))](made)


def _some(made: Made, most: int) -> list[str]:
    chosen = made.draw(st.lists(st.sampled_from(range(len(made.subnets))), min_size=1, max_size=most, unique=True))
    return [made.subnets[index]["id"] for index in sorted(chosen)]


def _own(made: Made) -> list[str]:
    chosen = made.draw(st.lists(st.sampled_from(range(len(made.groups))), min_size=1, max_size=2, unique=True))
    return [made.groups[index]["id"] for index in sorted(chosen)]


def _service(made: Made) -> None:
    where = {"subnets": _some(made, 2), "securityGroups": _own(made), "assignPublicIp": made.chance(50)}
    made.add("ecs.Service", networkConfiguration=where, desiredCount=2)


def _instance(made: Made) -> None:
    public = made.one(("subnet", "yes", "no", "eip"))
    inputs: dict[str, Any] = {"associatePublicIpAddress": public == "yes"} if public in ("yes", "no") else {}
    instance = made.add("ec2.Instance", subnetId=made.one(made.subnets)["id"], vpcSecurityGroupIds=_own(made), **inputs)
    if public == "eip":
        address = made.add("ec2.Eip", domain="vpc")
        made.add("ec2.EipAssociation", instanceId=instance["id"], allocationId=address["id"])


def _interface(made: Made) -> None:
    interface = made.add("ec2.NetworkInterface", subnetId=made.one(made.subnets)["id"], securityGroups=_own(made))
    if made.chance(50):
        made.add("ec2.Eip", domain="vpc", networkInterface=interface["id"])
    if made.chance(30):
        made.add(
            "ec2.NetworkInterfaceSecurityGroupAttachment", networkInterfaceId=interface["id"],
            securityGroupId=made.one(made.groups)["id"],
        )  # fmt: skip


def _function(made: Made) -> None:
    where = {"subnetIds": _some(made, 2), "securityGroupIds": _own(made), "ipv6AllowedForDualStack": True}
    made.add("lambda.Function", role="arn:aws:iam::111122223333:role/function", vpcConfig=where)


def _database(made: Made) -> None:
    group = made.add("rds.SubnetGroup", subnetIds=_some(made, 1))
    made.add(
        "rds.Instance", instanceClass="db.t4g.small", engine="postgres", dbSubnetGroupName=group["name"],
        vpcSecurityGroupIds=_own(made), publiclyAccessible=made.chance(50), networkType="DUAL" if made.v6 else "IPV4",
    )  # fmt: skip


def _endpoint(made: Made) -> None:
    subnets = _some(made, 2)
    apart = made.chance(30)
    endpoint = made.add(
        "ec2.VpcEndpoint", vpcId=made.vpc["id"], vpcEndpointType="Interface", serviceName="com.amazonaws.us-east-1.logs",
        ipAddressType="dualstack" if made.v6 else "ipv4", **({} if apart else {"subnetIds": subnets}),
        **({} if made.chance(25) else {"securityGroupIds": _own(made)}),
    )  # fmt: skip
    for subnet in subnets if apart else ():
        made.add("ec2.VpcEndpointSubnetAssociation", vpcEndpointId=endpoint["id"], subnetId=subnet)
    if made.chance(20):
        made.add(
            "ec2.SecurityGroupAssociation", vpcEndpointId=endpoint["id"], securityGroupId=made.one(made.groups)["id"]
        )


def _cluster(made: Made) -> None:
    group = made.add("rds.SubnetGroup", subnetIds=_some(made, 2))
    cluster = made.add(
        "rds.Cluster", engine="aurora-postgresql", dbSubnetGroupName=group["name"], vpcSecurityGroupIds=_own(made),
        networkType="DUAL" if made.v6 else "IPV4",
    )  # fmt: skip
    for _ in range(made.number(1, 2)):
        made.add(
            "rds.ClusterInstance", clusterIdentifier=cluster["id"], engine="aurora-postgresql",
            instanceClass="db.serverless", publiclyAccessible=made.chance(40),
        )  # fmt: skip


def _balancer(made: Made) -> None:
    internal, subnets = made.chance(25), _some(made, 2)
    where = {"subnetMappings": [{"subnetId": name} for name in subnets]} if made.chance(30) else {"subnets": subnets}
    balancer = made.add(
        "lb.LoadBalancer", loadBalancerType="application", internal=internal, **where,
        securityGroups=_own(made), ipAddressType="dualstack" if made.v6 else "ipv4",
    )  # fmt: skip
    login = {"type": "authenticate-oidc", "order": 1, "authenticateOidc": {"onUnauthenticatedRequest": "deny"}}
    answer = {"type": "fixed-response", "order": 2, "fixedResponse": {"contentType": "text/plain", "statusCode": "404"}}
    made.add(
        "lb.Listener", loadBalancerArn=balancer["arn"], port=443, protocol="HTTPS", defaultActions=[login, answer],
    )  # fmt: skip


_WORKLOADS = {
    "balancer": _balancer, "cluster": _cluster, "database": _database, "endpoint": _endpoint, "function": _function, "instance": _instance,
    "interface": _interface, "service": _service,
}  # fmt: skip
