"""Policies on what leaves the AWS provider: templates, other providers, endpoints of the provider, public issuers."""

from __future__ import annotations

import json
from typing import Any

from policies.guardrails.topology.graph.values import Value
from tests.policies.cases.containers import UNKNOWN_TASK
from tests.policies.cases.edge import login
from tests.policies.wire import UNKNOWN, case, r

TOPIC = r("sns.Topic", "topic")
INSIDE, AWS, KNOWN = "iam-documents-elsewhere-are-narrow", "stack-requests-reach-aws", "elb-logins-admit-known-users"
OPEN = {
    "Statement": [{"Sid": "One", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:x"}]
}
EVERYWHERE = "0.0.0.0"  # noqa: S104 - what a configuration under test says
GOOGLE = "https://accounts.google.com"


def other(type_: str, **properties: Value) -> dict[str, Any]:
    """A resource of another provider."""
    return {**r("sns.Topic", **properties), "type": type_, "urn": f"urn:pulumi:test::project::{type_}::x"}


def template(**resources: Value) -> dict[str, Any]:
    return r("cloudformation.Stack", templateBody=json.dumps({"Resources": resources}))


def bounded(**condition: Value) -> dict[str, Any]:
    return {"Statement": [{**OPEN["Statement"][0], "Condition": condition}]}


def provider(**properties: Value) -> dict[str, Any]:
    return other("pulumi:providers:aws", **properties)


def rule(**more: Value) -> dict[str, Any]:
    return r("lb.ListenerRule", actions=[login(**more)])


PROXY = r("ecs.TaskDefinition", "proxy", containerDefinitions=json.dumps([{"name": "proxy", "command": [json.dumps({
    "static_resources": {"listeners": [{"name": "in", "address": {"socket_address": {"address": EVERYWHERE, "port_value": 8443}},
        "filter_chains": [{"transport_socket": {}, "filters": [{"name": "h", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "http_filters": [{"name": "jwt", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
                "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "p"}}]}}]}}]}]}]}})]}]))  # fmt: skip
ZONE = r("route53.Zone", "zone", zoneId="Z1", name="sts.eu-west-1.amazonaws.com", vpcs=[{"vpcId": "vpc-1"}])
ENDPOINT = r("ec2.VpcEndpoint", "endpoint", vpcId="vpc-1")


def record(**more: Value) -> dict[str, Any]:
    return r("route53.Record", "record", zoneId="Z1", name="sts.eu-west-1.amazonaws.com", type="A", **more)


CASES = [
    case(INSIDE, "a native policy for one role", other("aws-native:s3:BucketPolicy", policyDocument=bounded(
         StringEquals={"aws:PrincipalAccount": "123456789012"}))),
    case(INSIDE, "a native policy for everyone", other("aws-native:s3:BucketPolicy", policyDocument=OPEN),
         says=["violated aws-native:s3:BucketPolicy"]),
    case(INSIDE, "a native policy for everyone, as text", other("awscc:sqs/queuePolicy:QueuePolicy", policyDocument=json.dumps(OPEN)),
         says=["violated awscc:sqs/queuePolicy:QueuePolicy"]),
    case(INSIDE, "a switch", other("aws-native:rds:DbInstance", publiclyAccessible=True), says=["violated aws-native:rds:DbInstance"]),
    case(INSIDE, "a switch that is off", other("aws-native:rds:DbInstance", publiclyAccessible=False)),
    case(INSIDE, "a port for everyone", other("aws-native:ec2:SecurityGroupIngress", ipProtocol="tcp", fromPort=22, toPort=22, cidrIp="0.0.0.0/0"),
         says=["violated aws-native:ec2:SecurityGroupIngress"]),
    case(INSIDE, "a web port for everyone", other("aws-native:ec2:SecurityGroupIngress", ipProtocol="tcp", fromPort=443, toPort=443,
         cidrIp="0.0.0.0/0")),
    case(INSIDE, "outward to everyone", other("aws-native:ec2:SecurityGroupEgress", ipProtocol="-1", cidrIp="0.0.0.0/0")),
    case(INSIDE, "a template with a public database", template(D={"Properties": {"PubliclyAccessible": True}}),
         says=["violated x.templateBody.Resources.D.Properties.PubliclyAccessible"]),
    case(INSIDE, "a template with a topic", template(T={"Properties": {"TopicName": "t"}})),
    case(INSIDE, "a template that is not known", r("cloudformation.Stack", templateBody=UNKNOWN), says=["not proven x.templateBody"]),
    case(INSIDE, "not applicable: a topic", TOPIC),
    case(AWS, "the provider as it is", provider(region="eu-west-1")),
    case(AWS, "an endpoint of AWS", provider(endpoints=json.dumps([{"s3": "https://s3.eu-west-1.amazonaws.com"}]))),
    case(AWS, "an endpoint elsewhere", provider(endpoints=json.dumps([{"s3": "https://s3.example.com"}])), says=["violated pulumi:providers:aws"]),
    case(AWS, "an endpoint that is not known", provider(endpoints=UNKNOWN, needs={"endpoints": TOPIC}), says=["not proven pulumi:providers:aws"]),
    case(AWS, "no verification", provider(insecure="true"), says=["violated pulumi:providers:aws"]),
    case(AWS, "verification, in words", provider(insecure="false")),
    case(AWS, "a zone with an address of one's own", ZONE, record(records=["10.0.0.9"]), says=["violated record.records"]),
    case(AWS, "a zone for an endpoint", ZONE, ENDPOINT, record(aliases=UNKNOWN, needs={"aliases": ENDPOINT})),
    case(AWS, "a zone for an endpoint, by its name", ZONE, record(aliases=[{"name": "vpce-1.sts.eu-west-1.vpce.amazonaws.com"}])),
    case(AWS, "a zone of which no record is here", ZONE, says=["not proven zone.name"]),
    case(AWS, "a public zone", r("route53.Zone", name="example.com")),
    case(AWS, "not applicable: a topic", TOPIC),
    case(KNOWN, "the team's own provider", rule(issuer="https://login.example.com")),
    case(KNOWN, "everyone", rule(issuer=GOOGLE), says=["violated x.actions[0].authenticateOidc.issuer"]),
    case(KNOWN, "everyone, restricted by the proxy", rule(issuer=GOOGLE), PROXY),
    case(KNOWN, "everyone, and a task that is not known", rule(issuer=GOOGLE), UNKNOWN_TASK,
         says=["not proven x.actions[0].authenticateOidc.issuer"]),
    case(KNOWN, "a social provider", r("cognito.IdentityProvider", providerType="Google", userPoolId="p"), says=["violated x.providerType"]),
    case(KNOWN, "the team's SAML", r("cognito.IdentityProvider", providerType="SAML", userPoolId="p")),
    case(KNOWN, "not applicable: a topic", TOPIC),
]  # fmt: skip
