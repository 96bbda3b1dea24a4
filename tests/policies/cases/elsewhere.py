"""Policies on what leads out of a stack: other accounts, other networks, other identity providers, names, logs."""

from __future__ import annotations

import json
from typing import Any

from policies.guardrails.topology.graph.values import Value
from tests.policies.cases.containers import GOOD, UNKNOWN_TASK
from tests.policies.cases.edge import FORWARD, login
from tests.policies.cases.firewalls import EMPTY, LOGIN, REDACTED, logs
from tests.policies.cases.identity import document, trust
from tests.policies.cases.network import BASE, CLOSED, DATABASE, LOG, PLACES, TASKS, VPC, ingress, service
from tests.policies.wire import UNKNOWN, case, r

TOPIC = r("sns.Topic", "topic")
OURS, THEIRS = "123456789012", "210987654321"
PROVIDER: dict[str, Any] = {
    **r("ec2.Vpc", "aws", allowedAccountIds=json.dumps([OURS])),
    "urn": "urn:pulumi:test::project::pulumi:providers:aws::aws",
    "type": "pulumi:providers:aws",
}
KEY = r("kms.Key", "k", arn=f"arn:aws:kms:eu-west-1:{OURS}:key/1")


def arn(account: str, what: str = "sns", name: str = "alarms") -> str:
    return f"arn:aws:{what}:eu-west-1:{account}:{name}"


def acl(grantee: dict[str, str]) -> dict[str, Any]:
    """An access list with one grant."""
    grants = [{"permission": "READ", "grantee": grantee}]
    return r("s3.BucketAcl", accessControlPolicy={"owner": {"id": "a" * 64}, "grants": grants})


def alarm(**more: Value) -> dict[str, Any]:
    return r("cloudwatch.MetricAlarm", **{"alarmActions": [arn(OURS)], **more})


def role(account: str) -> dict[str, Any]:
    return trust({"AWS": f"arn:aws:iam::{account}:root"})


def task(**more: Value) -> dict[str, Any]:
    return r("ecs.TaskDefinition", containerDefinitions=json.dumps([{**GOOD, **more}]))


HTTPS = r("lb.Listener", "https", protocol="HTTPS", defaultActions=[{"type": "fixed-response"}])


def pages(name: str, *hosts: str, **changed: Value) -> dict[str, Any]:
    conditions = [{"hostHeader": {"values": list(hosts)}}] if hosts else [{"pathPattern": {"values": ["/x"]}}]
    return r("lb.ListenerRule", name, listenerArn=UNKNOWN, conditions=conditions, actions=[login(**changed), FORWARD],
             needs={"listenerArn": HTTPS, **changed.pop("needs", {})})  # fmt: skip


def pool(name: str, arn_: str) -> dict[str, Any]:
    action = {
        "type": "authenticate-cognito",
        "authenticateCognito": {"userPoolArn": arn_, "userPoolClientId": "c", "userPoolDomain": "d"},
    }
    return r("lb.ListenerRule", name, listenerArn=UNKNOWN, actions=[action, FORWARD], needs={"listenerArn": HTTPS})


STRANGE = "violated c.actions[0].authenticateOidc"
A, B = pages("a", "chat.example.com"), pages("b", "chat.example.com")
PEER = r("ec2.VpcPeeringConnection", "peer", vpcId=UNKNOWN, peerVpcId="vpc-9", needs={"vpcId": VPC})
NAMES = r("route53.ResolverFirewallRuleGroup", "names")
RECORDED = (
    VPC,
    NAMES,
    r(
        "route53.ResolverFirewallRuleGroupAssociation",
        "a",
        vpcId=UNKNOWN,
        mutationProtection="ENABLED",
        needs={"vpcId": VPC},
    ),
    r("route53.ResolverQueryLogConfigAssociation", "q", resourceId=UNKNOWN, needs={"resourceId": VPC}),
)


def domains(name: str, *listed: str) -> dict[str, Any]:
    return r("route53.ResolverFirewallDomainList", name, domains=list(listed))


def named(logical: str, action: str, priority: int, about: dict[str, Any], **more: Value) -> dict[str, Any]:
    return r("route53.ResolverFirewallRule", logical, action=action, priority=priority, firewallRuleGroupId=UNKNOWN,
             firewallDomainListId=UNKNOWN, **more, needs={"firewallRuleGroupId": NAMES, "firewallDomainListId": about})  # fmt: skip


