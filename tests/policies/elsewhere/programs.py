"""Small programs in the ways that are common elsewhere: default networks, inline rules, missing properties."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

ANYWHERE = "0.0.0.0/0"


def bucket_website() -> None:
    """A static site the old way: a public bucket with a policy for everybody."""
    site = aws.s3.Bucket("site", website=aws.s3.BucketWebsiteArgs(index_document="index.html"))
    block = aws.s3.BucketPublicAccessBlock("open", bucket=site.id, block_public_policy=False)
    aws.s3.BucketPolicy(
        "read",
        bucket=site.id,
        policy=site.arn.apply(
            lambda arn: json.dumps(
                {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{arn}/*"}]}
            )
        ),
        opts=pulumi.ResourceOptions(depends_on=[block]),
    )


def web_server() -> None:
    """The first example of many tutorials: an instance in the default network with SSH and HTTP open."""
    group = aws.ec2.SecurityGroup(
        "web",
        ingress=[
            aws.ec2.SecurityGroupIngressArgs(protocol="tcp", from_port=port, to_port=port, cidr_blocks=[ANYWHERE])
            for port in (22, 80)
        ],
    )
    aws.ec2.Instance(
        "server",
        ami="ami-0c55b159cbfafe1f0",
        instance_type="t3.micro",
        vpc_security_group_ids=[group.id],
        associate_public_ip_address=True,
    )


def public_database() -> None:
    """A database that a developer wants to reach from home."""
    group = aws.ec2.SecurityGroup("db")
    aws.ec2.SecurityGroupRule(
        "from-home",
        type="ingress",
        security_group_id=group.id,
        protocol="tcp",
        from_port=5432,
        to_port=5432,
        cidr_blocks=["0.0.0.0/1", "128.0.0.0/1"],
    )
    aws.rds.Instance(
        "db",
        engine="postgres",
        instance_class="db.t3.micro",
        allocated_storage=20,
        username="postgres",
        password="change-me",
        publicly_accessible=True,
        vpc_security_group_ids=[group.id],
        skip_final_snapshot=True,
    )


def _network() -> tuple[aws.ec2.Vpc, list[aws.ec2.Subnet], list[aws.ec2.Subnet]]:
    vpc = aws.ec2.Vpc("main", cidr_block="10.1.0.0/16")
    gateway = aws.ec2.InternetGateway("gateway", vpc_id=vpc.id)
    table = aws.ec2.RouteTable(
        "public", vpc_id=vpc.id, routes=[aws.ec2.RouteTableRouteArgs(cidr_block=ANYWHERE, gateway_id=gateway.id)]
    )
    inside = aws.ec2.RouteTable("private", vpc_id=vpc.id)
    public, private = [
        [
            aws.ec2.Subnet(
                f"{name}-{zone}", vpc_id=vpc.id, cidr_block=f"10.1.{base + index}.0/24", availability_zone=zone
            )
            for index, zone in enumerate(("eu-west-1a", "eu-west-1b"))
        ]
        for name, base in (("public", 0), ("private", 10))
    ]
    for tables, subnets in ((table, public), (inside, private)):
        for index, subnet in enumerate(subnets):
            aws.ec2.RouteTableAssociation(f"{subnet._name}-{index}", subnet_id=subnet.id, route_table_id=tables.id)  # type: ignore[attr-defined]  # pyright: ignore[reportPrivateUsage]
    return vpc, public, private


def fargate_behind_http() -> None:
    """The container quick start: a load balancer in plain HTTP, tasks with public addresses, an image by tag."""
    vpc, public, _ = _network()
    door = aws.ec2.SecurityGroup(
        "door",
        vpc_id=vpc.id,
        ingress=[aws.ec2.SecurityGroupIngressArgs(protocol="tcp", from_port=80, to_port=80, cidr_blocks=[ANYWHERE])],
        egress=[aws.ec2.SecurityGroupEgressArgs(protocol="-1", from_port=0, to_port=0, cidr_blocks=[ANYWHERE])],
    )
    balancer = aws.lb.LoadBalancer("door", security_groups=[door.id], subnets=[subnet.id for subnet in public])
    targets = aws.lb.TargetGroup("app", port=80, protocol="HTTP", target_type="ip", vpc_id=vpc.id)
    listener = aws.lb.Listener(
        "http",
        load_balancer_arn=balancer.arn,
        port=80,
        default_actions=[aws.lb.ListenerDefaultActionArgs(type="forward", target_group_arn=targets.arn)],
    )
    task = aws.ecs.TaskDefinition(
        "app",
        family="app",
        network_mode="awsvpc",
        requires_compatibilities=["FARGATE"],
        container_definitions=json.dumps(
            [
                {
                    "name": "app",
                    "image": "nginx",
                    "portMappings": [{"containerPort": 80}],
                    "environment": [{"name": "DB_PASSWORD", "value": "hunter2"}],
                }
            ]
        ),
    )
    aws.ecs.Service(
        "app",
        cluster=aws.ecs.Cluster("app").arn,
        task_definition=task.arn,
        desired_count=1,
        launch_type="FARGATE",
        network_configuration=aws.ecs.ServiceNetworkConfigurationArgs(
            assign_public_ip=True, subnets=[subnet.id for subnet in public], security_groups=[door.id]
        ),
        load_balancers=[
            aws.ecs.ServiceLoadBalancerArgs(target_group_arn=targets.arn, container_name="app", container_port=80)
        ],
        opts=pulumi.ResourceOptions(depends_on=[listener]),
    )


def private_database() -> None:
    """A database done well: private subnets, a group that only the application's group may reach."""
    vpc, _, private = _network()
    application = aws.ec2.SecurityGroup("application", vpc_id=vpc.id)
    group = aws.ec2.SecurityGroup(
        "db",
        vpc_id=vpc.id,
        ingress=[
            aws.ec2.SecurityGroupIngressArgs(
                protocol="tcp", from_port=5432, to_port=5432, security_groups=[application.id]
            )
        ],
    )
    aws.rds.Instance(
        "db",
        engine="postgres",
        instance_class="db.t3.micro",
        db_subnet_group_name=aws.rds.SubnetGroup("db", subnet_ids=[subnet.id for subnet in private]).name,
        vpc_security_group_ids=[group.id],
        storage_encrypted=True,
        manage_master_user_password=True,
        username="owner",
    )


