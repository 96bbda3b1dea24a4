"""Who may assume a role."""

from __future__ import annotations

from tests.policies.corpus.documents import AUD, OURS, by_github, claim, trust
from tests.policies.corpus.planting import Kind, rows, safe_rows

_ROLE = "iam.Role"
_COGNITO = {"Federated": "cognito-identity.amazonaws.com"}
_POOL = {"cognito-identity.amazonaws.com:aud": "eu-west-1:00000000-0000-0000-0000-000000000000"}

rows(
    Kind.TRUST,
    "iam-role-trust-is-narrow",
    ("workflows of anybody, the action in small letters", _ROLE, by_github("sts:assumerolewithwebidentity", StringEquals=AUD)),
    ("workflows of anybody, the action as a pattern", _ROLE, by_github("sts:AssumeRole*", StringEquals=AUD)),
    ("workflows of anybody, one action of a list", _ROLE,
     by_github(["sts:TagSession", "STS:ASSUMEROLEWITHWEBIDENTITY"], StringEquals=AUD)),
    ("a repository's name of any owner", _ROLE, by_github(StringEquals=AUD, StringLike=claim("sub", "repo:*/app:*"))),
    ("owners whose names begin alike", _ROLE, by_github(StringEquals=AUD, StringLike=claim("sub", "repo:acme*/app:*"))),
    ("an owner with a letter left open", _ROLE, by_github(StringEquals=AUD, StringLike=claim("sub", "repo:acm?/app:*"))),
    ("one good subject beside one of everyone", _ROLE,
     by_github(StringEquals=AUD, StringLike=claim("sub", "repo:acme/app:*", "repo:*"))),
    ("a subject that is only denied", _ROLE, by_github(StringEquals=AUD, StringNotLike=claim("sub", "repo:evil/*"))),
    ("a subject for all values, which none meets", _ROLE,
     by_github(StringEquals=AUD, **{"ForAllValues:StringLike": claim("sub", "repo:acme/*")})),
    ("a subject that only has to be there", _ROLE, by_github(StringEquals=AUD, Null=claim("sub", "false"))),
    ("a subject if there is one", _ROLE, by_github(StringEquals=AUD, StringLikeIfExists=claim("sub", "repo:acme/*"))),
    ("no audience", _ROLE, by_github(StringLike=claim("sub", "repo:acme/app:*"))),
    ("any audience", _ROLE, by_github(StringLike={**claim("aud", "*"), **claim("sub", "repo:acme/app:*")})),
    ("any service account of a cluster", _ROLE, trust(
        {"Federated": f"arn:aws:iam::{OURS}:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC"}, "sts:AssumeRoleWithWebIdentity",
        Condition={"StringEquals": {"oidc.eks.eu-west-1.amazonaws.com/id/ABC:aud": "sts.amazonaws.com"},
                   "StringLike": {"oidc.eks.eu-west-1.amazonaws.com/id/ABC:sub": "system:serviceaccount:*:*"}})),
    ("any organization of a build service", _ROLE, trust(
        {"Federated": f"arn:aws:iam::{OURS}:oidc-provider/app.terraform.io"}, "sts:AssumeRoleWithWebIdentity",
        Condition={"StringEquals": {"app.terraform.io:aud": "aws.workload.identity"},
                   "StringLike": {"app.terraform.io:sub": "organization:*:project:*"}})),
    ("users of any identity pool", _ROLE, trust(_COGNITO, "sts:AssumeRoleWithWebIdentity", Condition={
        "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"}})),
    ("everyone with a role's name, in any account", _ROLE, trust("*", Condition={
        "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/deploy"}})),
    ("everyone with a session's name", _ROLE, trust("*", Condition={"StringLike": {"aws:userid": "*:deploy"}})),
    ("everyone compared with themselves", _ROLE, trust({"AWS": "*"}, Condition={
        "StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}})),
)  # fmt: skip
rows(
    Kind.TRUST,
    "iam-identity-policies-are-narrow",
    ("an administrator by an exclusive list", "iam.RolePolicyAttachmentsExclusive",
     {"roleName": "app", "policyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]}),
    ("an administrator for several roles at once", "iam.PolicyAttachment",
     {"name": "all", "roles": ["app"], "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
    ("an administrator by a permission set", "ssoadmin.ManagedPolicyAttachment",
     {"instanceArn": "arn:aws:sso:::instance/x", "permissionSetArn": "arn:aws:sso:::permissionSet/x/y",
      "managedPolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
    ("everything in a permission set's own policy", "ssoadmin.PermissionSetInlinePolicy",
     {"inlinePolicy": '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'}),
    ("an administrator by a broad policy of a service", "iam.RolePolicyAttachment",
     {"role": "app", "policyArn": "arn:aws:iam::aws:policy/service-role/AmazonEC2RoleforSSM"}),
)  # fmt: skip
safe_rows(
    Kind.TRUST,
    ("one branch of one repository", _ROLE, by_github(StringEquals={**AUD, **claim("sub", "repo:acme/app:ref:refs/heads/main")})),
    ("every repository of one owner", _ROLE, by_github(StringEquals=AUD, StringLike=claim("sub", "repo:acme/*"))),
    ("one owner by its identifier", _ROLE, by_github(StringEquals={**AUD, **claim("repository_owner_id", "1234")})),
    ("two environments, in a condition for any value", _ROLE, by_github(
        StringEquals=AUD, **{"ForAnyValue:StringEquals": claim("sub", "repo:acme/app:environment:a", "repo:acme/app:environment:b")})),
    ("users of an identity pool, as AWS writes it", _ROLE, trust(_COGNITO, "sts:AssumeRoleWithWebIdentity", Condition={
        "StringEquals": _POOL, "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"}})),
    ("one service account of a cluster", _ROLE, trust(
        {"Federated": f"arn:aws:iam::{OURS}:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC"}, "sts:AssumeRoleWithWebIdentity",
        Condition={"StringEquals": {"oidc.eks.eu-west-1.amazonaws.com/id/ABC:aud": "sts.amazonaws.com",
                                    "oidc.eks.eu-west-1.amazonaws.com/id/ABC:sub": "system:serviceaccount:app:api"}})),
    ("SAML users of the team", _ROLE, trust({"Federated": f"arn:aws:iam::{OURS}:saml-provider/team"}, "sts:AssumeRoleWithSAML",
                                           Condition={"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}})),
    ("a service", _ROLE, trust({"Service": "ecs-tasks.amazonaws.com"})),
    ("a service of another partition", _ROLE, trust({"Service": "ec2.amazonaws.com.cn"})),
    ("what AWS keeps for a service's role", "iam.RolePolicyAttachment",
     {"role": "app", "policyArn": "arn:aws:iam::aws:policy/service-role/AWSGlueServiceRole"}),
    ("what AWS keeps for several services' roles, exclusively", "iam.RolePolicyAttachmentsExclusive",
     {"roleName": "app", "policyArns": ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]}),
)  # fmt: skip
