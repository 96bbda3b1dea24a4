"""The egress subnets: one in each zone, with a default route to a NAT gateway, for the egress proxy only.

The private subnets keep their route tables without a route to the internet. The network ACL denies everything between the
egress subnets and the rest of the VPC, except tunnels from the private subnets and calls of the VPC endpoints.

Nothing here is protected from deletion: a stack without an external upstream has no NAT gateway.
"""

import pulumi
import pulumi_aws as aws

from components.args import Args
from components.component import Component
from components.network.acl_resources import make_acl
from components.network.acls import egress_acl_entries
from components.network.addresses import WORLD, plan_addresses


class EgressNetworkArgs(Args):
    """Arguments of ``EgressNetwork``."""

    vpc_id: pulumi.Output[str]
    """The network's VPC."""
    cidr_block: str
    """The VPC's IPv4 block, from which the subnets get their addresses."""
    availability_zones: list[str]
    """The network's zones by name."""
    public_subnet_ids: pulumi.Output[list[str]]
    """The public subnets, sorted by zone, for the NAT gateways."""
    port: int
    """The port on which the egress proxy accepts tunnels."""
    tags: dict[str, str]
    """Tags of every resource."""


class EgressNetwork(Component):
    """Egress subnets with a NAT gateway in each zone."""

    subnet_ids: pulumi.Output[list[str]]
    """The egress subnets, sorted by zone."""
    route_table_ids: pulumi.Output[list[str]]
    """Their route tables."""

    def __init__(self, name: str, args: EgressNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = EgressNetworkArgs.model_validate(args)
        super().__init__("ai-interface:index:EgressNetwork", name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        plan = plan_addresses(args.cidr_block, args.availability_zones)
        subnets: list[aws.ec2.Subnet] = []
        tables: list[aws.ec2.RouteTable] = []
        for place, zone in enumerate(plan.zones):
            role = f"{name}-{zone.availability_zone}"
            tags = {**args.tags, "Name": role}
            subnet = aws.ec2.Subnet(
                role,
                vpc_id=args.vpc_id,
                availability_zone=zone.availability_zone,
                cidr_block=str(zone.egress),
                map_public_ip_on_launch=False,
                tags=tags,
                opts=child,
            )
            address = aws.ec2.Eip(f"{role}-address", domain="vpc", tags=tags, opts=child)
            gateway = aws.ec2.NatGateway(
                f"{role}-nat",
                subnet_id=args.public_subnet_ids[place],
                allocation_id=address.id,
                connectivity_type="public",
                tags=tags,
                opts=child,
            )
            table = aws.ec2.RouteTable(f"{role}-routes", vpc_id=args.vpc_id, tags=tags, opts=child)
            aws.ec2.Route(
                f"{role}-to-internet",
                route_table_id=table.id,
                destination_cidr_block=WORLD,
                nat_gateway_id=gateway.id,
                opts=child,
            )
            aws.ec2.RouteTableAssociation(role, subnet_id=subnet.id, route_table_id=table.id, opts=child)
            subnets.append(subnet)
            tables.append(table)
        make_acl(
            name,
            egress_acl_entries(plan, args.port),
            vpc_id=args.vpc_id,
            subnets=subnets,
            tags={**args.tags, "Name": name},
            parent=self,
        )
        self.subnet_ids = pulumi.Output.all(*[subnet.id for subnet in subnets])
        self.route_table_ids = pulumi.Output.all(*[table.id for table in tables])
        self.register_outputs({"subnetIds": self.subnet_ids, "routeTableIds": self.route_table_ids})
