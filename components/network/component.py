"""A private network: public subnets for the edge only, private subnets without a route to the internet.

It creates no NAT gateway, no IPv6 and no peering: workloads reach AWS through the endpoints of ``PrivateEndpoints``
only. With ``existing`` it creates no VPC, subnet, route or network ACL. It reads the given ones, so that the policies
evaluate their state in AWS and report unknown properties as not proven.
"""

import pulumi
import pulumi_aws as aws

from components.component import Component
from components.network.acl_resources import make_acl
from components.network.acls import private_acl_entries, public_acl_entries
from components.network.addresses import WORLD, AddressPlan, ZoneSubnets, plan_addresses
from components.network.args import ExistingNetworkArgs, PrivateNetworkArgs
from components.network.dns import make_dns_guard
from components.network.logs import make_flow_logs


class PrivateNetwork(Component):
    """A VPC with public subnets for the edge and private subnets without a route to the internet."""

    vpc_id: pulumi.Output[str]
    """The VPC's id."""
    cidr_block: pulumi.Output[str]
    """The VPC's IPv4 block."""
    public_subnet_ids: pulumi.Output[list[str]]
    """The public subnets, sorted by zone: for the load balancer only."""
    private_subnet_ids: pulumi.Output[list[str]]
    """The private subnets, sorted by zone."""
    private_route_table_ids: pulumi.Output[list[str]]
    """The private subnets' route tables, which have only local routes until an endpoint adds its route."""
    log_group_names: pulumi.Output[dict[str, str]]
    """``flow``, and ``dns`` if names are filtered → log group name."""

    def __init__(self, name: str, args: PrivateNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = PrivateNetworkArgs.model_validate(args)
        super().__init__("ai-interface:index:PrivateNetwork", name, args, opts)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        # The database, the cache and the load balancer cannot be moved to another VPC or subnet, so AWS would refuse
        # a replacement half-way. Protection makes the engine refuse it in the preview.
        self._held = pulumi.ResourceOptions(parent=self, protect=not args.allow_deletion)

        if args.existing is None:
            self._create(plan_addresses(args.cidr_block, args.availability_zones))
        else:
            self._read(args.existing)
        self.cidr_block = pulumi.Output.from_input(args.cidr_block)
        self._log_and_filter()
        self.register_outputs(
            {
                "vpcId": self.vpc_id,
                "cidrBlock": self.cidr_block,
                "publicSubnetIds": self.public_subnet_ids,
                "privateSubnetIds": self.private_subnet_ids,
                "privateRouteTableIds": self.private_route_table_ids,
                "logGroupNames": self.log_group_names,
            }
        )

    def private_subnet_ids_in(self, zones: int | None) -> pulumi.Output[list[str]]:
        """The private subnets of the first ``zones`` zones; all of them if omitted."""
        return pulumi.Output.all(*self._private[:zones])

    def _tags(self, role: str) -> dict[str, str]:
        return {**self._args.tags, "Name": f"{self._name}-{role}"}

    def _create(self, plan: AddressPlan) -> None:
        vpc = aws.ec2.Vpc(
            f"{self._name}-vpc",
            cidr_block=str(plan.block),
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags=self._tags("vpc"),
            opts=self._held,
        )
        self.vpc_id = vpc.id
        self._locked = self._lock_defaults(vpc)
        public = self._public_subnets(vpc, plan)
        private, tables = self._private_subnets(vpc, plan)
        self._network_acls(vpc, plan, public, private)
        self.public_subnet_ids = pulumi.Output.all(*[subnet.id for subnet in public])
        self._private = [subnet.id for subnet in private]
        self.private_subnet_ids = pulumi.Output.all(*self._private)
        self.private_route_table_ids = pulumi.Output.all(*[table.id for table in tables])

    def _lock_defaults(self, vpc: aws.ec2.Vpc) -> aws.ec2.DefaultNetworkAcl:
        """The VPC's default security group, network ACL and route table allow nothing, so a resource that uses them is
        not exposed.

        Subnets depend on the default network ACL, which this function returns: otherwise the provider would read the
        subnets that are still associated with it, and the next preview would remove them.
        """
        aws.ec2.DefaultSecurityGroup(
            f"{self._name}-default-group",
            vpc_id=vpc.id,
            ingress=[],
            egress=[],
            tags=self._tags("default-unused"),
            opts=self._child,
        )
        aws.ec2.DefaultRouteTable(
            f"{self._name}-default-routes",
            default_route_table_id=vpc.default_route_table_id,
            routes=[],
            tags=self._tags("default-unused"),
            opts=self._child,
        )
        return aws.ec2.DefaultNetworkAcl(
            f"{self._name}-default-acl",
            default_network_acl_id=vpc.default_network_acl_id,
            ingress=[],
            egress=[],
            tags=self._tags("default-unused"),
            opts=self._child,
        )

    def _subnet(
        self,
        vpc: aws.ec2.Vpc,
        zone: ZoneSubnets,
        kind: str,
        cidr_block: str,
        *after: pulumi.Resource,
    ) -> aws.ec2.Subnet:
        role = f"{kind}-{zone.availability_zone}"
        return aws.ec2.Subnet(
            f"{self._name}-{role}",
            vpc_id=vpc.id,
            availability_zone=zone.availability_zone,
            cidr_block=cidr_block,
            map_public_ip_on_launch=False,
            tags=self._tags(role),
            opts=pulumi.ResourceOptions.merge(self._held, pulumi.ResourceOptions(depends_on=[self._locked, *after])),
        )

    def _public_subnets(self, vpc: aws.ec2.Vpc, plan: AddressPlan) -> list[aws.ec2.Subnet]:
        gateway = aws.ec2.InternetGateway(
            f"{self._name}-internet", vpc_id=vpc.id, tags=self._tags("internet"), opts=self._child
        )
        table = aws.ec2.RouteTable(
            f"{self._name}-public-routes", vpc_id=vpc.id, tags=self._tags("public"), opts=self._child
        )
        aws.ec2.Route(
            f"{self._name}-public-to-internet",
            route_table_id=table.id,
            destination_cidr_block=WORLD,
            gateway_id=gateway.id,
            opts=self._child,
        )
        subnets: list[aws.ec2.Subnet] = []
        for zone in plan.zones:
            # ELB refuses a load balancer whose VPC has no internet gateway, and determines the VPC from the subnets.
            subnet = self._subnet(vpc, zone, "public", str(zone.public), gateway)
            aws.ec2.RouteTableAssociation(
                f"{self._name}-public-{zone.availability_zone}",
                subnet_id=subnet.id,
                route_table_id=table.id,
                opts=self._child,
            )
            subnets.append(subnet)
        return subnets

    def _private_subnets(
        self, vpc: aws.ec2.Vpc, plan: AddressPlan
    ) -> tuple[list[aws.ec2.Subnet], list[aws.ec2.RouteTable]]:
        subnets: list[aws.ec2.Subnet] = []
        tables: list[aws.ec2.RouteTable] = []
        for zone in plan.zones:
            role = f"private-{zone.availability_zone}"
            subnet = self._subnet(vpc, zone, "private", str(zone.private))
            table = aws.ec2.RouteTable(f"{self._name}-{role}", vpc_id=vpc.id, tags=self._tags(role), opts=self._child)
            aws.ec2.RouteTableAssociation(
                f"{self._name}-{role}", subnet_id=subnet.id, route_table_id=table.id, opts=self._child
            )
            subnets.append(subnet)
            tables.append(table)
        return subnets, tables

    def _network_acls(
        self, vpc: aws.ec2.Vpc, plan: AddressPlan, public: list[aws.ec2.Subnet], private: list[aws.ec2.Subnet]
    ) -> None:
        entries = {
            "public": (public, public_acl_entries(plan, self._args.target_port)),
            "private": (
                private,
                private_acl_entries(plan, self._args.target_port, self._args.internal_ports, self._args.egress_port),
            ),
        }
        for kind, (subnets, table) in entries.items():
            make_acl(
                f"{self._name}-{kind}",
                table,
                vpc_id=vpc.id,
                subnets=subnets,
                tags=self._tags(kind),
                parent=self,
            )

    def _read(self, existing: ExistingNetworkArgs) -> None:
        """Read the existing network, so that the engine and the policies evaluate its real routes and settings.

        Logical names are derived from zones, not ids, so that environments with different networks can be compared. A
        private subnet is read only together with its route table association: without it, its routes would be unknown.
        """
        name, zones = f"{self._name}-existing", self._args.availability_zones
        vpc = aws.ec2.Vpc.get(f"{name}-vpc", existing.vpc_id, opts=self._child)
        aws.ec2.SecurityGroup.get(f"{name}-default-group", vpc.default_security_group_id, opts=self._child)
        public, private = (
            dict(sorted(zip(zones, ids, strict=True)))
            for ids in (existing.public_subnet_ids, existing.private_subnet_ids)
        )
        tables: dict[str, str] = {}  # Each table once, under the first zone that uses it.
        for zone, table_id in zip(zones, existing.private_route_table_ids, strict=False):
            tables.setdefault(table_id, zone)
        for zone, subnet_id in public.items():
            aws.ec2.Subnet.get(f"{name}-public-{zone}", subnet_id, opts=self._child)
        for table_id, zone in tables.items():
            aws.ec2.RouteTable.get(f"{name}-private-{zone}", table_id, opts=self._child)
        for zone, association_id in zip(zones, existing.private_route_table_association_ids, strict=False):
            aws.ec2.Subnet.get(f"{name}-private-{zone}", private[zone], opts=self._child)
            aws.ec2.RouteTableAssociation.get(f"{name}-private-{zone}", association_id, opts=self._child)
        self.vpc_id = pulumi.Output.from_input(existing.vpc_id)
        self.public_subnet_ids = pulumi.Output.from_input(list(public.values()))
        self._private = [pulumi.Output.from_input(subnet_id) for subnet_id in private.values()]
        self.private_subnet_ids = pulumi.Output.from_input(list(private.values()))
        self.private_route_table_ids = pulumi.Output.from_input(sorted(tables))

    def _logged_subnets(self, existing: ExistingNetworkArgs) -> dict[str, str]:
        """The subnets with flow logs, by the name of the log."""
        kinds = {"public": existing.public_subnet_ids, "private": existing.private_subnet_ids}
        return {
            f"{kind}-{zone}": subnet_id
            for kind, ids in kinds.items()
            for zone, subnet_id in zip(self._args.availability_zones, ids, strict=True)
        }

    def _log_and_filter(self) -> None:
        args, existing = self._args, self._args.existing
        names = {
            "flow": make_flow_logs(
                self._name,
                vpc_id=None if existing else self.vpc_id,
                subnet_ids=self._logged_subnets(existing) if existing else {},
                account_id=args.account_id,
                region=args.region,
                retention_days=args.flow_log_retention_days,
                key_arn=args.log_key_arn,
                tags=args.tags,
                opts=self._child,
            )
        }
        if existing is None or existing.filter_dns:
            names["dns"] = make_dns_guard(
                self._name,
                vpc_id=self.vpc_id,
                domains=args.allowed_domains,
                account_id=args.account_id,
                region=args.region,
                retention_days=args.flow_log_retention_days,
                key_arn=args.log_key_arn,
                allow_deletion=args.allow_deletion,
                tags=args.tags,
                opts=self._child,
            )
        self.log_group_names = pulumi.Output.all(**names)
