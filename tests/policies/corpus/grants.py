"""Who may use a resource, and accounts that are not the stack's."""

from __future__ import annotations

import json

from tests.policies.corpus.documents import OURS, ROLE, THEIRS, document, grant, trust
from tests.policies.corpus.planting import Kind, planted, rows, safe, safe_rows
from tests.topology.builders import Ref, Stack

NARROW, STAY = "iam-resource-policies-are-narrow", "iam-grants-stay-in-the-account"
SHARED = "stack-nothing-is-shared-publicly"
BUCKET = "arn:aws:s3:::data-of-acme/*"
QUEUE = f"arn:aws:sqs:eu-west-1:{OURS}:jobs"
_OPEN = {
    "amp.ResourcePolicy": "policyDocument", "bedrock.AgentcoreResourcePolicy": "policy",
    "cloudsearch.DomainServiceAccessPolicy": "accessPolicy", "codeartifact.DomainPermissions": "policyDocument",
    "codeartifact.RepositoryPermissionsPolicy": "policyDocument", "ecr.RepositoryCreationTemplate": "repositoryPolicy",
    "ecrpublic.RepositoryPolicy": "policy", "glacier.VaultLock": "policy", "kms.ReplicaExternalKey": "policy",
    "organizations.ResourcePolicy": "content", "s3.FilesFileSystemPolicy": "policy",
    "s3control.AccessGrantsInstanceResourcePolicy": "policy", "sagemaker.ModelPackageGroupPolicy": "resourcePolicy",
    "xray.ResourcePolicy": "policyDocument",
}  # fmt: skip

rows(
    Kind.GRANT,
    NARROW,
    *((f"everyone: {kind}", kind, {path: grant("a:Get", "*", "arn:x")}) for kind, path in _OPEN.items()),
)


def _bounded(**condition: object) -> dict[str, str]:
    return {"policy": grant("s3:GetObject", "*", BUCKET, Condition=condition)}