NEEDED, EVERYTHING, WIDE = domains("needed", "api.example.com"), domains("everything", "*"), domains("wide", "*.com")
UNKNOWN_NAMES = r("route53.ResolverFirewallDomainList", "needed", domains=UNKNOWN, needs={"domains": TOPIC})
ALLOWED, REST = named("allowed", "ALLOW", 100, NEEDED), named("rest", "BLOCK", 200, EVERYTHING)
FILTERED = (*RECORDED, NEEDED, EVERYTHING, ALLOWED, REST)
IDENTITY: tuple[dict[str, Any], ...] = tuple(
    {"singleHeader": {"name": f"x-amzn-oidc-{name}"}} for name in ("accesstoken", "data", "identity")
)


def invocations(**more: Value) -> dict[str, Any]:
    quiet = dict.fromkeys(
        (
            "textDataDeliveryEnabled",
            "imageDataDeliveryEnabled",
            "embeddingDataDeliveryEnabled",
            "videoDataDeliveryEnabled",
        ),
        False,
    )
    return r("bedrockmodel.InvocationLoggingConfiguration", loggingConfig={**quiet, **more})


def parameters(**values: Value) -> dict[str, Any]:
    return r(
        "rds.ClusterParameterGroup",
        parameters=[{"name": key.replace("__", "."), "value": value} for key, value in values.items()],
    )


