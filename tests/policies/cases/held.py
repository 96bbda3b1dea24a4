"""Policies on what holds data and what costs: secrets, keys, topics, buckets, models."""

from __future__ import annotations

import json
from typing import Any

from policies.guardrails.topology.graph.values import Value
from tests.policies.cases.identity import document
from tests.policies.wire import UNKNOWN, case, r

TOPIC = r("sns.Topic", "topic", arn="arn:topic")
KEY = r("kms.Key", "key", id="k1", arn="arn:k1")
USE, NAMED, SECRETS, TLS = (
    "kms-key-use-is-bounded",
    "kms-keys-have-aliases",
    "secretsmanager-secrets-use-keys",
    "sns-topics-require-tls",
)
WRITERS, READERS, VERSIONS = (
    "elb-log-buckets-admit-their-writers",
    "elb-access-logs-have-named-readers",
    "s3-backed-up-buckets-are-versioned",
)
EMBEDS = "bedrock-embeddings-pass-no-guardrail"
MANTLE = "bedrock-mantle-calls-pass-no-guardrail"
BOUND, WATCH = "bedrock-calls-require-the-guardrail", "bedrock-calls-are-watched"
VIA = {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}


def said(*statements: dict[str, Any]) -> str:
    return json.dumps({"Statement": list(statements)})


def deny(action: str, **more: Value) -> dict[str, Any]:
    return {"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": "arn:x", **more}


CLEAR = deny("sns:Publish", Condition={"Bool": {"aws:SecureTransport": "false"}})
BUCKET = r("s3.Bucket", "logs", id="logs", bucket="logs")
EDGE = r("lb.LoadBalancer", "edge", accessLogs={"enabled": True, "bucket": "logs"})
DELIVERY = {
    "Effect": "Allow",
    "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
    "Action": "s3:PutObject",
    "Resource": "arn:x",
}
OLD_DELIVERY = {**DELIVERY, "Principal": {"AWS": "arn:aws:iam::156460612806:root"}}


def bucket_policy(*statements: dict[str, Any], **more: Value) -> dict[str, Any]:
    return r("s3.BucketPolicy", "policy", bucket="logs", **{"policy": said(*statements), **more})


UNCLEAR_POLICY = bucket_policy(policy=UNKNOWN, needs={"policy": TOPIC})
GUARD = r("bedrock.Guardrail", "guard")


def call(**condition: Value) -> dict[str, Any]:
    return {"Sid": "Call", "Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "arn:m",
            **({"Condition": condition} if condition else {})}  # fmt: skip


def guardrail(version: str) -> dict[str, str]:
    return {"bedrock:GuardrailIdentifier": f"arn:guard:{version}"}


MODEL = "arn:aws:bedrock:eu-west-1::foundation-model"
CLAUDE = f"{MODEL}/anthropic.claude-3-haiku-20240307-v1:0"
EMBED: dict[str, Any] = {
    "Sid": "Embed",
    "Effect": "Allow",
    "Action": "bedrock:InvokeModel",
    "Resource": f"{MODEL}/amazon.titan-embed-text-v2:0",
}
OTHERS = deny("bedrock:InvokeModel", Condition={"StringNotLike": guardrail("*")})
ABSENT_PASSES = deny(
    "bedrock:InvokeModel", Condition={"Null": {"bedrock:GuardrailIdentifier": "false"}, "StringNotLike": guardrail("*")}
)
SETS = r("ecs.TaskDefinition", "task",
         containerDefinitions=json.dumps([{"name": "proxy", "command": ["X-Amzn-Bedrock-GuardrailIdentifier: g"]}]))  # fmt: skip
DRAFT = deny("bedrock:InvokeModel", Condition={"StringEquals": guardrail("DRAFT")})


INFER: dict[str, Any] = {
    "Sid": "Infer",
    "Effect": "Allow",
    "Action": "bedrock-mantle:CreateInference",
    "Resource": "arn:aws:bedrock-mantle:eu-west-1:1:project/default",
    "Condition": {"StringEquals": {"bedrock-mantle:Model": "openai.gpt-oss-120b"}},
}
MANAGED = r("iam.Policy", "managed", arn="arn:managed", policy=said(INFER))
TO_MANTLE = r("ec2.VpcEndpoint", "mantle", serviceName="com.amazonaws.eu-west-1.bedrock-mantle")


def calls(*statements: dict[str, Any], **more: Value) -> dict[str, Any]:
    return r("iam.RolePolicy", "calls", **{"policy": said(*statements), **more})


