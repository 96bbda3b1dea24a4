"""Arguments of ``PrivateNetwork``: addresses, zones, resolvable names, and an existing VPC."""

from typing import Self

import pulumi
from pydantic import Field, model_validator

from components.args import Args
from components.network.acls import check_internal_ports
from components.network.addresses import plan_addresses


class ExistingNetworkArgs(Args):
    """An existing VPC to deploy into. Lists follow the order of ``availability_zones``, one for each zone."""

    vpc_id: str
    """The VPC's id."""
    public_subnet_ids: list[str] = Field(min_length=2)
    """Subnets with a route to an internet gateway, for the load balancer only."""
    private_subnet_ids: list[str] = Field(min_length=2)
    """Subnets without a route to the internet, for everything else."""
    private_route_table_ids: list[str] = Field(min_length=1)
    """The private subnets' route tables. The S3 gateway endpoint is added to each. A single table is shared by all
    private subnets."""
    private_route_table_association_ids: list[str] = Field(default_factory=list[str])
    """The association of each private subnet with its route table (``rtbassoc-…``), so that the policies can evaluate
    its routes. Omitted: the private subnets are not read, and it is not proven that they have no route to the internet.
    """
    filter_dns: bool = False
    """True: the DNS allowlist applies to the whole VPC, including other workloads in it. Omitted: the VPC's DNS is not
    changed, and it is not proven that names are filtered."""


class PrivateNetworkArgs(Args):
    """Arguments of ``PrivateNetwork``."""

    cidr_block: str
    """The VPC's IPv4 block, /16 to /20. A change is refused unless ``allow_deletion`` is set, because AWS cannot change
    the block of an existing VPC. With ``existing``, this is that VPC's block."""
    availability_zones: list[str]
    """Two or three zones by name. A zone can be added; removing one is refused unless ``allow_deletion`` is set."""
    flow_log_retention_days: int
    """How long flow logs and DNS query logs are kept. Must be a value that CloudWatch Logs accepts."""
    allowed_domains: list[str]
    """The names that resolve in the network, with subdomains as ``*.example.com``. Queries for all other names return
    NXDOMAIN. ``network_dns.allowed_domains`` derives the list from the declared destinations."""
    account_id: str
    """The account that owns the network. Log deliveries are accepted only from this account."""
    region: str
    """The region of the network. Log deliveries are accepted only from this region."""
    target_port: int = 8443
    """The port on which tasks accept connections from the load balancer."""
    internal_ports: list[int] = Field(default_factory=list[int])
    """Ports besides 443 that are open between private subnets, such as the database's port: at most seven with two
    zones, four with three. Omitted: none."""
    egress_port: int | None = None
    """The port of the egress proxy, for the network ACL between the private and the egress subnets, which ``EgressNetwork``
    creates. Omitted: there are none."""
    log_key_arn: pulumi.Output[str] | None = None
    """The KMS key of the log groups. Omitted: CloudWatch Logs encrypts them with an AWS-owned key."""
    existing: ExistingNetworkArgs | None = None
    """The existing VPC to deploy into. Omitted: a new one is created."""
    allow_deletion: bool = False
    """True: VPC and subnets may be deleted or replaced, and the DNS Firewall removed from the VPC. Omitted: the engine
    refuses the first before it changes anything, because resources cannot be moved to another VPC; AWS refuses the
    second (mutation protection)."""
    tags: dict[str, str]
    """Tags of every resource."""

    @model_validator(mode="after")
    def _is_planned(self) -> Self:
        if self.existing is None:
            plan_addresses(self.cidr_block, self.availability_zones)
            zones = len(self.availability_zones)
            check_internal_ports(self.internal_ports, zones, self.target_port, egress=self.egress_port is not None)
        else:
            _check_existing(self.existing, len(self.availability_zones))
        return self


def _check_existing(existing: ExistingNetworkArgs, zones: int) -> None:
    """One id for each zone, and no subnet both public and private."""
    tables, associations = existing.private_route_table_ids, existing.private_route_table_association_ids
    for name, ids, counts in (
        ("public_subnet_ids", existing.public_subnet_ids, {zones}),
        ("private_subnet_ids", existing.private_subnet_ids, {zones}),
        ("private_route_table_ids", tables, {1, zones}),
        ("private_route_table_association_ids", associations, {0, zones}),
    ):
        if len(ids) not in counts:
            raise ValueError(
                f"{name} has {len(ids)} ids for {zones} zones: list one id for each zone, in the order of the zones"
            )
    subnets = [*existing.public_subnet_ids, *existing.private_subnet_ids]
    if len(set(subnets)) != len(subnets):
        raise ValueError("a subnet is listed twice: each zone needs its own public and private subnet")
