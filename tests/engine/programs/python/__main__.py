"""A network and an edge in another project's stack."""

# `pulumi package add` generates the package below, so that no type is known here.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false

import pulumi
import pulumi_ai_interface as ai

tags = {"owner": "platform", "environment": "test", "project": "consumer"}

network = ai.PrivateNetwork(
    "network",
    account_id="111122223333",
    region="eu-west-1",
    cidr_block="10.60.0.0/16",
    availability_zones=["eu-west-1a", "eu-west-1b"],
    flow_log_retention_days=30,
    allowed_domains=["*.eu-west-1.amazonaws.com"],
    tags=tags,
)

edge = ai.Edge(
    "edge",
    account_id="111122223333",
    region="eu-west-1",
    vpc_id=network.vpc_id,
    public_subnet_ids=network.public_subnet_ids,
    target_security_group_id="sg-0123456789abcdef0",
    host_names=["chat.example.com"],
    hosted_zone_id="Z0123456789ABCDEFGHIJ",
    oidc={
        "issuer": "https://login.example.com",
        "authorization_endpoint": "https://login.example.com/authorize",
        "token_endpoint": "https://login.example.com/token",
        "user_info_endpoint": "https://login.example.com/userinfo",
        "client_id": "consumer",
        "client_secret": pulumi.Output.secret("canary-client-secret"),
    },
    tags=tags,
)

pulumi.export("address", edge.dns_name)
pulumi.export("subnets", network.private_subnet_ids)
