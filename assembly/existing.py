"""Compares the route tables of an existing VPC in AWS with the settings.

The lookup finds the route table that each private subnet actually uses, so that the policies can evaluate its routes.
It changes nothing. It cannot detect a subnet that uses the VPC's main table implicitly; such a subnet stays not proven.
"""

import pulumi_aws as aws

from components.network import ExistingNetworkArgs
from settings import Problem
from settings.sections import ExistingNetwork
from settings.stack import PREFIX, refused


def existing_network(existing: ExistingNetwork, environment: str) -> ExistingNetworkArgs:
    """The ids from the settings with their associations in AWS. Raises ``SettingsError`` if the two differ."""
    subnets = existing.private_subnet_ids
    tables = existing.private_route_table_ids * (len(subnets) if len(existing.private_route_table_ids) == 1 else 1)
    associations = _associations(existing)
    problems = [
        Problem(
            key=f"{PREFIX}network.existing.privateRouteTableIds",
            value=table,
            allowed=f"the route table that {subnet} uses in AWS: {associations[subnet][0]}",
            fix="set that table, or change the subnet's association: otherwise tasks cannot reach S3",
        )
        for subnet, table in zip(subnets, tables, strict=True)
        if subnet in associations and associations[subnet][0] != table
    ]
    if problems:
        raise refused(environment, problems)
    return ExistingNetworkArgs(
        vpc_id=existing.vpc_id,
        public_subnet_ids=list(existing.public_subnet_ids),
        private_subnet_ids=list(subnets),
        private_route_table_ids=list(existing.private_route_table_ids),
        private_route_table_association_ids=[associations[subnet][1] for subnet in subnets]
        if set(subnets) <= set(associations)
        else [],
        filter_dns=existing.filter_dns,
    )


def _associations(existing: ExistingNetwork) -> dict[str, tuple[str, str]]:
    """Private subnet → its route table and their association. A subnet that uses the main table has no entry."""
    used = aws.ec2.get_route_tables(
        vpc_id=existing.vpc_id,
        filters=[{"name": "association.subnet-id", "values": sorted(existing.private_subnet_ids)}],
    )
    return {
        association.subnet_id: (table_id, association.route_table_association_id)
        for table_id in sorted(used.ids)
        for association in aws.ec2.get_route_table(route_table_id=table_id).associations
        if association.subnet_id in existing.private_subnet_ids
    }
