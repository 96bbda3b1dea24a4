"""More small programs from elsewhere: whole shapes as templates and tutorials write them."""

from __future__ import annotations

import json

import pulumi_aws as aws

from tests.policies.elsewhere.programs import ANYWHERE

ASSUME = "sts:AssumeRole"


def trusting(service: str) -> str:
    """A trust policy for one service."""
    principal = {"Service": f"{service}.amazonaws.com"}
    return json.dumps({"Statement": [{"Effect": "Allow", "Principal": principal, "Action": ASSUME}]})


def instance_with_an_elastic_address() -> None:
    """A server set up by user data, with an address that stays."""
    group = aws.ec2.SecurityGroup("app")
    aws.vpc.SecurityGroupIngressRule(
        "https", security_group_id=group.id, ip_protocol="tcp", from_port=443, to_port=443, cidr_ipv4=ANYWHERE
    )
    server = aws.ec2.Instance(
        "app",
        ami="ami-0c55b159cbfafe1f0",
        instance_type="t3.small",
        vpc_security_group_ids=[group.id],
        user_data="#!/bin/bash\ndnf install -y nginx && systemctl enable --now nginx\n",
    )
    aws.ec2.Eip("app", instance=server.id, domain="vpc")


def serverless_api() -> None:
    """An HTTP API in front of a function without a login."""
    role = aws.iam.Role("function", assume_role_policy=trusting("lambda"))
    function = aws.lambda_.Function("function", name="api", role=role.arn, runtime="python3.12", handler="app.handler")
    api = aws.apigatewayv2.Api("api", protocol_type="HTTP")
    integration = aws.apigatewayv2.Integration(
        "function",
        api_id=api.id,
        integration_type="AWS_PROXY",
        integration_uri="arn:aws:lambda:eu-west-1:111122223333:function:api",
    )
    aws.apigatewayv2.Route(
        "all", api_id=api.id, route_key="$default", target=integration.id.apply("integrations/{}".format)
    )
    aws.lambda_.Permission(
        "api", action="lambda:InvokeFunction", function=function.name, principal="apigateway.amazonaws.com"
    )


def kubernetes_cluster() -> None:
    """A cluster as AWS makes it: its API is on the internet."""
    vpc = aws.ec2.Vpc("main", cidr_block="10.2.0.0/16")
    subnets = [aws.ec2.Subnet(f"s-{index}", vpc_id=vpc.id, cidr_block=f"10.2.{index}.0/24") for index in range(2)]
    role = aws.iam.Role("cluster", assume_role_policy=trusting("eks"))
    aws.eks.Cluster("main", role_arn=role.arn, vpc_config={"subnet_ids": [subnet.id for subnet in subnets]})


def site_behind_a_distribution() -> None:
    """A static site the new way: a private bucket that only its distribution reads."""
    bucket = aws.s3.Bucket("site")
    aws.s3.BucketPublicAccessBlock(
        "site",
        bucket=bucket.id,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
    )
    reading = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Condition": {"StringEquals": {"aws:SourceArn": "arn:aws:cloudfront::111122223333:distribution/E1ABCDEF"}},
    }
    aws.s3.BucketPolicy(
        "site",
        bucket=bucket.id,
        policy=bucket.arn.apply(lambda arn: json.dumps({"Statement": [{**reading, "Resource": f"{arn}/*"}]})),
    )
    control = aws.cloudfront.OriginAccessControl(
        "site", origin_access_control_origin_type="s3", signing_behavior="always", signing_protocol="sigv4"
    )
    aws.cloudfront.Distribution(
        "site",
        enabled=True,
        default_root_object="index.html",
        origins=[
            {
                "origin_id": "s3",
                "domain_name": bucket.bucket_regional_domain_name,
                "origin_access_control_id": control.id,
            }
        ],
        default_cache_behavior={
            "target_origin_id": "s3",
            "viewer_protocol_policy": "redirect-to-https",
            "allowed_methods": ["GET", "HEAD"],
            "cached_methods": ["GET", "HEAD"],
        },
        restrictions={"geo_restriction": {"restriction_type": "none"}},
        viewer_certificate={"cloudfront_default_certificate": True},
    )


def mail_user() -> None:
    """A user with a key for sending mail by SMTP, and a pool in which everyone may sign up."""
    user = aws.iam.User("mailer")
    aws.iam.UserPolicy(
        "send",
        user=user.name,
        policy=json.dumps({"Statement": [{"Effect": "Allow", "Action": "ses:SendRawEmail", "Resource": "*"}]}),
    )
    aws.iam.AccessKey("mailer", user=user.name)
    aws.cognito.UserPool("people")