def lambda_with_url() -> None:
    """A function that anybody may call, with a role that may do anything."""
    role = aws.iam.Role(
        "fn",
        assume_role_policy=json.dumps(
            {
                "Statement": [
                    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
                ]
            }
        ),
    )
    aws.iam.RolePolicyAttachment("fn", role=role.name, policy_arn="arn:aws:iam::aws:policy/AdministratorAccess")
    function = aws.lambda_.Function(
        "fn", role=role.arn, handler="index.handler", runtime="python3.12", code=pulumi.AssetArchive({})
    )
    aws.lambda_.FunctionUrl("fn", function_name=function.name, authorization_type="NONE")


def queue_worker() -> None:
    """A queue, a topic and a table with nothing said about keys."""
    queue = aws.sqs.Queue("jobs")
    topic = aws.sns.Topic("events")
    aws.sns.TopicSubscription("jobs", topic=topic.arn, protocol="sqs", endpoint=queue.arn)
    aws.sqs.QueuePolicy(
        "jobs",
        queue_url=queue.id,
        policy=pulumi.Output.json_dumps(
            {
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "sns.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": queue.arn,
                        "Condition": {"ArnEquals": {"aws:SourceArn": topic.arn}},
                    }
                ]
            }
        ),
    )


def internal_service() -> None:
    """An internal load balancer that forwards without a login, which is nobody's business outside."""
    vpc, _, private = _network()
    group = aws.ec2.SecurityGroup(
        "inside",
        vpc_id=vpc.id,
        ingress=[
            aws.ec2.SecurityGroupIngressArgs(protocol="tcp", from_port=443, to_port=443, cidr_blocks=["10.0.0.0/8"])
        ],
    )
    balancer = aws.lb.LoadBalancer(
        "inside", internal=True, security_groups=[group.id], subnets=[subnet.id for subnet in private]
    )
    targets = aws.lb.TargetGroup("inside", port=443, protocol="HTTPS", target_type="ip", vpc_id=vpc.id)
    aws.lb.Listener(
        "inside",
        load_balancer_arn=balancer.arn,
        port=443,
        protocol="HTTPS",
        ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06",
        certificate_arn="arn:aws:acm:eu-west-1:123456789012:certificate/x",
        default_actions=[aws.lb.ListenerDefaultActionArgs(type="forward", target_group_arn=targets.arn)],
    )


def cache_in_default_network() -> None:
    """A cache and a file system with no network named at all."""
    aws.elasticache.ReplicationGroup("cache", description="sessions", node_type="cache.t4g.micro")
    aws.efs.FileSystem("files")


def github_deployer() -> None:
    """A role that any repository of a hosting service may assume."""
    provider = aws.iam.OpenIdConnectProvider(
        "github", url="https://token.actions.githubusercontent.com", client_id_lists=["sts.amazonaws.com"]
    )
    aws.iam.Role(
        "deploy",
        assume_role_policy=provider.arn.apply(
            lambda arn: json.dumps(
                {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "sts:AssumeRoleWithWebIdentity",
                            "Principal": {"Federated": arn},
                            "Condition": {
                                "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}
                            },
                        }
                    ]
                }
            )
        ),
    )


def bastion_by_component() -> None:
    """A component of somebody's own, with an older kind of rule and a group that refers to itself."""

    class Bastion(pulumi.ComponentResource):
        def __init__(self, name: str) -> None:
            super().__init__("acme:index:Bastion", name)
            child = pulumi.ResourceOptions(parent=self)
            vpc, public, _ = _network()
            group = aws.ec2.SecurityGroup(f"{name}-group", vpc_id=vpc.id, opts=child)
            for role, blocks in (("office", ["198.51.100.0/24"]), ("ourselves", None)):
                aws.ec2.SecurityGroupRule(
                    f"{name}-{role}",
                    type="ingress",
                    security_group_id=group.id,
                    protocol="tcp",
                    from_port=22,
                    to_port=22,
                    cidr_blocks=blocks,
                    self=blocks is None or None,
                    opts=child,
                )
            aws.ec2.Instance(
                f"{name}-host",
                ami="ami-0c55b159cbfafe1f0",
                instance_type="t3.nano",
                subnet_id=public[0].id,
                vpc_security_group_ids=[group.id],
                associate_public_ip_address=True,
                opts=child,
            )

    Bastion("bastion")


def nothing_of_aws() -> None:
    """A program without a single resource that the policies know."""
    pulumi.export("greeting", "hello")
