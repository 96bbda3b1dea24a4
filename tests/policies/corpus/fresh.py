"""More ways to give something to others: shares, access points, buses, registries, meshes, trusts, conditions that limit no one."""

from __future__ import annotations

import json

from tests.policies.corpus.addresses import network
from tests.policies.corpus.documents import AUD, OURS, ROLE, THEIRS, claim, grant, trust
from tests.policies.corpus.planting import Kind, planted, rows, safe_rows
from tests.topology.builders import Ref, Stack

NARROW, STAY, SHARED = (
    "iam-resource-policies-are-narrow",
    "iam-grants-stay-in-the-account",
    "stack-nothing-is-shared-publicly",
)
TRUST, ROUTES, REACHED = (
    "iam-role-trust-is-narrow", "apigateway-routes-authenticate", "reachability-no-internal-endpoint-reachable",
)  # fmt: skip
_OTHER = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
_OWN = "b2d0e9c1f2a34b5c6d7e8f90112233445566778899aabbccddeeff0011223344"


def _acl(**grantee: str) -> dict[str, object]:
    grants = [{"permission": "FULL_CONTROL", "grantee": grantee}]
    return {"bucket": "b", "accessControlPolicy": {"owner": {"id": _OWN}, "grants": grants}}


def _by(provider: str, **condition: object) -> dict[str, str]:
    return trust(
        {"Federated": f"arn:aws:iam::{OURS}:oidc-provider/{provider}"},
        "sts:AssumeRoleWithWebIdentity",
        Condition=condition,
    )


