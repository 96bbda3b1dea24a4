"""Policies on what one property or statement opens to everybody, wherever the network ends."""

from __future__ import annotations

import json
from typing import Any

from policies.guardrails.topology.graph.values import Value
from tests.policies.cases.elsewhere import KEY, OURS, PROVIDER, THEIRS, TOPIC, task
from tests.policies.cases.identity import document, policy
from tests.policies.wire import UNKNOWN, case, r, secret

SHARED, KEYS, INVITED = "stack-nothing-is-shared-publicly", "iam-no-long-lived-keys", "cognito-sign-up-is-by-invitation"
MATCHED, NARROW, IDENTITY = (
    "elb-rules-forward-what-they-matched",
    "iam-resource-policies-are-narrow",
    "iam-identity-policies-are-narrow",
)
GRANTS = "iam-grants-stay-in-the-account"
CALL = "execute-api:Invoke"
API = "arn:aws:execute-api:eu-west-1:123456789012:abc/*"
REWRITE = [{"type": "url-rewrite", "urlRewriteConfig": {"rewrites": {"regex": "^/x", "replace": "/metrics"}}}]


def of_anybody(kind: str, path: str = "policy", action: str = "s3:GetObject", **more: Value) -> dict[str, Any]:
    return r(kind, **{path: document(action, "arn:aws:x:eu-west-1:123456789012:y", Principal="*", **more)})


def bounded(value: str, key: str = "aws:SourceVpce", operator: str = "StringLike") -> dict[str, Any]:
    return of_anybody("s3.BucketPolicy", Condition={operator: {key: value}})


def api(*statements: dict[str, Any], kinds: Value = "PRIVATE") -> dict[str, Any]:
    allow = {"Sid": "One", "Effect": "Allow", "Principal": "*", "Action": CALL, "Resource": API}
    return r(
        "apigateway.RestApi",
        endpointConfiguration={"types": kinds},
        policy=json.dumps({"Statement": [allow, *statements]}),
    )


