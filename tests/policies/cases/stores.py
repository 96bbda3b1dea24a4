"""Policies on caches, copies, keys of stores, PostgreSQL's log, Bedrock guardrails and permissions boundaries."""

from __future__ import annotations

from typing import Any

from policies.guardrails.topology.graph.values import Value
from tests.policies.wire import UNKNOWN, case, r

TOPIC = r("sns.TopicSubscription", "subscription")
KEY = r("kms.Key", "key")
HARMS = ("HATE", "INSULTS", "MISCONDUCT", "SEXUAL", "VIOLENCE")
SENSITIVE = ("AWS_ACCESS_KEY", "AWS_SECRET_KEY", "CREDIT_DEBIT_CARD_NUMBER", "INTERNATIONAL_BANK_ACCOUNT_NUMBER")
FILTERS: list[dict[str, Any]] = [
    *({"type": kind, "inputStrength": "HIGH", "outputStrength": "MEDIUM"} for kind in HARMS),
    {"type": "PROMPT_ATTACK", "inputStrength": "HIGH", "outputStrength": "NONE"},
]
ENTITIES = [{"type": kind, "action": "BLOCK"} for kind in SENSITIVE]


def guardrail(filters: Value = FILTERS, entities: Value = ENTITIES) -> dict[str, Any]:
    return r(
        "bedrock.Guardrail",
        contentPolicyConfig={"filtersConfigs": filters},
        sensitiveInformationPolicyConfig={"piiEntitiesConfigs": entities},
    )


def cache(**changed: Value) -> dict[str, Any]:
    good: dict[str, Any] = {
        "authToken": "s",
        "automaticFailoverEnabled": True,
        "multiAzEnabled": True,
        "snapshotRetentionLimit": 3,
        "transitEncryptionMode": "required",
    }
    return r("elasticache.ReplicationGroup", **{**good, **changed})


def parameters(family: str = "aurora-postgresql16", **changed: Value) -> dict[str, Any]:
    good: dict[str, Any] = {
        "log_connections": "1",
        "log_disconnections": "1",
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
        "log_parameter_max_length": "0",
    }
    listed = [{"name": name, "value": value} for name, value in {**good, **changed}.items() if value is not None]
    return r("rds.ClusterParameterGroup", family=family, parameters=listed)


def sse(**default: Value) -> dict[str, Any]:
    rules = [{"applyServerSideEncryptionByDefault": default}]
    return r("s3.BucketServerSideEncryptionConfiguration", rules=rules, needs={"rules": KEY})


CACHES, COPIES, KEYS = "elasticache-caches-are-operable", "backup-copies-cannot-be-deleted", "kms-stores-use-keys"
REPLICATED = "elasticache-caches-survive-a-zone"
CONNECTIONS, END, WATCH = "elb-load-balancers-log-connections", "backup-copies-expire", "ecs-deployments-watch-alarms"
LOG, FILTER, BOUNDARY = "rds-logs-hold-no-values", "bedrock-guardrails-filter", "iam-roles-share-their-boundary"