def alarm(logical: str, metric: str) -> dict[str, Any]:
    return r(
        "cloudwatch.MetricAlarm",
        logical,
        metricQueries=[{"metric": {"namespace": "AWS/Bedrock", "metricName": metric}}],
    )


WATCHED = (alarm("tokens", "InputTokenCount"), alarm("throttled", "InvocationThrottles"), r("budgets.Budget", "budget"))
SELECTION = r("backup.Selection", "nightly", resources=["arn:uploads"])
UPLOADS = r("s3.Bucket", "uploads", arn="arn:uploads", id="uploads")


def versions(**more: Value) -> dict[str, Any]:
    return r("s3.BucketVersioning", "versions", bucket="uploads", **more)


CASES = [
    *(
        case(USE, f"a key policy that lets {who} {verb}", r("kms.KeyPolicy", policy=document(action, "*", Principal={"AWS": who}, **more)), says=says)
        for who, verb, action, more, says in (
            ("arn:aws:iam::1:root", "do everything", "kms:*", {}, []),
            ("arn:aws:iam::1:role/deploy", "decrypt", "kms:Decrypt", {}, ["violated x.policy[One].Condition"]),
            ("arn:aws:iam::1:role/deploy", "decrypt by services", "kms:Decrypt", {"Condition": {"StringLike": {"kms:ViaService": "*"}}}, []),
            ("arn:aws:iam::1:role/deploy", "administer it", "kms:PutKeyPolicy", {}, []),
            ("arn:aws:iam::1:role/deploy", "set any tag", "kms:TagResource", {}, ["violated x.policy[One].Condition"]),
            ("arn:aws:iam::1:role/deploy", "set one tag", "kms:TagResource", {"Condition": {"StringEquals": {"aws:RequestTag/a": "b"}}}, []),
            ("arn:aws:iam::1:role/deploy", "remove any tag", "kms:UntagResource", {}, ["violated x.policy[One].Condition"]),
            ("arn:aws:iam::1:role/deploy", "remove some tags", "kms:UntagResource",
             {"Condition": {"ForAllValues:StringNotEquals": {"aws:TagKeys": "a"}}}, []),
        )
    ),
    case(USE, "by one service", r("iam.RolePolicy", policy=document("kms:Decrypt", "arn:k", Condition=VIA))),
    case(USE, "by whoever holds the role", r("iam.RolePolicy", policy=document("kms:Decrypt", "arn:k")), says=["violated x.policy[One].Condition"]),
    case(USE, "no key", r("iam.RolePolicy", policy=document())),
    case(USE, "a denial", r("iam.RolePolicy", policy=document("kms:Decrypt", "arn:k", Effect="Deny"))),
    case(USE, "unknown", r("iam.RolePolicy", policy=UNKNOWN), says=["not proven x.policy"]),
    case(USE, "not applicable", TOPIC),
    case(NAMED, "named", KEY, r("kms.Alias", targetKeyId="k1")),
    case(NAMED, "not named", KEY, says=["violated key"]),
    case(NAMED, "unknown", KEY, r("kms.Alias", targetKeyId=UNKNOWN, needs={"targetKeyId": TOPIC}), says=["not proven key"]),
    case(NAMED, "not applicable", TOPIC),
    case(SECRETS, "a key", r("secretsmanager.Secret", kmsKeyId="arn:k")),
    case(SECRETS, "none", r("secretsmanager.Secret"), says=["violated x.kmsKeyId"]),
    case(SECRETS, "unknown", r("secretsmanager.Secret", kmsKeyId=UNKNOWN, needs={"kmsKeyId": r("kms.Key", "gone")}), says=["not proven x.kmsKeyId"]),
    case(SECRETS, "not applicable", TOPIC),
    case(TLS, "denied", TOPIC, r("sns.TopicPolicy", arn="arn:topic", policy=said(CLEAR))),
    case(TLS, "denied by its own policy", r("sns.Topic", policy=said(CLEAR))),
    case(TLS, "no policy", TOPIC, says=["violated topic.policy"]),
    case(TLS, "another denial", TOPIC, r("sns.TopicPolicy", arn="arn:topic", policy=said(deny("sns:Publish"))), says=["violated topic.policy"]),
    case(TLS, "unknown", TOPIC, r("sns.TopicPolicy", "p", arn="arn:topic", policy=UNKNOWN, needs={"policy": KEY}), says=["not proven p.policy"]),
    case(TLS, "not applicable", KEY),
    case(WRITERS, "the delivery writes", BUCKET, EDGE, bucket_policy(DELIVERY)),
    case(WRITERS, "the delivery of an old region writes", BUCKET, EDGE, bucket_policy(OLD_DELIVERY)),
    case(WRITERS, "nobody writes", BUCKET, EDGE, bucket_policy(deny("s3:*")), says=["violated edge.accessLogs.bucket"]),
    case(WRITERS, "the delivery may only read", BUCKET, EDGE, bucket_policy({**DELIVERY, "Action": "s3:GetObject"}),
         says=["violated edge.accessLogs.bucket"]),
    case(WRITERS, "no policy", BUCKET, EDGE, says=["violated edge.accessLogs.bucket"]),
    case(WRITERS, "switched off", BUCKET, r("lb.LoadBalancer", accessLogs={"enabled": False, "bucket": "logs"})),
    case(WRITERS, "unknown", BUCKET, EDGE, UNCLEAR_POLICY, says=["not proven policy.policy"]),
    case(WRITERS, "not applicable", TOPIC),
    case(READERS, "named", BUCKET, EDGE, bucket_policy(deny("s3:Get*", Condition={"ArnNotLike": {"aws:PrincipalArn": "arn:reader"}}))),
    case(READERS, "nobody", BUCKET, EDGE, bucket_policy(deny("s3:GetObject"))),
    case(READERS, "whoever may read every bucket", BUCKET, EDGE, bucket_policy(DELIVERY), says=["violated logs.policy"]),
    case(READERS, "a denial of clear text only", BUCKET, EDGE, bucket_policy(deny("s3:*", Condition={"Bool": {"aws:SecureTransport": "false"}})),
         says=["violated logs.policy"]),
    case(READERS, "unknown", BUCKET, EDGE, UNCLEAR_POLICY, says=["not proven policy.policy"]),
    case(READERS, "not applicable", TOPIC),
    case(VERSIONS, "versioned", UPLOADS, SELECTION, versions(versioningConfiguration={"status": "Enabled"})),
    case(VERSIONS, "not versioned", UPLOADS, SELECTION, says=["violated uploads"]),
    case(VERSIONS, "suspended", UPLOADS, SELECTION, versions(versioningConfiguration={"status": "Suspended"}),
         says=["violated versions.versioningConfiguration.status"]),
    case(VERSIONS, "unknown", UPLOADS, SELECTION, versions(versioningConfiguration=UNKNOWN, needs={"versioningConfiguration": TOPIC}),
         says=["not proven versions.versioningConfiguration.status"]),
    case(VERSIONS, "not applicable", TOPIC),
    case(BOUND, "bounded", GUARD, calls(call(StringLike=guardrail("*")), OTHERS, DRAFT)),
    case(BOUND, "one version", GUARD, calls(call(StringEquals=guardrail("1")), OTHERS)),
    case(BOUND, "without the guardrail", GUARD, calls(call(), OTHERS, DRAFT), says=["violated calls.policy[Call].Condition"]),
    case(BOUND, "set by the proxy", GUARD, SETS, calls(call(), ABSENT_PASSES, DRAFT)),
    case(BOUND, "set by the proxy, and no denial", GUARD, SETS, calls(call(), DRAFT), says=["violated calls.policy"]),
    case(BOUND, "set by the proxy, with a draft", GUARD, SETS, calls(call(), ABSENT_PASSES), says=["violated calls.policy"]),
    case(BOUND, "a proxy that sets nothing", GUARD, r("ecs.TaskDefinition", "task", containerDefinitions="[]"),
         calls(call(), ABSENT_PASSES, DRAFT), says=["violated calls.policy[Call].Condition"]),
    case(BOUND, "a task that is not known", GUARD, r("ecs.TaskDefinition", "task", containerDefinitions=UNKNOWN, needs={"containerDefinitions": TOPIC}),
         calls(call(), ABSENT_PASSES, DRAFT), says=["not proven calls.policy[Call].Condition"]),
    case(BOUND, "an embedding model", GUARD, calls(EMBED, OTHERS, DRAFT)),
    case(BOUND, "an embedding model and another one", GUARD, calls({**EMBED, "Resource": [EMBED["Resource"], CLAUDE]}, OTHERS, DRAFT),
         says=["violated calls.policy[Embed].Condition"]),
    case(BOUND, "embedding models by a pattern", GUARD, calls({**EMBED, "Resource": f"{MODEL}/amazon.titan-embed-text-*"}, OTHERS, DRAFT),
         says=["violated calls.policy[Embed].Condition"]),
    case(BOUND, "an embedding model with a stream", GUARD,
         calls({**EMBED, "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]}, OTHERS, DRAFT),
         says=["violated calls.policy[Embed].Condition"]),
    case(EMBEDS, "an embedding model", GUARD, calls(EMBED, OTHERS, DRAFT), says=["violated calls.policy[Embed]"]),
    case(EMBEDS, "chats only", GUARD, calls(call(StringLike=guardrail("*")), OTHERS, DRAFT)),
    case(EMBEDS, "not applicable: no guardrail", calls(EMBED)),
    # bedrock-calls-require-the-guardrail reports the policy that is not known.
    case(EMBEDS, "unknown", GUARD, calls(policy=UNKNOWN, needs={"policy": TOPIC})),
    case(MANTLE, "a grant", calls(INFER), says=["violated calls.policy[Infer]"]),
    case(MANTLE, "a grant by a pattern", calls({**INFER, "Action": "bedrock-mantle:*"}), says=["violated calls.policy[Infer]"]),
    case(MANTLE, "a grant of everything", calls({**INFER, "Action": "*"})),
    case(MANTLE, "a denial", calls({**INFER, "Effect": "Deny"})),
    case(MANTLE, "a managed policy that is attached", MANAGED, r("iam.RolePolicyAttachment", "to-role", role="x", policyArn="arn:managed"),
         says=["violated managed.policy[Infer]"]),
    case(MANTLE, "a boundary", MANAGED),
    case(MANTLE, "an endpoint alone", TO_MANTLE, calls(EMBED)),
    case(MANTLE, "unknown", TO_MANTLE, calls(policy=UNKNOWN, needs={"policy": TOPIC}), says=["not proven mantle.serviceName"]),
    case(MANTLE, "unknown without an endpoint", calls(policy=UNKNOWN, needs={"policy": TOPIC})),
    case(MANTLE, "not applicable", TOPIC),
    case(BOUND, "no denial", GUARD, calls(call(StringEquals=guardrail("1"))), says=["violated calls.policy"]),
    case(BOUND, "a draft", GUARD, calls(call(StringLike=guardrail("*")), OTHERS), says=["violated calls.policy"]),
    case(BOUND, "no calls", GUARD, calls({**call(), "Action": "s3:GetObject"})),
    case(BOUND, "no guardrail", calls(call())),
    case(BOUND, "unknown", GUARD, calls(policy=UNKNOWN, needs={"policy": TOPIC}), says=["not proven calls.policy"]),
    case(BOUND, "not applicable", TOPIC),
    case(WATCH, "watched", GUARD, *WATCHED),
    case(WATCH, "nothing", GUARD, says=["violated guard"] * 3),
    case(WATCH, "no budget", GUARD, *WATCHED[:2], says=["violated guard"]),
    case(WATCH, "unknown", GUARD, WATCHED[2], r("cloudwatch.MetricAlarm", "a", metricQueries=UNKNOWN, needs={"metricQueries": TOPIC}),
         says=["not proven guard"] * 2),
    case(WATCH, "bedrock-mantle, watched", TO_MANTLE, alarm("in", "TotalInputTokens"), alarm("refused", "InferenceClientErrors"), WATCHED[2]),
    case(WATCH, "bedrock-mantle, unwatched", TO_MANTLE, says=["violated mantle"] * 3),
    case(WATCH, "not applicable", TOPIC),
    case("iam-resource-policies-are-narrow", "a topic's grant on everything", r("sns.TopicPolicy", policy=document("sns:Publish", "*", Principal={
         "AWS": "arn:aws:iam::123456789012:role/a"})), says=["violated x.policy[One].Resource"]),
    case("iam-resource-policies-are-narrow", "a key's grant of every service's actions", r("kms.KeyPolicy", policy=document("*", "*", Principal={
         "AWS": "arn:aws:iam::123456789012:root"})), says=["violated x.policy[One].Action"]),
    case("s3-buckets-have-lifecycles", "a rule that is switched off", BUCKET, r("s3.BucketLifecycleConfiguration", "days", bucket="logs", rules=[
         {"status": "Disabled", "expiration": {"days": 1}}]), says=["violated days.rules[0].status"]),
    case("s3-buckets-have-lifecycles", "a rule that does nothing", BUCKET, r("s3.BucketLifecycleConfiguration", "days", bucket="logs", rules=[
         {"status": "Enabled"}]), says=["violated days.rules[0]"]),
    case("rds-events-are-announced", "one database twice", r("rds.EventSubscription", snsTopic="arn:t", sourceIds=["a", "a"]),
         r("rds.Cluster", "db"), says=["violated db", "violated db", "violated x.sourceIds"][-1:]),
]  # fmt: skip
