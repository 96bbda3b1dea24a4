"""A network, an edge with its WAF and a service, and a whole interface, in another project's stack."""

# `pulumi package add` generates the package below, so that no type is known here.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import pulumi
import pulumi_ai_interface as ai
import pulumi_aws as aws

ACCOUNT, REGION = aws.get_caller_identity_output().account_id, aws.get_region_output().region
ZONES = ["eu-west-1a", "eu-west-1b"]
DIGEST = "sha256:" + "0" * 64
REGISTRY = pulumi.Output.concat(ACCOUNT, ".dkr.ecr.", REGION, ".amazonaws.com/example")
KEY = pulumi.Output.concat("arn:aws:kms:", REGION, ":", ACCOUNT, ":key/00000000-0000-0000-0000-000000000000")
tags = {"owner": "platform", "environment": "test", "project": "consumer"}
login = {
    "issuer": "https://login.example.com",
    "authorization_endpoint": "https://login.example.com/authorize",
    "token_endpoint": "https://login.example.com/token",
    "user_info_endpoint": "https://login.example.com/userinfo",
    "client_id": "consumer",
    "client_secret": pulumi.Output.secret("canary-client-secret"),
}
allowed = {"claim_name": "groups", "claim_values": ["users"]}
groups = [
    {
        "name": "general",
        "models": ["openai.gpt-oss-120b-1:0"],
        "upstreams": [{"kind": "bedrock", "region": REGION}],
    }
]
schemas = [{"release": "1.0.0", "revision": "1111"}]

# Zone and certificate of the program itself: in the first preview their ids are not known.
zone = aws.route53.Zone("own", name="example.com", tags=tags)
certificate = aws.acm.Certificate("own", domain_name="whole.example.com", validation_method="DNS", tags=tags)

network = ai.PrivateNetwork(
    "network",
    account_id=ACCOUNT,
    region=REGION,
    cidr_block="10.60.0.0/16",
    availability_zones=ZONES,
    flow_log_retention_days=30,
    allowed_domains=["*.eu-west-1.amazonaws.com"],
    tags=tags,
)

edge = ai.Edge(
    "edge",
    account_id=ACCOUNT,
    region=REGION,
    vpc_id=network.vpc_id,
    public_subnet_ids=network.public_subnet_ids,
    target_security_group_id="sg-0123456789abcdef0",
    host_names=["chat.example.com"],
    hosted_zone_id=zone.zone_id,
    oidc=login,
    tags=tags,
)

firewall = ai.Firewall(
    "firewall",
    account_id=ACCOUNT,
    region=REGION,
    load_balancer_arn=edge.load_balancer_arn,
    log_retention_days=30,
    tags=tags,
)

service = ai.InterfaceService(
    "service",
    environment="parts",
    region=REGION,
    release="1.0.0",
    schemas=schemas,
    preset={
        "host_names": ["chat.example.com"],
        "access": {
            "issuer": login["issuer"],
            "client_id": login["client_id"],
            "allowed": allowed,
            "contact": "platform@example.com",
        },
        "groups": groups,
        "load_balancer_arn": edge.load_balancer_arn,
        "guardrail_ids": {"eu-west-1": "0123456789ab"},
        "guardrail_versions": {"eu-west-1": "1"},
    },
    interface_image=pulumi.Output.concat(REGISTRY, "/interface@", DIGEST),
    proxy_image=pulumi.Output.concat(REGISTRY, "/proxy@", DIGEST),
    execution_role_arn=pulumi.Output.concat("arn:aws:iam::", ACCOUNT, ":role/execution"),
    task_role_arn=pulumi.Output.concat("arn:aws:iam::", ACCOUNT, ":role/task"),
    secret_references={
        name: pulumi.Output.concat("arn:aws:secretsmanager:", REGION, ":", ACCOUNT, f":secret:{name}")
        for name in (
            "cache-url",
            "database-master-password",
            "database-master-user",
            "proxy-certificate",
            "proxy-private-key",
            "session-key",
            "user-key",
        )
    },
    data_values={
        "bucket-name": "uploads",
        "database-host": "database.example.internal",
        "database-name": "interface",
        "database-port": "5432",
        "database-user": "interface",
    },
    log_group_names={name: f"/example/{name}" for name in ("prepare", "proxy", "interface")},
    key_arn=KEY,
    subnet_ids=network.private_subnet_ids,
    security_group_id="sg-0123456789abcdef0",
    target_group_arn=edge.target_group_arn,
    load_balancer_arn_suffix=edge.load_balancer_arn_suffix,
    target_group_arn_suffix=edge.target_group_arn_suffix,
    rollback_alarm_names=["edge-errors"],
    tags=tags,
    opts=pulumi.ResourceOptions(depends_on=[edge, firewall]),
)

whole = ai.AIInterface(
    "whole",
    environment="whole",
    account_id=ACCOUNT,
    region=REGION,
    host_name="whole.example.com",
    certificate_arn=certificate.arn,
    cidr_block="10.70.0.0/16",
    availability_zones=ZONES,
    oidc=login,
    allowed=allowed,
    contact_email="platform@example.com",
    runbook_url="https://example.com/runbook",
    images={
        "release": "1.0.0",
        "interface": pulumi.Output.concat(REGISTRY, "/interface@", DIGEST),
        "proxy": pulumi.Output.concat(REGISTRY, "/proxy@", DIGEST),
        "repository_arns": [pulumi.Output.concat("arn:aws:ecr:", REGION, ":", ACCOUNT, ":repository/example/proxy")],
        "schemas": schemas,
    },
    groups=groups,
    tags=tags,
)

pulumi.export("address", edge.dns_name)
pulumi.export("subnets", network.private_subnet_ids)
pulumi.export("url", whole.url)