def deny(
    operator: str = "StringNotEquals", value: str = "vpce-0123", action: str = CALL, **more: Value
) -> dict[str, Any]:
    condition = {operator: {"aws:SourceVpce": value}, **more}
    return {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": API, "Condition": condition}


def used(arn: str) -> dict[str, Any]:
    return policy("sts:AssumeRole", arn)


OPEN = ["violated x.policy[One].Principal"]
WIDE = ["violated x.policy[One].Resource"]
ACTION = ["violated x.policy[One].Action"]
PERMISSION = {"action": "lambda:InvokeFunction", "function": "hook"}

FILTER, HIDDEN = "route53-names-are-filtered", "ecs-secrets-not-in-environment"


def parameter(name: str, value: Value = "hunter2", type_: Value = "String") -> dict[str, Any]:
    return r("ssm.Parameter", name=name, type=type_, value=value)


def forwarding(*addresses: Value) -> dict[str, Any]:
    targets = [{"ip": address} for address in addresses]
    return r("route53.ResolverRule", ruleType="FORWARD", targetIps=targets, needs={"targetIps": TOPIC})


def distributed(*policies: Value) -> dict[str, Any]:
    behaviours = [{"viewerProtocolPolicy": policy} for policy in policies]
    return r("cloudfront.Distribution", defaultCacheBehavior=behaviours[0], orderedCacheBehaviors=behaviours[1:])


INGRESS = "vpc-open-ingress"
PORT: dict[str, Value] = {"protocol": "tcp", "fromPort": 22, "toPort": 22}


def ports(**more: Value) -> dict[str, Any]:
    """The open ports of a Lightsail instance, some of whose addresses are known later."""
    needs = {"portInfos": r("other.Thing", "thing")}
    return r("lightsail.InstancePublicPorts", portInfos=[{**PORT, **more}], needs=needs)


CASES = [
    case(HIDDEN, "a credential where its name belongs",
         task(secrets=[{"name": "T", "valueFrom": "sk-live-1234567890abcdef1234567890"}]),
         says=["violated x.containerDefinitions[api].secrets[T].valueFrom"]),
    case(HIDDEN, "a parameter by name", task(secrets=[{"name": "T", "valueFrom": "/app/token"}])),
    case(HIDDEN, "variables from a file", task(environmentFiles=[{"type": "s3", "value": "arn:aws:s3:::x/app.env"}]),
         says=["not proven x.containerDefinitions[api].environmentFiles"]),
    case(HIDDEN, "a password in a plain parameter", parameter("/app/db/password"), says=["violated x.type"]),
    case(HIDDEN, "a credential in a plain parameter", parameter("/app/note", "AKIAABCDEFGHIJKLMNOP"), says=["violated x.type"]),
    case(HIDDEN, "the mark of a secret in a plain parameter", parameter("/app/note", secret("x")), says=["violated x.type"]),
    case(HIDDEN, "an encrypted parameter", parameter("/app/db/password", secret("x"), "SecureString")),
    case(HIDDEN, "a setting in a parameter", parameter("/app/password-length", "12")),
    case(HIDDEN, "a parameter of which the type is not known", parameter("/app/token", type_=UNKNOWN), says=["not proven x.type"]),
    case("ecs-task-isolation", "processes that containers share", r("ecs.TaskDefinition", networkMode="awsvpc", pidMode="task"),
         says=["violated x.pidMode"]),
    case("ecs-task-isolation", "no memory that containers share", r("ecs.TaskDefinition", networkMode="awsvpc", ipcMode="none")),
    case("acm-certificates-are-strong", "a key that may leave", r("acm.Certificate", options={"export": "ENABLED"}),
         says=["violated x.options.export"]),
    case("elb-load-balancer-hardening", "consumers that pass no group", r("lb.LoadBalancer", loadBalancerType="network",
         enforceSecurityGroupInboundRulesOnPrivateLinkTraffic="off"),
         says=["violated x.enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"]),
    case("elb-load-balancer-hardening", "consumers that pass the groups", r("lb.LoadBalancer", loadBalancerType="network",
         enforceSecurityGroupInboundRulesOnPrivateLinkTraffic="on")),
    case("sns-topics-require-tls", "alarms in clear text", r("sns.TopicSubscription", protocol="http"), says=["violated x.protocol"]),
    case("sns-topics-require-tls", "alarms by TLS", r("sns.TopicSubscription", protocol="https")),
    case("elb-listeners-use-tls", "a distribution in clear text", distributed("allow-all"),
         says=["violated x.defaultCacheBehavior.viewerProtocolPolicy"]),
    case("elb-listeners-use-tls", "one path in clear text", distributed("https-only", "allow-all"),
         says=["violated x.orderedCacheBehaviors[0].viewerProtocolPolicy"]),
    case("elb-listeners-use-tls", "a distribution that redirects", distributed("redirect-to-https", "https-only")),
    case(FILTER, "questions to a public server", r("ec2.VpcDhcpOptions", domainNameServers=["8.8.8.8"]),
         says=["violated x.domainNameServers"]),
    case(FILTER, "a server that is not known", r("ec2.VpcDhcpOptions", domainNameServers=[UNKNOWN]),
         says=["not proven x.domainNameServers"]),
    case(FILTER, "a search domain and the resolver", r("ec2.VpcDhcpOptions", domainNameServers=["AmazonProvidedDNS"])),
    case(FILTER, "forwarded to the internet", forwarding("10.0.0.2", "8.8.8.8"), says=["violated x.targetIps"]),
    case(FILTER, "forwarded inside", forwarding("10.0.0.2")),
    case(FILTER, "forwarded to what is not known", forwarding(UNKNOWN), says=["not proven x.targetIps"]),
    *(case(SHARED, f"{kind} for everybody", r(kind, **properties), says=[f"violated x.{path}"]) for kind, path, properties in (
        ("cloudwatch.EventPermission", "principal", {"principal": "*"}),
        ("ec2.AmiLaunchPermission", "group", {"group": "all"}),
        ("elasticache.User", "noPasswordRequired", {"noPasswordRequired": True}),
        ("elasticache.User", "authenticationMode.type", {"authenticationMode": {"type": "no-password-required"}}),
        ("lambda.LayerVersionPermission", "principal", {"principal": "*"}),
        ("lambda.Permission", "principal", {"principal": "*"}),
        ("rds.ClusterSnapshot", "sharedAccounts", {"sharedAccounts": ["all"]}),
        ("rds.ClusterSnapshotCopy", "sharedAccounts", {"sharedAccounts": ["123456789012", "all"]}),
        ("rds.Snapshot", "sharedAccounts", {"sharedAccounts": ["all"]}),
        ("rds.SnapshotCopy", "sharedAccounts", {"sharedAccounts": ["all"]}),
        ("ssm.Document", "permissions.account_ids", {"permissions": {"type": "Share", "account_ids": "All"}}),
        ("vpclattice.Service", "authType", {}),
        ("vpclattice.ServiceNetwork", "authType", {"authType": "NONE"}),
    )),
    case(SHARED, "one account's image", r("ec2.AmiLaunchPermission", accountId=OURS)),
    case(SHARED, "a user with a password", r("elasticache.User", authenticationMode={"type": "iam"})),
    case(SHARED, "a layer for an organisation", r("lambda.LayerVersionPermission", principal="*", organizationId="o-1234")),
    case(INGRESS, "a file share for every host", r("storagegateway.NfsFileShare", clientLists=["0.0.0.0/0"]), says=["violated x.clientLists[0]"]),
    case(INGRESS, "a file share for one network", r("storagegateway.NfsFileShare", clientLists=["10.0.0.0/8"])),
    case(INGRESS, "a port of an instance without addresses", r("lightsail.InstancePublicPorts", portInfos=[PORT]),
         says=["violated x.portInfos[0].cidrs"]),
    case(INGRESS, "a port of an instance for one network", r("lightsail.InstancePublicPorts", portInfos=[{**PORT, "cidrs": ["198.51.100.0/24"]}])),
    case(INGRESS, "a port of an instance for an empty list", r("lightsail.InstancePublicPorts", portInfos=[{**PORT, "cidrs": []}]),
         says=["violated x.portInfos[0].cidrs"]),
    case(INGRESS, "a port of an instance for addresses that are not known", ports(cidrs=UNKNOWN), says=["not proven x.portInfos[0].cidrs"]),
    case(INGRESS, "a port of an instance for one address that is not known", ports(cidrs=["198.51.100.0/24", UNKNOWN]),
         says=["not proven x.portInfos[0].cidrs[1]"]),
    case(INGRESS, "a port of an instance for everyone and for what is not known", ports(cidrs=["0.0.0.0/0"], ipv6Cidrs=UNKNOWN),
         says=["violated x.portInfos[0].cidrs[0]"]),
    case(INGRESS, "a web port of an instance for addresses that are not known", ports(cidrs=UNKNOWN, fromPort=443, toPort=443)),
    case(INGRESS, "ports of an instance that are not known", r("lightsail.InstancePublicPorts", portInfos=UNKNOWN, needs={"portInfos": r("other.Thing")}), says=["not proven x.portInfos"]),
    case(INGRESS, "a file share for hosts that are not known", r("storagegateway.NfsFileShare", clientLists=UNKNOWN, needs={"clientLists": r("other.Thing")}), says=["not proven x.clientLists"]),
    case(INGRESS, "a web port of an instance without addresses",
         r("lightsail.InstancePublicPorts", portInfos=[{**PORT, "fromPort": 443, "toPort": 443}])),
    case(SHARED, "a key to an API in the network", r("appsync.GraphQLApi", authenticationType="API_KEY", visibility="PRIVATE")),
    case(SHARED, "a key to an API", r("appsync.GraphQLApi", authenticationType="API_KEY"), says=["violated x.authenticationType"]),
    case(SHARED, "a setting of another kind", r("ssm.ServiceSetting", settingId="/ssm/parameter-store/high-throughput", settingValue="Enable")),
    case(SHARED, "public documents of the account", r("ssm.ServiceSetting", settingId="/ssm/documents/console/public-sharing-permission",
         settingValue="Enable"), says=["violated x.settingValue"]),
    case(SHARED, "a network that is set with values that are not known", r("opensearchingest.Pipeline", vpcOptions={"subnetIds": [UNKNOWN]})),
    case(SHARED, "guests", r("cognito.IdentityPool", allowUnauthenticatedIdentities=True), says=["violated x.allowUnauthenticatedIdentities"]),
    case(SHARED, "no guests", r("cognito.IdentityPool")),
    case(SHARED, "a function for every API", r("lambda.Permission", principal="apigateway.amazonaws.com", **PERMISSION),
         says=["violated x.sourceArn"]),
    case(SHARED, "a function for one API", r("lambda.Permission", principal="apigateway.amazonaws.com",
         sourceArn="arn:aws:execute-api:eu-west-1:123456789012:abc/*", **PERMISSION)),
    case(SHARED, "a function for one organisation", r("lambda.Permission", principal="*", principalOrgId="o-1234")),
    case(SHARED, "a function for something that is not known yet", r("lambda.Permission", principal="*", sourceArn=UNKNOWN),
         says=["not proven x.principal"]),
    case(SHARED, "accounts that are not known yet", r("rds.ClusterSnapshot", sharedAccounts=[UNKNOWN]),
         says=["not proven x.sharedAccounts"]),
    case(SHARED, "a snapshot of one's own", r("rds.ClusterSnapshot")),
    case(SHARED, "a network that asks who calls", r("vpclattice.ServiceNetwork", authType="AWS_IAM")),
    case(SHARED, "not applicable: a topic", TOPIC),
    case(KEYS, "a user's key", r("iam.AccessKey", user="ci"), says=["violated x"]),
    case(KEYS, "a user's password", r("iam.UserLoginProfile", user="bob"), says=["violated x"]),
    case(KEYS, "a mail password", r("iam.ServiceSpecificCredential", userName="m", serviceName="codecommit.amazonaws.com"),
         says=["violated x"]),
    case(KEYS, "a key that is switched off", r("iam.AccessKey", user="ci", status="Inactive")),
    case(KEYS, "a key that may be switched off", r("iam.AccessKey", user="ci", status=UNKNOWN), says=["not proven x.status"]),
    case(KEYS, "not applicable: a user without keys", r("iam.User")),
    case(INVITED, "a pool by invitation", r("cognito.UserPool", adminCreateUserConfig={"allowAdminCreateUserOnly": True})),
    case(INVITED, "a pool as AWS makes it", r("cognito.UserPool"),
         says=["violated x.adminCreateUserConfig.allowAdminCreateUserOnly"]),
    case(INVITED, "a pool with a trigger", r("cognito.UserPool", lambdaConfig={"preSignUp": "arn:aws:lambda:x:1:function:f"})),
    case(INVITED, "a trigger that is not known yet", r("cognito.UserPool", lambdaConfig={"preSignUp": UNKNOWN}),
         says=["not proven x.lambdaConfig.preSignUp"]),
    case(INVITED, "not applicable: a topic", TOPIC),
    case(MATCHED, "a rule as it is", r("lb.ListenerRule")),
    case(MATCHED, "another path behind the rule", r("lb.ListenerRule", transforms=REWRITE), says=["violated x.transforms"]),
    case(MATCHED, "transforms that are not known yet", r("lb.ListenerRule", transforms=UNKNOWN),
         says=["not proven x.transforms"]),
    case(MATCHED, "not applicable: a listener", r("lb.Listener")),
    *(case(NARROW, f"a {kind} open to everybody", of_anybody(kind, path), says=[f"violated x.{path}[One].Principal"])
      for kind, path in (
        ("apigateway.RestApiPolicy", "policy"), ("cloudwatch.EventBusPolicy", "policy"),
        ("cloudwatch.LogDestinationPolicy", "accessPolicy"), ("dynamodb.ResourcePolicy", "policy"),
        ("ecr.RegistryPolicy", "policy"), ("kinesis.ResourcePolicy", "policy"), ("kms.ReplicaKey", "policy"),
        ("lambda.ResourcePolicy", "policy"), ("msk.ClusterPolicy", "policy"), ("opensearch.DomainPolicy", "accessPolicies"),
        ("s3.AccessPoint", "policy"), ("s3control.AccessPointPolicy", "policy"), ("s3tables.TableBucketPolicy", "resourcePolicy"),
        ("vpclattice.AuthPolicy", "policy"),
    )),
    case(NARROW, "one endpoint", bounded("vpce-0123", operator="StringEquals")),
    case(NARROW, "every endpoint of every customer", bounded("vpce-*"), says=OPEN),
    case(NARROW, "every network of every customer", bounded("vpc-*", "aws:SourceVpc"), says=OPEN),
    case(NARROW, "every organisation", bounded("o-*", "aws:PrincipalOrgID"), says=OPEN),
    case(NARROW, "a unit of one organisation", bounded("o-1234/*", "aws:PrincipalOrgPaths", "ForAnyValue:StringLike")),
    case(NARROW, "a private API for everybody's endpoints", api(), says=OPEN),
    case(NARROW, "a private API that denies all but one endpoint", api(deny())),
    case(NARROW, "a denial that any endpoint passes", api(deny(value="vpce-*")), says=OPEN),
    case(NARROW, "a denial of another action", api(deny(action="execute-api:ManageConnections")), says=OPEN),
    case(NARROW, "a denial that the right endpoint meets", api(deny("StringEquals")), says=OPEN),
    case(NARROW, "a denial on a second condition", api(deny(Bool={"aws:SecureTransport": "false"})), says=OPEN),
    case(NARROW, "an API on the internet, judged by its paths", api(kinds=["REGIONAL"])),
    case(IDENTITY, "the end of a verb", policy("iam:*Policy"), says=ACTION),
    case(IDENTITY, "reading in small letters", policy("s3:get*")),
    case(IDENTITY, "two asterisks", policy("s3:GetObject", "**"), says=WIDE),
    case(IDENTITY, "every ARN", policy("dynamodb:GetItem", "arn:*"), says=WIDE),
    case(IDENTITY, "every bucket", policy("s3:GetObject", "arn:aws:s3:::*"), says=WIDE),
    case(IDENTITY, "everything of a region", policy("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:123456789012:*"), says=WIDE),
    case(IDENTITY, "handing on every role", policy("iam:PassRole", "arn:aws:iam::123456789012:role/*"), says=WIDE),
    case(IDENTITY, "every secret", policy("secretsmanager:Get*", "arn:aws:secretsmanager:x:123456789012:secret:*"), says=WIDE),
    case(IDENTITY, "the secrets of one application", policy("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:x:1:secret:app/*")),
    case(IDENTITY, "all tables", policy("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:123456789012:table/*")),
    case(GRANTS, "a role of another account", PROVIDER, used(f"arn:aws:iam::{THEIRS}:role/deploy"), says=WIDE),
    case(GRANTS, "a role of the own account", PROVIDER, used(f"arn:aws:iam::{OURS}:role/deploy")),
    *(case(GRANTS, f"{kind} into another account", PROVIDER, r(kind, **properties), says=[f"violated x.{path}"])
      for kind, path, properties in (
        ("backup.Plan", "rules", {"rules": [{"copyActions": [{"destinationVaultArn": f"arn:aws:backup:x:{THEIRS}:backup-vault:v"}]}]}),
        ("cloudwatch.EventPermission", "principal", {"principal": THEIRS}),
        ("ec2.AmiLaunchPermission", "accountId", {"accountId": THEIRS}),
        ("ecr.ReplicationConfiguration", "replicationConfiguration",
         {"replicationConfiguration": {"rules": [{"destinations": [{"registryId": THEIRS}]}]}}),
        ("kms.Grant", "granteePrincipal", {"granteePrincipal": f"arn:aws:iam::{THEIRS}:role/r"}),
        ("oam.Link", "sinkIdentifier", {"sinkIdentifier": f"arn:aws:oam:x:{THEIRS}:sink/s"}),
        ("rds.ClusterSnapshot", "sharedAccounts", {"sharedAccounts": [THEIRS]}),
        ("s3.Inventory", "destination", {"destination": {"bucket": {"accountId": THEIRS}}}),
    )),
    case(GRANTS, "backups copied to a vault of the own account", PROVIDER,
         r("backup.Plan", rules=[{"copyActions": [{"destinationVaultArn": f"arn:aws:backup:x:{OURS}:backup-vault:v"}]}])),
    case(GRANTS, "a grant in the own account", PROVIDER, KEY, r("kms.Grant", granteePrincipal=f"arn:aws:iam::{OURS}:role/r")),
    case("s3-public-bucket", "an object for everyone", r("s3.BucketObjectv2", acl="public-read"), says=["violated x.acl"]),
    case("s3-public-bucket", "an object without a list", r("s3.BucketObjectv2")),
]  # fmt: skip