# fmt: off
CASES = [
    case(CACHES, "as it should be", cache()),
    case(CACHES, "users instead of a password", cache(authToken=None, userGroupIds=["app"])),
    case(CACHES, "AWS's defaults", r("elasticache.ReplicationGroup"),
         says=["violated x.authToken", "violated x.snapshotRetentionLimit"]),
    case(CACHES, "clear text beside TLS, no patches", cache(transitEncryptionMode="preferred", autoMinorVersionUpgrade=False),
         says=["violated x.autoMinorVersionUpgrade", "violated x.transitEncryptionMode"]),
    case(CACHES, "no copy", cache(snapshotRetentionLimit=0), says=["violated x.snapshotRetentionLimit"]),
    case(CACHES, "one copy is enough", cache(snapshotRetentionLimit=1)),
    case(CACHES, "no users either", cache(authToken="", userGroupIds=[]), says=["violated x.authToken"]),
    case(CACHES, "unknown", cache(snapshotRetentionLimit=UNKNOWN), says=["not proven x.snapshotRetentionLimit"]),
    case(CACHES, "not applicable", TOPIC),
    case(REPLICATED, "with a replica", cache()),
    case(REPLICATED, "AWS's defaults", r("elasticache.ReplicationGroup"),
         says=["violated x.automaticFailoverEnabled", "violated x.multiAzEnabled"]),
    case(REPLICATED, "a replica in the same zone", cache(multiAzEnabled=False), says=["violated x.multiAzEnabled"]),
    case(REPLICATED, "unknown", cache(multiAzEnabled=UNKNOWN), says=["not proven x.multiAzEnabled"]),
    case(REPLICATED, "not applicable", TOPIC),

    case(COPIES, "kept", r("backup.Vault", "v"), r("backup.VaultLockConfiguration", "l", minRetentionDays=7),
         r("rds.Cluster", "c", deleteAutomatedBackups=False)),
    case(COPIES, "gone with their source", r("backup.Vault", "v", forceDestroy=True), r("backup.VaultLockConfiguration", "l"),
         r("rds.Cluster", "c"), r("rds.Instance", "i", deleteAutomatedBackups=True),
         says=["violated v.forceDestroy", "violated l.minRetentionDays", "violated c.deleteAutomatedBackups",
               "violated i.deleteAutomatedBackups"]),
    case(COPIES, "a lock of no days", r("backup.VaultLockConfiguration", minRetentionDays=0), says=["violated x.minRetentionDays"]),
    case(COPIES, "a lock of one day", r("backup.VaultLockConfiguration", minRetentionDays=1)),
    case(COPIES, "unknown", r("backup.Vault", forceDestroy=UNKNOWN), says=["not proven x.forceDestroy"]),
    case(COPIES, "not applicable", TOPIC),

    case(KEYS, "named", KEY, r("backup.Vault", "v", kmsKeyArn=UNKNOWN, needs={"kmsKeyArn": KEY}),
         r("rds.Cluster", "c", storageEncrypted=True, kmsKeyId="arn:k", manageMasterUserPassword=True, masterUserSecretKmsKeyId="arn:k"),
         sse(sseAlgorithm="aws:kms", kmsMasterKeyId="arn:k")),
    case(KEYS, "AWS's own", r("backup.Vault", "v"), r("ecs.Cluster", "e"), sse(sseAlgorithm="aws:kms"),
         r("elasticache.ReplicationGroup", "g", atRestEncryptionEnabled=True),
         r("rds.Cluster", "c", storageEncrypted=True, manageMasterUserPassword=True),
         r("rds.ClusterInstance", "i", performanceInsightsEnabled=True),
         says=["violated v.kmsKeyArn",
               "violated e.configuration.managedStorageConfiguration.fargateEphemeralStorageKmsKeyId",
               "violated x.rules[0].applyServerSideEncryptionByDefault.kmsMasterKeyId", "violated g.kmsKeyId",
               "violated c.kmsKeyId", "violated c.masterUserSecretKmsKeyId", "violated i.performanceInsightsKmsKeyId"]),
    case(KEYS, "nothing to encrypt", r("rds.ClusterInstance", "i"), r("rds.Instance", "o"), sse(sseAlgorithm="AES256")),
    case(KEYS, "unknown", sse(sseAlgorithm="aws:kms", kmsMasterKeyId=UNKNOWN),
         says=["not proven x.rules[0].applyServerSideEncryptionByDefault.kmsMasterKeyId"]),
    case(KEYS, "not applicable", TOPIC),

    case(LOG, "terse", parameters()),
    case(LOG, "PostgreSQL's defaults", r("rds.ClusterParameterGroup", family="aurora-postgresql16"),
         says=["violated x.parameters[log_connections]", "violated x.parameters[log_disconnections]",
               "violated x.parameters[log_error_verbosity]", "violated x.parameters[log_min_error_statement]",
               "violated x.parameters[log_parameter_max_length]"]),
    case(LOG, "statements", parameters(log_statement="mod", log_min_duration_statement="500", log_min_duration_sample="10"),
         says=["violated x.parameters[log_min_duration_sample]", "violated x.parameters[log_min_duration_statement]",
               "violated x.parameters[log_statement]"]),
    case(LOG, "another engine", parameters("aurora-mysql8.0", log_error_verbosity=None)),
    case(LOG, "unknown", r("rds.ParameterGroup", family="postgres16", parameters=UNKNOWN), says=["not proven x.parameters"]),
    case(LOG, "not applicable", TOPIC),

    case(CONNECTIONS, "recorded", r("lb.LoadBalancer", connectionLogs={"enabled": True}, healthCheckLogs={"enabled": True}),
         r("lb.LoadBalancer", "n", loadBalancerType="network")),
    case(CONNECTIONS, "not recorded", r("lb.LoadBalancer", connectionLogs={"enabled": False}),
         says=["violated x.connectionLogs.enabled", "violated x.healthCheckLogs.enabled"]),
    case(CONNECTIONS, "unknown", r("lb.LoadBalancer", connectionLogs={"enabled": UNKNOWN}, healthCheckLogs={"enabled": True}),
         says=["not proven x.connectionLogs.enabled"]),
    case(CONNECTIONS, "not applicable", TOPIC),

    case(WATCH, "undone by an alarm", r("ecs.Service", alarms={"enable": True, "rollback": True, "alarmNames": ["a"]}),
         r("ecs.Service", "d", deploymentController={"type": "CODE_DEPLOY"})),
    case(WATCH, "not undone", r("ecs.Service"), r("ecs.Service", "r", alarms={"enable": True, "rollback": False}),
         says=["violated x.alarms.enable", "violated x.alarms.rollback", "violated r.alarms.rollback"]),
    case(WATCH, "unknown", r("ecs.Service", alarms={"enable": True, "rollback": UNKNOWN}), says=["not proven x.alarms.rollback"]),
    case(WATCH, "not applicable", TOPIC),

    case(END, "ends", r("backup.Plan", rules=[{"lifecycle": {"deleteAfter": 35}}, {"lifecycle": {"deleteAfter": 1}}])),
    case(END, "never ends", r("backup.Plan", rules=[{"lifecycle": {"deleteAfter": 35}}, {}, {"lifecycle": {"deleteAfter": 0}}]),
         says=["violated x.rules[1].lifecycle.deleteAfter", "violated x.rules[2].lifecycle.deleteAfter"]),
    case(END, "unknown", r("backup.Plan", rules=UNKNOWN), says=["not proven x.rules"]),
    case(END, "not applicable", TOPIC),

    case(FILTER, "every kind", guardrail()),
    case(FILTER, "nothing", r("bedrock.Guardrail"),
         says=[*(f"violated x.contentPolicyConfig.filtersConfigs[{kind}]" for kind in (*HARMS, "PROMPT_ATTACK")),
               "violated x.sensitiveInformationPolicyConfig.piiEntitiesConfigs"]),
    case(FILTER, "weak", guardrail([{**FILTERS[0], "inputStrength": "LOW"}, {**FILTERS[1], "outputStrength": "NONE"}, *FILTERS[2:5],
                                    {"type": "PROMPT_ATTACK", "inputStrength": "NONE", "outputStrength": "NONE"}]),
         says=["violated x.contentPolicyConfig.filtersConfigs[HATE].inputStrength",
               "violated x.contentPolicyConfig.filtersConfigs[INSULTS].outputStrength",
               "violated x.contentPolicyConfig.filtersConfigs[PROMPT_ATTACK].inputStrength"]),
    case(FILTER, "sensitive words pass", guardrail(entities=[*ENTITIES[1:], {"type": "AWS_ACCESS_KEY", "action": "NONE"}]),
         says=["violated x.sensitiveInformationPolicyConfig.piiEntitiesConfigs"]),
    case(FILTER, "unknown filters", guardrail(UNKNOWN), says=["not proven x.contentPolicyConfig.filtersConfigs"]),
    case(FILTER, "unknown entities", guardrail(entities=UNKNOWN),
         says=["not proven x.sensitiveInformationPolicyConfig.piiEntitiesConfigs"]),
    case(FILTER, "not applicable", TOPIC),

    case(BOUNDARY, "every one", r("iam.Role", "a", permissionsBoundary="arn:b"), r("iam.Role", "b", permissionsBoundary="arn:b")),
    case(BOUNDARY, "none", r("iam.Role", "a"), r("iam.Role", "b")),
    case(BOUNDARY, "all but one", r("iam.Role", "a", permissionsBoundary="arn:b"), r("iam.Role", "b"), r("iam.Role", "c", permissionsBoundary=""),
         says=["violated b.permissionsBoundary", "violated c.permissionsBoundary"]),
    case(BOUNDARY, "a boundary that is not known yet", r("iam.Role", "a", permissionsBoundary=UNKNOWN, needs={"permissionsBoundary": r("iam.Policy")}), r("iam.Role", "b"),
         says=["violated b.permissionsBoundary"]),
    case(BOUNDARY, "not applicable", TOPIC),
]