_EKS = "oidc.eks.eu-west-1.amazonaws.com/id/ABC"
rows(
    Kind.GRANT,
    NARROW,
    ("an access point for everyone", "s3.AccessPoint", {"bucket": "b", "policy": grant("s3:GetObject", "*")}),
    ("an access point of several regions for everyone", "s3control.MultiRegionAccessPointPolicy",
     {"details": {"name": "m", "policy": grant("s3:GetObject", "*")}}),
    ("an access point with a function for everyone", "s3control.ObjectLambdaAccessPointPolicy",
     {"name": "x", "policy": grant("s3-object-lambda:GetObject", {"AWS": "*"})}),
    ("a bus for everyone who names a source", "cloudwatch.EventBusPolicy",
     {"eventBusName": "b", "policy": grant("events:PutEvents", "*", Condition={"StringLike": {"events:source": "app*"}})}),
    ("a registry into which everyone replicates", "ecr.RegistryPolicy", {"policy": grant("ecr:ReplicateImage", {"AWS": "*"})}),
    ("a catalog for everyone", "glue.ResourcePolicy", {"policy": grant("glue:*", "*")}),
    ("a service of a mesh for everyone who reads", "vpclattice.AuthPolicy", {"resourceIdentifier": "s", "policy": grant(
        "vpc-lattice-svcs:Invoke", "*", Condition={"StringEquals": {"vpc-lattice-svcs:RequestMethod": "GET"}})}),
    ("a mesh that everyone joins", "vpclattice.ResourcePolicy",
     {"resourceArn": "r", "policy": grant("vpc-lattice:CreateServiceNetworkVpcAssociation", "*")}),
    ("pages by the header of a link", "s3.BucketPolicy", {"bucket": "b", "policy": grant(
        "s3:GetObject", "*", Condition={"StringLike": {"aws:Referer": "https://acme.example/*"}})}),
    ("a topic for every subscriber by HTTPS", "sns.TopicPolicy", {"arn": "t", "policy": grant(
        "sns:Subscribe", "*", Condition={"StringEquals": {"sns:Protocol": "https"}})}),
    ("a queue for everyone until a date", "sqs.QueuePolicy", {"queueUrl": "q", "policy": grant(
        "sqs:*", "*", Condition={"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}})}),
    ("a queue for everyone in a region", "sqs.QueuePolicy", {"queueUrl": "q", "policy": grant(
        "sqs:*", "*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})}),
    ("a bucket for every endpoint", "s3.BucketPolicy", {"bucket": "b", "policy": grant(
        "s3:GetObject", "*", Condition={"StringLike": {"aws:SourceVpce": "vpce-*"}})}),
    ("images for an organization, if the caller says so", "ecr.RepositoryPolicy", {"repository": "r", "policy": grant(
        "ecr:BatchGetImage", "*", Condition={"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-abcdefghij"}})}),
)  # fmt: skip
rows(
    Kind.ACCOUNT,
    STAY,
    ("a bucket for a user of another account", "s3.BucketAcl", _acl(type="CanonicalUser", id=_OTHER)),
    ("a bucket for an account by its address", "s3.BucketAclV2", _acl(type="AmazonCustomerByEmail", emailAddress="x@other.example")),
    ("snapshots for an account", "rds.Snapshot", {"sharedAccounts": [THEIRS], "dbInstanceIdentifier": "x"}),
    ("a document for an account", "ssm.Document", {"content": "{}", "permissions": {"type": "Share", "account_ids": THEIRS}}),
    ("a copy of a bucket", "s3.BucketReplicationConfig",
     {"bucket": "b", "role": ROLE, "rules": [{"destination": {"bucket": "arn:aws:s3:::theirs", "account": THEIRS}}]}),
)  # fmt: skip
rows(
    Kind.SWITCH,
    SHARED,
    ("an image for everyone", "ec2.AmiLaunchPermission", {"imageId": "ami", "group": "all"}),
    ("a document for everyone", "ssm.Document", {"content": "{}", "permissions": {"type": "Share", "account_ids": "All"}}),
    ("networks that are joined when they ask", "ec2transitgateway.TransitGateway", {"autoAcceptSharedAttachments": "enable"}),
    ("a service of a mesh without a signature", "vpclattice.Service", {"name": "s", "authType": "NONE"}),
)  # fmt: skip
rows(
    Kind.TRUST,
    TRUST,
    ("every namespace of a cluster", "iam.Role", _by(_EKS, StringLike={f"{_EKS}:sub": "system:serviceaccount:*:*"})),
    ("every project of GitLab", "iam.Role", _by("gitlab.com", StringEquals={"gitlab.com:aud": "https://gitlab.com"})),
    ("every organization of Terraform Cloud", "iam.Role", _by(
        "app.terraform.io", StringEquals={"app.terraform.io:aud": "aws.workload.identity"},
        StringLike={"app.terraform.io:sub": "organization:*:project:*:workspace:prod:run_phase:*"})),
    ("a repository of that name of every owner", "iam.Role", _by(
        "token.actions.githubusercontent.com", StringEquals=AUD, StringLike=claim("sub", "repo:*/infra:ref:refs/heads/main"))),
)  # fmt: skip


@planted(Kind.LOGIN, ROUTES)
def a_route_without_an_authorizer(stack: Stack) -> None:
    stack.add("apigatewayv2.Api", "api", protocolType="HTTP", disableExecuteApiEndpoint=True)
    stack.add("apigatewayv2.Integration", "to", apiId=Ref("api"), integrationUri="https://inner.example")
    stack.add(
        "apigatewayv2.Route",
        "any",
        apiId=Ref("api"),
        routeKey="ANY /{proxy+}",
        target=Ref("to", form="integrations/{}"),
    )


@planted(Kind.LOGIN, ROUTES)
def a_method_that_a_policy_closes_to_one_endpoint_only(stack: Stack) -> None:
    stack.add("apigateway.RestApi", "api", endpointConfiguration={"types": "REGIONAL"})
    strangers = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*",
                 "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}}  # fmt: skip
    stack.add(
        "apigateway.RestApiPolicy", "inverted", restApiId=Ref("api"), policy=json.dumps({"Statement": [strangers]})
    )
    stack.add("apigateway.Method", "get", restApi=Ref("api"), resourceId="r", httpMethod="GET", authorization="NONE")


@planted(Kind.SWITCH, "lambda-public-function-url")
def a_function_url_of_an_alias(stack: Stack) -> None:
    stack.add("lambda.Function", "hook", role=ROLE)
    stack.add("lambda.Alias", "live", functionName=Ref("hook", "name"), functionVersion="1")
    stack.add(
        "lambda.FunctionUrl",
        "url",
        functionName=Ref("hook", "name"),
        qualifier=Ref("live", "name"),
        authorizationType="NONE",
    )


@planted(Kind.ADDRESS, REACHED)
def a_database_for_everyone_by_a_prefix_list(stack: Stack) -> None:
    network(stack)
    halves = [{"cidr": "0.0.0.0/1"}, {"cidr": "128.0.0.0/1"}]
    stack.add("ec2.ManagedPrefixList", "list", maxEntries=2, addressFamily="IPv4", entries=halves)
    stack.add("ec2.SecurityGroup", "open", vpcId=Ref("vpc"))
    stack.add(
        "vpc.SecurityGroupIngressRule", "rule", securityGroupId=Ref("open"), ipProtocol="tcp", fromPort=5432, toPort=5432,
        prefixListId=Ref("list"),
    )  # fmt: skip
    stack.add("rds.Instance", "database", vpcSecurityGroupIds=[Ref("open")], publiclyAccessible=False)


@planted(Kind.ADDRESS, REACHED)
def a_cluster_of_jobs_with_an_open_group(stack: Stack) -> None:
    network(stack)
    everyone = {"protocol": "tcp", "fromPort": 8443, "toPort": 8443, "cidrBlocks": ["0.0.0.0/0"]}
    stack.add("ec2.SecurityGroup", "open", vpcId=Ref("vpc"), ingress=[everyone])
    stack.add(
        "emr.Cluster", "jobs", ec2Attributes={"subnetId": Ref("private"), "emrManagedMasterSecurityGroup": Ref("open")}
    )


safe_rows(
    Kind.GRANT,
    ("a bucket for its owner", "s3.BucketAcl", _acl(type="CanonicalUser", id=_OWN)),
    ("a bus for the account", "cloudwatch.EventBusPolicy", {"eventBusName": "b", "policy": grant(
        "events:PutEvents", "*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}})}),
    ("networks that are joined by hand", "ec2transitgateway.TransitGateway", {"autoAcceptSharedAttachments": "disable"}),
    ("one project of GitLab", "iam.Role", _by("gitlab.com", StringEquals={
        "gitlab.com:aud": "https://gitlab.com", "gitlab.com:sub": "project_path:acme/infra:ref_type:branch:ref:main"})),
)  # fmt: skip
