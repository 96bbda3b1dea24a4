"""A private network in two zones, with DNS limited to the names that Fargate needs and one model server."""

import sys
from pathlib import Path

import pulumi

# If you add the package with `pulumi package add`, remove this line and import the generated SDK instead.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from components import PrivateNetwork, PrivateNetworkArgs
from components.network.dns import allowed_domains
from components.network.endpoint_services import FARGATE_SERVICES

config = pulumi.Config()
region = pulumi.Config("aws").require("region")
account_id = config.require("accountId")

network = PrivateNetwork(
    "network",
    PrivateNetworkArgs(
        cidr_block=config.get("cidrBlock") or "10.40.0.0/16",
        availability_zones=[f"{region}a", f"{region}b"],
        flow_log_retention_days=30,
        allowed_domains=allowed_domains(
            region=region, account_id=account_id, services=FARGATE_SERVICES, hosts=["models.internal.example.com"]
        ),
        account_id=account_id,
        region=region,
        tags={"owner": config.require("owner"), "environment": pulumi.get_stack(), "project": pulumi.get_project()},
    ),
)

pulumi.export("vpcId", network.vpc_id)
pulumi.export("privateSubnetIds", network.private_subnet_ids)
