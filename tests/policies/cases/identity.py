"""Policies on identity, resource and trust policies, and on secrets."""

from __future__ import annotations

import json
from typing import Any

from policies.guardrails.topology.graph.values import Value
from tests.policies.cases.edge import FORWARD, OIDC
from tests.policies.wire import UNKNOWN, case, r, secret

TOPIC = r("sns.Topic", "topic")
ROLE = "arn:aws:iam::123456789012:role/app"
ARN = "arn:aws:s3:::app-data/*"


def document(action: Value = "s3:GetObject", resource: Value = ARN, **more: Value) -> str:
    statement = {"Sid": "One", "Effect": "Allow", "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def policy(*args: Value, **more: Value) -> dict[str, Any]:
    return r("iam.RolePolicy", policy=document(*args, **more))


def key(**more: Value) -> dict[str, Any]:
    return r("kms.KeyPolicy", policy=document("kms:Decrypt", "*", **more))


def trust(principal: Value, action: str = "sts:AssumeRole", **more: Value) -> dict[str, Any]:
    statement = {"Sid": "One", "Effect": "Allow", "Action": action, "Principal": principal, **more}
    return r("iam.Role", assumeRolePolicy=json.dumps({"Statement": statement}))


def endpoint(*args: Value, **more: Value) -> dict[str, Any]:
    return r("ec2.VpcEndpoint", policy=document(*args, Principal="*", **more))


def events(*more: dict[str, Any]) -> str:
    grant = {"Effect": "Allow", "Principal": {"Service": EVENTS}, "Action": "sns:Publish", "Resource": TOPIC_ARN}
    return json.dumps({"Statement": [grant, *more]})


EVENTS, TOPIC_ARN = "events.amazonaws.com", "arn:aws:sns:eu-west-1:123456789012:topic"
DENY_OTHERS = {
    "Effect": "Deny", "Principal": {"Service": EVENTS}, "Action": "sns:Publish", "Resource": TOPIC_ARN,
    "Condition": {"Null": {"aws:SourceAccount": "false"}, "StringNotEquals": {"aws:SourceAccount": "123456789012"}},
}  # fmt: skip
OURS = {"StringEquals": {"aws:PrincipalAccount": "123456789012"}}
HOSTED = {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"}
WEB = "sts:AssumeRoleWithWebIdentity"
CLAIMS = {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}
BY_HTTP = {"Bool": {"aws:SecureTransport": "false"}}
DENY_HTTP = {
    "Sid": "Tls",
    "Effect": "Deny",
    "Action": "s3:*",
    "Resource": "*",
    "Principal": "*",
    "Condition": BY_HTTP,
}

CASES = [
    case("iam-identity-policies-are-narrow", "an action on an ARN", policy()),
    case("iam-identity-policies-are-narrow", "reading verbs", policy(["s3:Get*", "s3:ListBucket"])),
    case("iam-identity-policies-are-narrow", "an action that has no resource", policy("ecr:GetAuthorizationToken", "*")),
    case("iam-identity-policies-are-narrow", "everything on everything", policy("*", "*"), says=["violated x.policy[One].Action"]),
    case("iam-identity-policies-are-narrow", "everything of a service", policy("s3:*"), says=["violated x.policy[One].Action"]),
    case("iam-identity-policies-are-narrow", "every writing verb", policy("s3:Put*"), says=["violated x.policy[One].Action"]),
    case("iam-identity-policies-are-narrow", "on everything", policy("s3:GetObject", "*"), says=["violated x.policy[One].Resource"]),
    case("iam-identity-policies-are-narrow", "decryption with every key",
         policy("kms:Decrypt", "arn:aws:kms:eu-west-1:123456789012:key/*"), says=["violated x.policy[One].Resource"]),
    case("iam-identity-policies-are-narrow", "all but some actions",
         r("iam.Policy", policy=json.dumps({"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": ARN}})),
         says=["violated x.policy[0].NotAction"]),
    case("iam-identity-policies-are-narrow", "all but some resources",
         r("iam.Policy", policy=json.dumps({"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "NotResource": ARN}})),
         says=["violated x.policy[0].NotResource"]),
    case("iam-identity-policies-are-narrow", "a denial of everything",
         r("iam.Policy", policy=json.dumps({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}))),
    case("iam-identity-policies-are-narrow", "administrator by attachment",
         r("iam.RolePolicyAttachment", policyArn="arn:aws:iam::aws:policy/AdministratorAccess"), says=["violated x.policyArn"]),
    case("iam-identity-policies-are-narrow", "a listed policy by attachment",
         r("iam.RolePolicyAttachment", policyArn="arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole")),
    case("iam-identity-policies-are-narrow", "what AWS keeps for starting tasks",
         r("iam.RolePolicyAttachment", policyArn="arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy")),
    case("iam-identity-policies-are-narrow", "a role with policies inside",
         r("iam.Role", inlinePolicies=[{"name": "a", "policy": document("*", "*")}],
           managedPolicyArns=["arn:aws:iam::aws:policy/PowerUserAccess"]),
         says=["violated x.inlinePolicies[0].policy[One].Action", "violated x.managedPolicyArns[0]"]),
    case("iam-identity-policies-are-narrow", "unknown", r("iam.RolePolicy", policy=UNKNOWN), says=["not proven x.policy"]),
    case("iam-identity-policies-are-narrow", "no JSON", r("iam.RolePolicy", policy="{Statement"), says=["not proven x.policy"]),
    case("iam-identity-policies-are-narrow", "not applicable", TOPIC),
    case("iam-resource-policies-are-narrow", "a named role", key(Principal={"AWS": ROLE})),
    case("iam-resource-policies-are-narrow", "everybody", key(Principal="*"), says=["violated x.policy[One].Principal"]),
    case("iam-resource-policies-are-narrow", "everybody in a list", key(Principal={"AWS": [ROLE, "*"]}),
         says=["violated x.policy[One].Principal"]),
    case("iam-resource-policies-are-narrow", "everybody by TLS",
         key(Principal="*", Condition={"Bool": {"aws:SecureTransport": "true"}}), says=["violated x.policy[One].Principal"]),
    case("iam-resource-policies-are-narrow", "everybody of the account",
         key(Principal="*", Condition={"StringEquals": {"aws:PrincipalAccount": "123456789012"}})),
    *(
        case("iam-resource-policies-are-narrow", f"a condition that strangers pass: {operator} {value}",
             key(Principal="*", Condition={operator: {"aws:PrincipalArn": value}}), says=["violated x.policy[One].Principal"])
        for operator, value in (
            ("StringNotEquals", ROLE), ("ArnNotLike", ROLE), ("ForAllValues:ArnEquals", ROLE), ("ArnEqualsIfExists", ROLE),
            ("StringLike", "*"), ("ArnLike", "arn:aws:iam::*:role/*"), ("ArnLike", "arn:aws:*"), ("Null", "false"),
        )
    ),
    case("iam-resource-policies-are-narrow", "roles of one account by pattern",
         key(Principal="*", Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/app-*"}})),
    case("iam-resource-policies-are-narrow", "one good value beside a wildcard",
         key(Principal="*", Condition={"ArnLike": {"aws:PrincipalArn": [ROLE, "*"]}}), says=["violated x.policy[One].Principal"]),
    *(
        case("iam-resource-policies-are-narrow", f"a bucket whose policy may be changed by {who}",
             r("s3.BucketPolicy", policy=document("s3:PutBucketPolicy", ARN, Principal=principal, **more)), says=["violated x.policy[One].Action"])
        for who, principal, more in (
            ("an account's number", {"AWS": "444455556666"}, {}),
            ("a session", {"AWS": "arn:aws:sts::444455556666:assumed-role/a/b"}, {}),
            ("a canonical user", {"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}, {}),
            ("anybody of an account", "*", {"Condition": {"StringEquals": {"aws:PrincipalAccount": "444455556666"}}}),
        )
    ),
    case("iam-resource-policies-are-narrow", "everybody but one",
         r("sqs.QueuePolicy", policy=json.dumps({"Statement": {"Effect": "Allow", "Action": "sqs:*", "NotPrincipal": {"AWS": ROLE}}})),
         says=["violated x.policy[0].NotPrincipal"]),
    case("iam-resource-policies-are-narrow", "a bucket that another role may open",
         r("s3.BucketPolicy", policy=document(["s3:GetObject", "s3:PutBucket*"], ARN, Principal={"AWS": ROLE})),
         says=["violated x.policy[One].Action"]),
    case("iam-resource-policies-are-narrow", "a denial to everybody", r("s3.BucketPolicy", policy=json.dumps({"Statement": [DENY_HTTP]}))),
    case("iam-resource-policies-are-narrow", "unknown", r("s3.BucketPolicy", policy=UNKNOWN), says=["not proven x.policy"]),
    case("iam-resource-policies-are-narrow", "not applicable", TOPIC),
    case("iam-role-trust-is-narrow", "a service", trust({"Service": "ecs-tasks.amazonaws.com"})),
    case("iam-role-trust-is-narrow", "everybody", trust("*"), says=["violated x.assumeRolePolicy[One].Principal"]),
    case("iam-role-trust-is-narrow", "any account", trust({"AWS": "arn:aws:iam::*:root"}),
         says=["violated x.assumeRolePolicy[One].Principal"]),
    case("iam-role-trust-is-narrow", "a repository of ours",
         trust(HOSTED, WEB, Condition={"StringEquals": {**CLAIMS, "token.actions.githubusercontent.com:sub": "repo:a/b:ref:refs/heads/main"}})),
    case("iam-role-trust-is-narrow", "any repository", trust(HOSTED, WEB, Condition={"StringEquals": CLAIMS}),
         says=["violated x.assumeRolePolicy[One].Condition"]),
    case("iam-role-trust-is-narrow", "any subject by pattern",
         trust(HOSTED, WEB, Condition={"StringLike": {**CLAIMS, "token.actions.githubusercontent.com:sub": "repo:*"}}),
         says=["violated x.assumeRolePolicy[One].Condition"]),
    case("iam-role-trust-is-narrow", "no audience", trust(HOSTED, WEB),
         says=["violated x.assumeRolePolicy[One].Condition", "violated x.assumeRolePolicy[One].Condition"]),
    case("iam-role-trust-is-narrow", "unknown", r("iam.Role", assumeRolePolicy=UNKNOWN), says=["not proven x.assumeRolePolicy"]),
    case("iam-role-trust-is-narrow", "not applicable", TOPIC),
    case("stack-sensitive-values-are-secret", "marked", r("rds.Cluster", masterPassword=secret("p"))),
    case("stack-sensitive-values-are-secret", "in plain text", r("rds.Cluster", masterPassword="p4ss"), says=["violated x.masterPassword"]),
    case("stack-sensitive-values-are-secret", "a client secret in plain text",
         r("lb.ListenerRule", actions=[{"type": "authenticate-oidc", "authenticateOidc": {**OIDC, "clientSecret": "abc"}}, FORWARD]),
         says=["violated x.actions[0].authenticateOidc.clientSecret"]),
    case("stack-sensitive-values-are-secret", "a marked client secret",
         r("lb.ListenerRule", actions=[{"type": "authenticate-oidc", "authenticateOidc": OIDC}, FORWARD])),
    case("stack-sensitive-values-are-secret", "unknown: it is marked when it is known", r("rds.Cluster", masterPassword=UNKNOWN)),
    case("stack-sensitive-values-are-secret", "not applicable", TOPIC),
    case("secretsmanager-secrets-rotate", "every month", (S := r("secretsmanager.Secret", "s")),
         r("secretsmanager.SecretRotation", secretId=UNKNOWN, rotationRules={"automaticallyAfterDays": 30}, needs={"secretId": S})),
    case("secretsmanager-secrets-rotate", "never", S, says=["violated s"]),
    case("secretsmanager-secrets-rotate", "every year", S,
         r("secretsmanager.SecretRotation", secretId=UNKNOWN, rotationRules={"automaticallyAfterDays": 365}, needs={"secretId": S}),
         says=["violated x.rotationRules.automaticallyAfterDays"]),
    case("secretsmanager-secrets-rotate", "by schedule", S,
         r("secretsmanager.SecretRotation", secretId=UNKNOWN, rotationRules={"scheduleExpression": "rate(10 days)"}, needs={"secretId": S})),
    case("secretsmanager-secrets-rotate", "unknown", S,
         r("secretsmanager.SecretRotation", secretId=UNKNOWN, rotationRules=UNKNOWN, needs={"secretId": S, "rotationRules": S}),
         says=["not proven x.rotationRules.automaticallyAfterDays"]),
    case("secretsmanager-secrets-rotate", "not applicable", TOPIC),
    case("s3-bucket-policies-require-tls", "denied", r("s3.BucketPolicy", policy=json.dumps({"Statement": [DENY_HTTP]}))),
    case("s3-bucket-policies-require-tls", "only for reading",
         r("s3.BucketPolicy", policy=json.dumps({"Statement": [{**DENY_HTTP, "Action": "s3:GetObject"}]})), says=["violated x.policy"]),
    case("s3-bucket-policies-require-tls", "only for one principal",
         r("s3.BucketPolicy", policy=json.dumps({"Statement": [{**DENY_HTTP, "Principal": {"AWS": ROLE}}]})), says=["violated x.policy"]),
    case("s3-bucket-policies-require-tls", "TLS denied instead",
         r("s3.BucketPolicy", policy=json.dumps({"Statement": [{**DENY_HTTP, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}]})),
         says=["violated x.policy"]),
    case("s3-bucket-policies-require-tls", "the bucket without its objects",
         r("s3.BucketPolicy", policy=json.dumps({"Statement": [{**DENY_HTTP, "Resource": "arn:aws:s3:::logs"}]})), says=["violated x.policy"]),
    case("s3-bucket-policies-require-tls", "bucket and objects", r("s3.BucketPolicy", bucket="logs",
         policy=json.dumps({"Statement": [{**DENY_HTTP, "Resource": ["arn:aws:s3:::logs", "arn:aws:s3:::logs/*"]}]}))),
    case("s3-bucket-policies-require-tls", "another bucket", r("s3.BucketPolicy", bucket="records",
         policy=json.dumps({"Statement": [{**DENY_HTTP, "Resource": ["arn:aws:s3:::logs", "arn:aws:s3:::logs/*"]}]})), says=["violated x.policy"]),
    case("s3-bucket-policies-require-tls", "unknown", r("s3.BucketPolicy", policy=UNKNOWN), says=["not proven x.policy"]),
    case("s3-bucket-policies-require-tls", "not applicable", TOPIC),
    case("vpc-endpoint-policies-are-narrow", "a repository for the account's own roles",
         endpoint("ecr:BatchGetImage", "arn:aws:ecr:eu-west-1:123456789012:repository/app", Condition=OURS)),
    case("vpc-endpoint-policies-are-narrow", "image layers for anybody",
         endpoint("s3:GetObject", "arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*")),
    case("vpc-endpoint-policies-are-narrow", "a bucket for anybody", endpoint("s3:GetObject", ARN), says=["violated x.policy[One].Principal"]),
    case("vpc-endpoint-policies-are-narrow", "every action of a service", endpoint("ecr:*", ARN, Condition=OURS),
         says=["violated x.policy[One].Action"]),
    case("vpc-endpoint-policies-are-narrow", "every resource", endpoint("s3:GetObject", "*", Condition=OURS),
         says=["violated x.policy[One].Resource"]),
    case("vpc-endpoint-policies-are-narrow", "logging in, which has no resource", endpoint("ecr:GetAuthorizationToken", "*", Condition=OURS)),
    case("vpc-endpoint-policies-are-narrow", "no policy", r("ec2.VpcEndpoint", serviceName="com.amazonaws.eu-west-1.logs"),
         says=["violated x.policy"]),
    case("vpc-endpoint-policies-are-narrow", "everything", endpoint("*", "*"),
         says=["violated x.policy[One].Action", "violated x.policy[One].Principal", "violated x.policy[One].Resource"]),
    case("vpc-endpoint-policies-are-narrow", "unknown", r("ec2.VpcEndpoint", policy=UNKNOWN), says=["not proven x.policy"]),
    case("vpc-endpoint-policies-are-narrow", "another VPC's service, which takes no policy",
         r("ec2.VpcEndpoint", serviceName="com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0")),
    case("vpc-endpoint-policies-are-narrow", "an endpoint that takes no policy", r("ec2.VpcEndpoint", vpcEndpointType="GatewayLoadBalancer")),
    case("vpc-endpoint-policies-are-narrow", "not applicable", TOPIC),
    case("iam-service-grants-name-their-source", "of this account",
         trust({"Service": "ecs-tasks.amazonaws.com"}, Condition={"StringEquals": {"aws:SourceAccount": "123456789012"}})),
    case("iam-service-grants-name-their-source", "of anybody", trust({"Service": "ecs-tasks.amazonaws.com"}),
         says=["violated x.assumeRolePolicy[One].Condition"]),
    case("iam-service-grants-name-their-source", "a role is no service", trust({"AWS": ROLE})),
    case("iam-service-grants-name-their-source", "unknown", r("iam.Role", assumeRolePolicy=UNKNOWN), says=["not proven x.assumeRolePolicy"]),
    case("iam-service-grants-name-their-source", "not applicable", TOPIC),
    case("iam-role-trust-is-narrow", "every action of the token service", trust({"Service": "ecs-tasks.amazonaws.com"}, "sts:*"),
         says=["violated x.assumeRolePolicy[One].Action"]),
    case("iam-resource-policies-are-narrow", "every action for a role", r("kms.KeyPolicy", policy=document("kms:*", "*", Principal={"AWS": ROLE})),
         says=["violated x.policy[One].Action"]),
    case("iam-resource-policies-are-narrow", "every action for the account itself",
         r("kms.KeyPolicy", policy=document("kms:*", "*", Principal={"AWS": "arn:aws:iam::123456789012:root"}))),
    case("iam-resource-policies-are-narrow", "everybody, as if a service asked for them",
         key(Principal="*", Condition={"StringEquals": {"aws:SourceAccount": "123456789012"}}), says=["violated x.policy[One].Principal"]),
    case("secretsmanager-secrets-rotate", "every ninety days", S,
         r("secretsmanager.SecretRotation", secretId=UNKNOWN, rotationRules={"automaticallyAfterDays": 90}, needs={"secretId": S})),
    case("secretsmanager-secrets-rotate", "never, written down", S,
         r("secretsmanager.SecretRotation", secretId=UNKNOWN, rotationRules={"automaticallyAfterDays": 0}, needs={"secretId": S}),
         says=["violated x.rotationRules.automaticallyAfterDays"]),
    case("iam-role-trust-is-narrow", "everybody but one", r("iam.Role", assumeRolePolicy=json.dumps(
        {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "NotPrincipal": {"AWS": ROLE}}})),
        says=["violated x.assumeRolePolicy[0].Principal"]),
    case("iam-resource-policies-are-narrow", "a bucket for everybody of any account", r("s3.BucketPolicy", policy=document(
        "s3:GetObject", ARN, Principal={"AWS": "arn:aws:iam::*:root"})), says=["violated x.policy[One].Principal"]),
    case("stack-sensitive-values-are-secret", "an empty value", r("rds.Cluster", masterPassword="")),
    case("iam-service-grants-name-their-source", "events, whose grant takes no condition", r("sns.TopicPolicy", policy=events(DENY_OTHERS))),
    case("iam-service-grants-name-their-source", "events of any account", r("sns.TopicPolicy", policy=events()),
         says=["violated x.policy[0].Condition"]),
    case("iam-service-grants-name-their-source", "events, with a denial that never applies", r("sns.TopicPolicy", policy=events(
        {**DENY_OTHERS, "Condition": {"Null": {"aws:SourceAccount": "false"}, "StringEquals": {"aws:SourceAccount": "123456789012"}}})),
        says=["violated x.policy[0].Condition"]),
    case("iam-service-grants-name-their-source", "a denial to a service",
         trust({"Service": "ecs-tasks.amazonaws.com"}, Effect="Deny")),
    case("iam-resource-policies-are-narrow", "an action in other letters",
         r("s3.BucketPolicy", policy=document("S3:putbucketpolicy", ARN, Principal={"AWS": ROLE})), says=["violated x.policy[One].Action"]),
    case("iam-resource-policies-are-narrow", "every action but one", r("s3.BucketPolicy", policy=json.dumps({"Statement": {
        "Sid": "One", "Effect": "Allow", "NotAction": "s3:DeleteBucket", "Resource": ARN, "Principal": {"AWS": ROLE}}})),
        says=["violated x.policy[One].NotAction", "violated x.policy[One].Action"]),
    case("iam-resource-policies-are-narrow", "an object with an unknown principal", r("kms.KeyPolicy", policy={"Statement": [
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Principal": {"AWS": UNKNOWN}}]}),
        says=["not proven x.policy"]),
    case("s3-bucket-policies-require-tls", "denied to callers of one network only", r("s3.BucketPolicy", policy=json.dumps({"Statement": [
        {**DENY_HTTP, "Condition": {**BY_HTTP, "StringEquals": {"aws:SourceVpc": "vpc-1"}}}]})), says=["violated x.policy"]),
    case("s3-bucket-policies-require-tls", "denied in other letters", r("s3.BucketPolicy", policy=json.dumps({"Statement": [
        {**DENY_HTTP, "Action": "S3:*", "Condition": {"BoolIfExists": {"AWS:SecureTransport": "false"}}}]}))),
]  # fmt: skip