STAY, JOIN, AGREE, FILTER, QUIET = (
    "iam-grants-stay-in-the-account", "vpc-joined-networks-are-named", "elb-logins-agree", "route53-names-are-filtered", "bedrock-prompts-are-not-logged",
)  # fmt: skip
GROUPS, HOLDS = "vpc-interfaces-name-their-groups", "waf-logs-hold-no-identity"
CASES = [
    case(STAY, "one's own account, by the provider", PROVIDER, role(OURS), alarm()),
    case(STAY, "one's own account, by most ARNs", KEY, role(OURS)),
    case(STAY, "one's own account, by name alone", PROVIDER, trust({"AWS": OURS})),
    case(STAY, "a role for somebody else", PROVIDER, role(THEIRS), says=["violated x.assumeRolePolicy[One].Principal"]),
    case(STAY, "a role for somebody else, by most ARNs", KEY, role(THEIRS), says=["violated x.assumeRolePolicy[One].Principal"]),
    case(STAY, "a role for somebody else by number", PROVIDER, trust({"AWS": THEIRS}), says=["violated x.assumeRolePolicy[One].Principal"]),
    case(STAY, "a role for a service", PROVIDER, trust({"Service": "ecs-tasks.amazonaws.com"})),
    case(STAY, "a denial for somebody else", PROVIDER, trust({"AWS": THEIRS}, Effect="Deny")),
    case(STAY, "a bucket that load balancers of an old region write to", PROVIDER, r("s3.BucketPolicy", policy=json.dumps({"Statement": {
         "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::156460612806:root"}, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"}}))),
    case(STAY, "somebody else's topic", PROVIDER, alarm(alarmActions=[arn(THEIRS)]), says=["violated x.alarmActions"]),
    case(STAY, "an access list for a user of another account", PROVIDER, acl({"type": "CanonicalUser", "id": "b" * 64}),
         says=["violated x.accessControlPolicy.grants[0].grantee.id"]),
    case(STAY, "an access list for an address", PROVIDER, acl({"type": "AmazonCustomerByEmail", "emailAddress": "a@b.example"}),
         says=["violated x.accessControlPolicy.grants[0].grantee.emailAddress"]),
    case(STAY, "an access list for the owner", PROVIDER, acl({"type": "CanonicalUser", "id": "a" * 64})),
    case(STAY, "an access list for CloudFront's logs", PROVIDER,
         acl({"type": "CanonicalUser", "id": "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0"})),
    case(STAY, "every log of the account, for another account", PROVIDER, r("cloudwatch.LogAccountPolicy", policyType="SUBSCRIPTION_FILTER_POLICY",
         policyDocument=json.dumps({"DestinationArn": arn(THEIRS, "logs", "destination:all")})), says=["violated x.policyDocument"]),
    case(STAY, "every log of the account, for oneself", PROVIDER, r("cloudwatch.LogAccountPolicy", policyType="SUBSCRIPTION_FILTER_POLICY",
         policyDocument=json.dumps({"DestinationArn": arn(OURS, "lambda", "function:all")}))),
    case(STAY, "one's own topic that is not known yet", PROVIDER, TOPIC, alarm(alarmActions=UNKNOWN, needs={"alarmActions": TOPIC})),
    case(STAY, "a topic that is not known", PROVIDER, alarm(alarmActions=UNKNOWN, needs={"alarmActions": r("sns.Topic", "gone")}),
         says=["not proven x.alarmActions"]),
    case(STAY, "somebody else's image", PROVIDER, task(image=GOOD["image"].replace(OURS, THEIRS)),
         says=["violated x.containerDefinitions[api].image"]),
    case(STAY, "somebody else's secret", PROVIDER, task(secrets=[{"name": "A", "valueFrom": arn(THEIRS, "secretsmanager", "secret:a")}]),
         says=["violated x.containerDefinitions[api].secrets"]),
    case(STAY, "one's own image and secret", PROVIDER, task()),
    case(STAY, "AWS's image of a log router", PROVIDER, task(image="906394416424.dkr.ecr.eu-west-1.amazonaws.com/aws-for-fluent-bit:2")),
    case(STAY, "an endpoint service for somebody else", PROVIDER, r("ec2.VpcEndpointService", allowedPrincipals=[f"arn:aws:iam::{THEIRS}:root"]),
         says=["violated x.allowedPrincipals"]),
    case(STAY, "somebody else's key", PROVIDER, r("cloudwatch.LogGroup", kmsKeyId=arn(THEIRS, "kms", "key/1")), says=["violated x.kmsKeyId"]),
    case(STAY, "a role for an account, while one's own is not known", role(THEIRS), says=["violated x.assumeRolePolicy[One].Principal"]),
    case(STAY, "a destination, while one's own account is not known", alarm(alarmActions=[arn(THEIRS)]), says=["not proven x.alarmActions"]),
    case(STAY, "one's own account, by the owner of a key", r("kms.Key", policy=document("kms:*", "*", Principal={"AWS": f"arn:aws:iam::{OURS}:root"})),
         role(OURS)),
    case(STAY, "unknown", PROVIDER, r("iam.Role", assumeRolePolicy=UNKNOWN, needs={"assumeRolePolicy": TOPIC}),
         says=["not proven x.assumeRolePolicy"]),
    case(STAY, "unknown containers", PROVIDER, UNKNOWN_TASK, says=["not proven x.containerDefinitions"]),
    case(STAY, "not applicable", r("ecs.Cluster")),
    case(JOIN, "networks with a way to a database behind Lattice", r("vpclattice.ResourceConfiguration", "database"),
         r("vpclattice.ServiceNetworkResourceAssociation"), says=["not proven x"]),
    case(JOIN, "none", VPC),
    case(JOIN, "a peer, and a rule for every private address", *BASE, *PLACES, TASKS, service(), PEER, ingress(TASKS, cidrIpv4="10.0.0.0/8"),
         says=["violated peer"]),
    case(JOIN, "a peer that no rule admits", *CLOSED, PEER, says=["not proven peer"]),
    case(JOIN, "a peer, and a rule for one's own network", *BASE, *PLACES, TASKS, service(), PEER, ingress(TASKS, cidrIpv4="10.0.0.0/16"),
         says=["not proven peer"]),
    case(JOIN, "a transit gateway", r("ec2transitgateway.VpcAttachment", vpcId="vpc-1"), says=["not proven x"]),
    case(JOIN, "a VPN", r("ec2.VpnConnection", type="ipsec.1"), says=["not proven x"]),
    case(JOIN, "not applicable", TOPIC),
    case(AGREE, "one provider", HTTPS, A, B),
    case(AGREE, "another issuer on one rule", HTTPS, A, B, pages("c", "chat.example.com", issuer="https://evil.example.com"),
         says=[f"{STRANGE}.issuer"]),
    case(AGREE, "another issuer on a rule for every host", HTTPS, A, B, pages("c", issuer="https://evil.example.com"),
         says=[f"{STRANGE}.issuer"]),
    case(AGREE, "another client and cookie", HTTPS, A, B, pages("c", "CHAT.example.com", clientId="else", sessionCookieName="else"),
         says=[f"{STRANGE}.clientId", f"{STRANGE}.sessionCookieName"]),
    case(AGREE, "a cookie that is the default", HTTPS, A, pages("b", "chat.example.com", sessionCookieName="AWSELBAuthSessionCookie")),
    case(AGREE, "another host", HTTPS, A, B, pages("c", "admin.example.com", issuer="https://other.example.com")),
    case(AGREE, "another host on another listener", HTTPS, A, r("lb.ListenerRule", "c", listenerArn="arn:other",
         actions=[login(issuer="https://other.example.com")])),
    case(AGREE, "the listener's own login", {**HTTPS, "inputs": {"defaultActions": [login(issuer="https://other.example.com")]}}, A, B,
         says=["violated https.defaultActions[0].authenticateOidc.issuer"]),
    case(AGREE, "two user pools", HTTPS, pool("a", "arn:pool"), pool("b", "arn:pool"), pool("c", "arn:other"),
         says=["violated c.actions[0].authenticateCognito.userPoolArn"]),
    case(AGREE, "a pool and a provider, which are different logins", HTTPS, A, pool("b", "arn:pool")),
    case(AGREE, "unknown", HTTPS, A, r("lb.ListenerRule", "c", listenerArn=UNKNOWN, actions=[login(issuer=UNKNOWN)],
         needs={"listenerArn": HTTPS, "actions": TOPIC}), says=["not proven c.actions[0].authenticateOidc.issuer"]),
    case(AGREE, "all of them unknown, from one place", HTTPS, *(r("lb.ListenerRule", name, listenerArn=UNKNOWN, actions=[login(issuer=UNKNOWN)],
         needs={"listenerArn": HTTPS, "actions": TOPIC}) for name in "ab")),
    case(AGREE, "not applicable", TOPIC),
    case(FILTER, "filtered and recorded", *FILTERED),
    case(FILTER, "neither", VPC, says=["violated vpc", "violated vpc"]),
    case(FILTER, "an association that anybody may take off", *FILTERED,
         r("route53.ResolverFirewallRuleGroupAssociation", "b", vpcId="vpc-1"), says=["violated b.mutationProtection"]),
    case(FILTER, "a group that blocks nothing", *RECORDED, NEEDED, ALLOWED, says=["violated names"]),
    case(FILTER, "a group that blocks some", *RECORDED, NEEDED, ALLOWED, named("rest", "BLOCK", 200, NEEDED), says=["violated names"]),
    case(FILTER, "every name before the rest is blocked", *RECORDED, EVERYTHING, named("allowed", "ALLOW", 100, EVERYTHING), REST,
         says=["violated allowed.firewallDomainListId", "violated names"]),
    case(FILTER, "every name of a top-level domain", *RECORDED, WIDE, EVERYTHING, named("allowed", "ALLOW", 100, WIDE), REST,
         says=["violated allowed.firewallDomainListId", "violated names"]),
    case(FILTER, "every name only alerted", *RECORDED, EVERYTHING, named("allowed", "ALERT", 100, EVERYTHING), REST,
         says=["violated allowed.firewallDomainListId", "violated names"]),
    case(FILTER, "every name after the rest is blocked", *FILTERED, named("late", "ALLOW", 300, EVERYTHING)),
    case(FILTER, "no name is allowed", *RECORDED, EVERYTHING, REST, says=["violated names"]),
    case(FILTER, "a list of AWS", *RECORDED, EVERYTHING, REST, r("route53.ResolverFirewallRule", "aws", action="BLOCK", priority=1,
         firewallRuleGroupId=UNKNOWN, firewallDomainListId="rslvr-fdl-1", needs={"firewallRuleGroupId": NAMES})),
    case(FILTER, "a list that is not known, and nothing else", *RECORDED, UNKNOWN_NAMES, named("rest", "BLOCK", 1, UNKNOWN_NAMES),
         says=["not proven names"]),
    case(FILTER, "a block that a redirection passes", *FILTERED,
         named("denied", "BLOCK", 50, NEEDED, firewallDomainRedirectionAction="TRUST_REDIRECTION_DOMAIN"),
         says=["violated denied.firewallDomainRedirectionAction"]),
    case(FILTER, "an allowed domain whose redirection is trusted", *RECORDED, NEEDED, EVERYTHING, REST,
         named("allowed", "ALLOW", 100, NEEDED, firewallDomainRedirectionAction="TRUST_REDIRECTION_DOMAIN")),
    case(FILTER, "failing open", r("route53.ResolverFirewallConfig", firewallFailOpen="ENABLED"), says=["violated x.firewallFailOpen"]),
    case(FILTER, "failing closed", r("route53.ResolverFirewallConfig", firewallFailOpen="DISABLED")),
    case(FILTER, "unknown", r("route53.ResolverFirewallConfig", firewallFailOpen=UNKNOWN, needs={"firewallFailOpen": TOPIC}),
         says=["not proven x.firewallFailOpen"]),
    case(FILTER, "not applicable", TOPIC),
    case(QUIET, "invocations are not logged whole", invocations()),
    case(QUIET, "prompts are logged", invocations(textDataDeliveryEnabled=True), says=["violated x.loggingConfig.textDataDeliveryEnabled"]),
    case(QUIET, "everything is logged by default", r("bedrockmodel.InvocationLoggingConfiguration", loggingConfig={}), says=[
         f"violated x.loggingConfig.{name}DataDeliveryEnabled" for name in ("text", "image", "embedding", "video")]),
    case(QUIET, "statements without their values", parameters(log_statement="ddl", pgaudit__log="ddl, role", log_min_duration_statement="-1")),
    case(QUIET, "statements", parameters(log_statement="all", pgaudit__log="ddl,write"),
         says=["violated x.parameters[log_statement]", "violated x.parameters[pgaudit.log]"]),
    case(QUIET, "slow statements with their values", parameters(log_min_duration_statement="500"),
         says=["violated x.parameters[log_min_duration_statement]"]),
    case(QUIET, "slow statements without their values", parameters(log_min_duration_statement="500", log_parameter_max_length="0")),
    case(QUIET, "a parameter that is not known", r("rds.ParameterGroup", parameters=[{"name": "log_statement", "value": UNKNOWN}]),
         says=["not proven x.parameters[log_statement]"]),
    case(QUIET, "requests of an API", r("apigateway.MethodSettings", settings={"dataTraceEnabled": True}), says=["violated x.settings.dataTraceEnabled"]),
    case(QUIET, "errors of an API", r("appsync.GraphQLApi", logConfig={"fieldLogLevel": "ERROR"})),
    case(QUIET, "unknown", r("rds.ParameterGroup", parameters=UNKNOWN), says=["not proven x.parameters"]),
    case(QUIET, "not applicable", TOPIC),
    case(GROUPS, "named", *CLOSED, DATABASE),
    case(GROUPS, "none", *BASE, *PLACES, r("ecs.Service", networkConfiguration={"subnets": ["subnet-1"]}),
         r("lb.LoadBalancer", "edge"), r("rds.Instance", "db"), says=["violated x.networkConfiguration.securityGroups",
         "violated edge.securityGroups", "violated db.vpcSecurityGroupIds"]),
    case(GROUPS, "a network load balancer, which may have none", r("lb.LoadBalancer", loadBalancerType="network")),
    case(GROUPS, "unknown", r("rds.Instance", vpcSecurityGroupIds=UNKNOWN, needs={"vpcSecurityGroupIds": TOPIC}),
         says=["not proven x.vpcSecurityGroupIds"]),
    case(GROUPS, "not applicable", LOG),
    case(HOLDS, "no copies of identity headers", LOGIN, EMPTY, logs(EMPTY, *REDACTED, *IDENTITY)),
    case(HOLDS, "a copy of one", LOGIN, EMPTY, logs(EMPTY, *REDACTED, *IDENTITY[:2]), says=["violated logs.redactedFields"]),
    case(HOLDS, "copies, without a login at the load balancer", EMPTY, logs(EMPTY, *REDACTED)),
    case(HOLDS, "unknown", LOGIN, EMPTY, logs(EMPTY, redactedFields=UNKNOWN, needs={"resourceArn": EMPTY, "redactedFields": TOPIC}),
         says=["not proven logs.redactedFields"]),
    case(HOLDS, "not applicable", TOPIC),
    case("waf-logs-redacted", "the log of another service", EMPTY,
         logs(EMPTY, *REDACTED, logDestinationConfigs=["arn:aws:logs:eu-west-1:1:log-group:/app/insights"]),
         says=["violated logs.logDestinationConfigs[0]"]),
    case("waf-logs-redacted", "a bucket and a stream", EMPTY, logs(EMPTY, *REDACTED, logDestinationConfigs=[
         "arn:aws:s3:::aws-waf-logs-x", "arn:aws:firehose:eu-west-1:1:deliverystream/aws-waf-logs-x"])),
]  # fmt: skip