rows(
    Kind.GRANT,
    NARROW,
    ("a role's name in any account", "s3.BucketPolicy", _bounded(StringLike={"aws:PrincipalArn": "*:role/reader"})),
    ("a role's name in an account of any number", "s3.BucketPolicy",
     _bounded(ArnLike={"aws:PrincipalArn": "arn:aws:iam::????????????:role/reader"})),
    ("a pattern of user identifiers", "s3.BucketPolicy", _bounded(StringLike={"aws:userid": "AROA*:reader"})),
    ("a variable that the caller fills", "s3.BucketPolicy", _bounded(StringEquals={"aws:PrincipalOrgID": "${aws:PrincipalOrgID}"})),
    ("every organization's paths", "s3.BucketPolicy", _bounded(**{"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-*/*"}})),
    ("any service on behalf of anybody", "s3.BucketPolicy", _bounded(Bool={"aws:PrincipalIsAWSService": "true"})),
    ("a service without a source", "sqs.QueuePolicy", {"policy": grant("sqs:SendMessage", {"Service": "sns.amazonaws.com"}, QUEUE)}),
    ("every distribution of the service", "s3.BucketPolicy", {"policy": grant("s3:GetObject", {"Service": "cloudfront.amazonaws.com"}, BUCKET)}),
    ("a service with the buckets of everyone", "sqs.QueuePolicy",
     {"policy": grant("sqs:SendMessage", {"Service": "s3.amazonaws.com"}, QUEUE, Condition={"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}})}),
    ("a topic's source of any account", "sqs.QueuePolicy",
     {"policy": grant("sqs:SendMessage", "*", QUEUE, Condition={"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:alerts"}})}),
    ("a key for everyone by a service", "kms.KeyPolicy",
     {"policy": grant("kms:Decrypt", "*", Condition={"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}})}),
)  # fmt: skip
rows(
    Kind.GRANT,
    SHARED,
    ("a function for every bucket", "lambda.Permission", {"action": "lambda:InvokeFunction", "function": "f", "principal": "s3.amazonaws.com"}),
    ("a function for every API of a pattern", "lambda.Permission",
     {"action": "lambda:InvokeFunction", "function": "f", "principal": "*", "sourceArn": "arn:aws:execute-api:*:*:*"}),
    ("a function for the topics of any account", "lambda.Permission",
     {"action": "lambda:InvokeFunction", "function": "f", "principal": "sns.amazonaws.com", "sourceArn": "arn:aws:sns:eu-west-1:*:a"}),
    ("an image for everyone, by its recipe", "imagebuilder.DistributionConfiguration", {"distributions": [
        {"region": "eu-west-1", "amiDistributionConfiguration": {"launchPermission": {"userGroups": ["all"]}}}]}),
)  # fmt: skip


@planted(Kind.GRANT, "apigateway-routes-authenticate")
def a_rest_api_whose_policy_admits_everyone(stack: Stack) -> None:
    _rest_api(stack, grant("execute-api:Invoke", "*", "arn:aws:execute-api:eu-west-1:*:*/*"))


@safe(Kind.GRANT)
def a_rest_api_whose_policy_admits_one_account(stack: Stack) -> None:
    _rest_api(stack, grant("execute-api:Invoke", {"AWS": f"arn:aws:iam::{OURS}:root"}, "execute-api:/*"))


def _rest_api(stack: Stack, policy: str) -> None:
    """A regional API whose method asks for a signature."""
    stack.add("lambda.Function", "hook", role=ROLE)
    stack.add("apigateway.RestApi", "api", endpointConfiguration={"types": "REGIONAL"}, policy=policy)
    stack.add("apigateway.Stage", "stage", restApi=Ref("api"), stageName="v1")
    stack.add("wafv2.WebAcl", "acl", scope="REGIONAL", rules=[
        {"name": "r", "priority": 1, "action": {"block": {}}, "statement": {"geoMatchStatement": {"countryCodes": ["AQ"]}}}])  # fmt: skip
    stack.add("wafv2.WebAclAssociation", "acl-api", resourceArn=Ref("stage", "arn"), webAclArn=Ref("acl", "arn"))
    stack.add(
        "apigateway.Method", "get", restApi=Ref("api"), resourceId="r1", httpMethod="GET", authorization="AWS_IAM"
    )
    stack.add("apigateway.Integration", "to-hook", restApi=Ref("api"), resourceId="r1", httpMethod="GET", type="AWS_PROXY",
              uri=Ref("hook", "arn"))  # fmt: skip


rows(
    Kind.ACCOUNT,
    STAY,
    ("a role for an account, on the first update", "iam.Role", trust({"AWS": f"arn:aws:iam::{THEIRS}:root"})),
    ("a queue for an account, on the first update", "sqs.QueuePolicy",
     {"policy": grant("sqs:SendMessage", {"AWS": THEIRS}, QUEUE)}),
    ("a share", "ram.PrincipalAssociation", {"principal": THEIRS, "resourceShareArn": "arn:aws:ram:eu-west-1:1:resource-share/x"}),
    ("a share by an exclusive list", "ram.ResourceShareAssociationsExclusive",
     {"principals": [THEIRS], "resourceArns": [], "resourceShareArn": "arn:aws:ram:eu-west-1:1:resource-share/x"}),
    ("accelerators of another account", "globalaccelerator.CrossAccountAttachment", {"name": "x", "principals": [THEIRS]}),
    ("an administrator of findings", "guardduty.OrganizationAdminAccount", {"adminAccountId": THEIRS}),
    ("a datashare", "redshift.DataShareAuthorization", {"consumerIdentifier": THEIRS, "dataShareArn": "arn:x"}),
    ("a portfolio", "servicecatalog.PortfolioShare", {"type": "ACCOUNT", "principalId": THEIRS, "portfolioId": "p"}),
    ("snapshots by a schedule", "dlm.LifecyclePolicy",
     {"policyDetails": {"schedules": [{"name": "s", "shareRule": {"targetAccounts": [THEIRS]}}]}}),
    ("a grant of a key, on the first update", "kms.Grant",
     {"granteePrincipal": f"arn:aws:iam::{THEIRS}:role/x", "keyId": "k", "operations": ["Decrypt"]}),
    ("rights in a cluster, on the first update", "eks.AccessEntry", {"clusterName": "c", "principalArn": f"arn:aws:iam::{THEIRS}:role/x"}),
    ("rights on data, on the first update", "lakeformation.Permissions", {"principal": THEIRS, "permissions": ["SELECT"]}),
    ("a dashboard, on the first update", "quicksight.Dashboard",
     {"permissions": [{"principal": f"arn:aws:quicksight:eu-west-1:{THEIRS}:user/default/x", "actions": ["quicksight:QueryDashboard"]}]}),
    ("an interface", "ec2.NetworkInterfacePermission", {"awsAccountId": THEIRS, "networkInterfaceId": "eni-1", "permission": "INSTANCE-ATTACH"}),
)  # fmt: skip
safe_rows(
    Kind.GRANT,
    ("roles of one account by pattern", "s3.BucketPolicy", _bounded(ArnLike={"aws:PrincipalArn": f"arn:aws:iam::{OURS}:role/app-*"})),
    ("one organization", "s3.BucketPolicy", _bounded(StringEquals={"aws:PrincipalOrgID": "o-a1b2c3d4e5"})),
    ("one part of an organization", "s3.BucketPolicy",
     _bounded(**{"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*"}})),
    ("callers of the bucket's own account", "s3.BucketPolicy", _bounded(StringEquals={"aws:PrincipalAccount": "${aws:ResourceAccount}"})),
    ("a role by its unique identifier", "s3.BucketPolicy", _bounded(StringLike={"aws:userid": "AROAEXAMPLEEXAMPLE12:*"})),
    ("a topic of the account, to all principals", "sqs.QueuePolicy", {"policy": grant(
        "sqs:SendMessage", "*", QUEUE, Condition={"ArnEquals": {"aws:SourceArn": f"arn:aws:sns:eu-west-1:{OURS}:alerts"}})}),
    ("a bucket by its name, through a service", "sqs.QueuePolicy", {"policy": grant(
        "sqs:SendMessage", {"Service": "s3.amazonaws.com"}, QUEUE, Condition={"ArnLike": {"aws:SourceArn": "arn:aws:s3:::uploads-of-acme"}})}),
    ("a function for one API", "lambda.Permission", {"action": "lambda:InvokeFunction", "function": "f", "principal": "apigateway.amazonaws.com",
                                                    "sourceArn": f"arn:aws:execute-api:eu-west-1:{OURS}:abc/*/*"}),
    ("one distribution", "s3.BucketPolicy", {"policy": grant("s3:GetObject", {"Service": "cloudfront.amazonaws.com"}, BUCKET, Condition={
        "StringEquals": {"AWS:SourceArn": f"arn:aws:cloudfront::{OURS}:distribution/E1"}})}),
    ("a share with the organization", "ram.PrincipalAssociation",
     {"principal": f"arn:aws:organizations::{THEIRS}:organization/o-a1b2c3d4e5", "resourceShareArn": "arn:aws:ram:eu-west-1:1:resource-share/x"}),
    ("a denial to everyone", "s3.BucketPolicy", {"policy": json.dumps({"Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": BUCKET, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]})}),
)  # fmt: skip


@safe(Kind.ACCOUNT)
def the_stacks_own_account_by_its_key(stack: Stack) -> None:
    owner = {"AWS": f"arn:aws:iam::{OURS}:root"}
    stack.add("kms.Key", "key", policy=document(Sid="Owner", Action="kms:*", Resource="*", Principal=owner))
    stack.add("iam.Role", "planted", **trust(owner))


@planted(Kind.ACCOUNT, STAY)
def another_account_beside_the_one_that_the_provider_assumes(stack: Stack) -> None:
    assumed = json.dumps([{"roleArn": f"arn:aws:iam::{OURS}:role/deploy"}])
    stack.add("pulumi:providers:aws", "aws", region="eu-west-1", assumeRoles=assumed)
    stack.add("iam.Role", "planted", **trust({"AWS": f"arn:aws:iam::{THEIRS}:root"}))


@safe(Kind.ACCOUNT)
def the_account_that_the_provider_assumes(stack: Stack) -> None:
    assumed = json.dumps([{"roleArn": f"arn:aws:iam::{OURS}:role/deploy"}])
    stack.add("pulumi:providers:aws", "aws", region="eu-west-1", assumeRoles=assumed)
    stack.add("iam.Role", "planted", **trust({"AWS": f"arn:aws:iam::{OURS}:root"}))


def beside_ours(stack: Stack, kind: str, **inputs: object) -> None:
    """A resource of a stack whose provider says which account is its own."""
    stack.add("pulumi:providers:aws", "aws", region="eu-west-1", allowedAccountIds=json.dumps([OURS]))
    stack.add(kind, "planted", **inputs)


@planted(Kind.ACCOUNT, STAY)
def a_user_of_a_cluster_in_another_account(stack: Stack) -> None:
    beside_ours(stack, "eks.AccessEntry", clusterName="c", principalArn=f"arn:aws:iam::{THEIRS}:role/x")


@planted(Kind.ACCOUNT, STAY)
def tables_of_a_data_lake_for_another_account(stack: Stack) -> None:
    beside_ours(stack, "lakeformation.Permissions", principal=THEIRS, permissions=["SELECT"])


@planted(Kind.ACCOUNT, STAY)
def everyone_of_another_account(stack: Stack) -> None:
    beside_ours(stack, "s3.BucketPolicy", **_bounded(StringEquals={"aws:PrincipalAccount": THEIRS}))


@safe(Kind.ACCOUNT)
def everyone_of_the_stacks_own_account(stack: Stack) -> None:
    beside_ours(stack, "s3.BucketPolicy", **_bounded(StringEquals={"aws:PrincipalAccount": OURS}))


@planted(Kind.ACCOUNT, STAY)
def a_key_that_two_accounts_own(stack: Stack) -> None:
    owners = {"AWS": [f"arn:aws:iam::{account}:root" for account in (OURS, THEIRS)]}
    stack.add("kms.Key", "key", policy=document(Sid="Owners", Action="kms:*", Resource="*", Principal=owners))


rows(
    Kind.ACCOUNT,
    STAY,
    ("collections for an account", "opensearch.ServerlessAccessPolicy",
     {"type": "data", "name": "n", "policy": json.dumps([{"Rules": [], "Principal": [f"arn:aws:iam::{THEIRS}:role/x"]}])}),
)  # fmt: skip


@planted(Kind.GRANT, SHARED)
def guests_who_read_the_data(stack: Stack) -> None:
    stack.add("cognito.IdentityPool", "pool", identityPoolName="p", allowUnauthenticatedIdentities=True)
    condition = {
        "StringEquals": {"cognito-identity.amazonaws.com:aud": "eu-west-1:11111111-2222-3333-4444-555555555555"},
        "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "unauthenticated"},
    }
    guest = trust({"Federated": "cognito-identity.amazonaws.com"}, "sts:AssumeRoleWithWebIdentity", Condition=condition)
    stack.add("iam.Role", "guest", **guest)
    stack.add(
        "iam.RolePolicy", "reads", role=Ref("guest", "name"), policy=document(Action="dynamodb:Scan", Resource="*")
    )
    stack.add(
        "cognito.IdentityPoolRoleAttachment",
        "guests",
        identityPoolId=Ref("pool"),
        roles={"unauthenticated": Ref("guest", "arn")},
    )
