"""Computed values of identity, compute, storage, databases, logs, alarms, models and generated keys."""

from __future__ import annotations

from preflight.fakes.network import Fake
from preflight.fakes.values import CREATED, Digest, Subject
from preflight.sdk.wire import Wire


def _same(service: str, kind: str, *, by: str = "name", identifier: str = "name", region: bool = True) -> Fake:
    """ARN of ``<kind>/<name>`` or ``<kind>:<name>``; the id is the name or the ARN."""

    def fake(s: Subject) -> Wire:
        name = s.get(by) or s.name
        arn = s.site.arn(service, f"{kind}{name}", region=region)
        return {"id": arn if identifier == "arn" else name, "arn": arn, by: name}

    return fake


def _channel(s: Subject) -> Wire:
    arn = f"arn:aws:chatbot::{s.site.account}:chat-configuration/slack-channel/{s.get('configurationName')}"
    return {"id": arn, "chatConfigurationArn": arn, "slackChannelName": "alarms", "slackTeamName": "example"}


def _role(s: Subject) -> Wire:
    arn = s.site.arn("iam", f"role{s.get('path', '/')}{s.name}", region=False)
    unique = "AROA" + s.digest.base36(17).upper()
    return {"id": s.name, "arn": arn, "uniqueId": unique, "createDate": CREATED, "managedPolicyArns": []}


def _iam_policy(s: Subject) -> Wire:
    arn = s.site.arn("iam", f"policy{s.get('path', '/')}{s.name}", region=False)
    return {"id": arn, "arn": arn, "policyId": "ANPA" + s.digest.base36(17).upper(), "attachmentCount": 0}


def _oidc_provider(s: Subject) -> Wire:
    arn = s.site.arn("iam", "oidc-provider/" + s.get("url").removeprefix("https://"), region=False)
    return {"id": arn, "arn": arn, "thumbprintLists": s.inputs.get("thumbprintLists") or [s.digest.hex(40)]}


def _key(s: Subject) -> Wire:
    identifier = s.digest.uuid()
    return {"id": identifier, "keyId": identifier, "arn": s.site.arn("kms", f"key/{identifier}"), "multiRegion": False}


def _alias(s: Subject) -> Wire:
    name = s.get("name") or f"alias/{s.name}"
    target = s.get("targetKeyId")
    key_arn = target if target.startswith("arn:") else s.site.arn("kms", f"key/{target}")
    return {"id": name, "name": name, "arn": s.site.arn("kms", name), "targetKeyArn": key_arn}


def _subscription(s: Subject) -> Wire:
    arn = f"{s.get('topic')}:{s.digest.uuid()}"
    return {
        "id": arn,
        "arn": arn,
        "ownerId": s.site.account,
        "pendingConfirmation": True,
        "confirmationWasAuthenticated": False,
    }


def _bucket(s: Subject) -> Wire:
    name = s.get("bucket") or (s.get("bucketPrefix") or f"{s.logical_name}-").lower() + s.digest.hex(7, "name")
    return {
        "id": name,
        "bucket": name,
        "arn": s.site.arn("s3", name, region=False, account=False),
        "bucketDomainName": f"{name}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{name}.s3.{s.site.region}.amazonaws.com",
        "bucketRegion": s.site.region,
        "hostedZoneId": "Z" + Digest(f"s3 {s.site.region}").base36(13).upper(),
    }


def _of_bucket(s: Subject) -> Wire:
    return {"id": s.get("bucket")}


def _ecs_service(s: Subject) -> Wire:
    cluster = s.get("cluster").rpartition("/")[2] or "default"
    arn = s.site.arn("ecs", f"service/{cluster}/{s.name}")
    return {"id": arn, "arn": arn}


def _task_definition(s: Subject) -> Wire:
    family = s.get("family")
    arn = s.site.arn("ecs", f"task-definition/{family}")
    return {"id": family, "arn": f"{arn}:1", "arnWithoutRevision": arn, "revision": 1}


def _scaling_target(s: Subject) -> Wire:
    return {
        "id": s.get("resourceId"),
        "arn": s.site.arn("application-autoscaling", f"scalable-target/{s.digest.hex(28)}"),
    }


def _scaling_policy(s: Subject) -> Wire:
    path = f"{s.get('serviceNamespace')}/{s.get('resourceId')}:policyName/{s.name}"
    return {
        "id": s.name,
        "arn": s.site.arn("autoscaling", f"scalingPolicy:{s.digest.uuid()}:resource/{path}"),
        "alarmArns": [],
    }


def _repository(s: Subject) -> Wire:
    host = f"{s.site.account}.dkr.ecr.{s.site.region}.amazonaws.com"
    outputs = {"id": s.name, "arn": s.site.arn("ecr", f"repository/{s.name}"), "registryId": s.site.account}
    return {**outputs, "repositoryUrl": f"{host}/{s.name}"}


def _secret(s: Subject) -> Wire:
    # From the name alone: the same as a look-up by the name returns (``calls.py``), and as the engine's provider, to which a name
    # that Pulumi chose looks like one that the program chose.
    arn = s.site.arn("secretsmanager", f"secret:{s.name}-{Digest(s.name).base36(6)}")
    return {"id": arn, "arn": arn}


def _secret_version(s: Subject) -> Wire:
    version = s.digest.uuid()
    return {
        "id": f"{s.get('secretId')}|{version}",
        "arn": s.get("secretId"),
        "versionId": version,
        "versionStages": ["AWSCURRENT"],
    }


def _database_cluster(s: Subject) -> Wire:
    name = s.get("clusterIdentifier") or (s.get("clusterIdentifierPrefix") or f"{s.logical_name}-") + s.digest.hex(7)
    host = f"{s.digest.base36(12)}.{s.site.region}.rds.amazonaws.com"
    outputs: Wire = {
        "id": name,
        "clusterIdentifier": name,
        "arn": s.site.arn("rds", f"cluster:{name}"),
        "clusterResourceId": "cluster-" + s.digest.base36(26).upper(),
        "endpoint": f"{name}.cluster-{host}",
        "readerEndpoint": f"{name}.cluster-ro-{host}",
        "hostedZoneId": "Z" + Digest(f"rds {s.site.region}").base36(13).upper(),
        "port": s.inputs.get("port") or 5432,
        "engineVersionActual": s.get("engineVersion"),
    }
    if s.inputs.get("manageMasterUserPassword"):
        arn = s.site.arn("secretsmanager", f"secret:rds!cluster-{s.digest.uuid()}-{s.digest.base36(6)}")
        key = s.get("masterUserSecretKmsKeyId")
        outputs["masterUserSecrets"] = [{"secretArn": arn, "secretStatus": "active", "kmsKeyId": key}]
    return outputs


def _instance(s: Subject) -> Wire:
    name = s.get("identifier") or (s.get("identifierPrefix") or f"{s.logical_name}-") + s.digest.hex(7)
    host = f"{name}.{s.digest.base36(12)}.{s.site.region}.rds.amazonaws.com"
    return {"id": name, "identifier": name, "arn": s.site.arn("rds", f"db:{name}"), "endpoint": host, "port": 5432}


def _cluster_instance(s: Subject) -> Wire:
    return {**_instance(s), "dbiResourceId": "db-" + s.digest.base36(26).upper(), "writer": True}


def _database_instance(s: Subject) -> Wire:
    outputs = _instance(s)
    resource = "db-" + s.digest.base36(26).upper()
    return {**outputs, "id": resource, "resourceId": resource, "address": outputs["endpoint"]}


def _short_region(region: str) -> str:
    """``eu-west-1`` as ElastiCache writes it into names: ``euw1``."""
    area, *directions, number = region.split("-")
    words = ("north", "south", "east", "west", "central")
    letters = "".join(word[0] for one in directions for word in words if word in one)
    return f"{area}{letters}{number}"


def _replication_group(s: Subject) -> Wire:
    name = s.get("replicationGroupId") or f"{s.logical_name}-{s.digest.hex(7)}"
    host = f"{name}.{s.digest.base36(6)}.{_short_region(s.site.region)}.cache.amazonaws.com"
    count = int(s.inputs.get("numCacheClusters") or 1)
    return {
        "id": name,
        "replicationGroupId": name,
        "arn": s.site.arn("elasticache", f"replicationgroup:{name}"),
        "primaryEndpointAddress": f"master.{host}",
        "readerEndpointAddress": f"replica.{host}",
        "configurationEndpointAddress": f"clustercfg.{host}",
        "memberClusters": [f"{name}-{number:03}" for number in range(1, count + 1)],
        "engineVersionActual": s.get("engineVersion"),
    }


def _serverless_cache(s: Subject) -> Wire:
    host = f"{s.name}-{s.digest.base36(6)}.serverless.{s.site.region}.cache.amazonaws.com"
    arn = s.site.arn("elasticache", f"serverlesscache:{s.name}")
    return {"id": s.name, "arn": arn, "endpoints": [{"address": host, "port": 6379}], "status": "available"}


def _guardrail(s: Subject) -> Wire:
    identifier = s.digest.base36(12)
    arn = s.site.arn("bedrock", f"guardrail/{identifier}")
    return {
        "id": identifier,
        "guardrailId": identifier,
        "guardrailArn": arn,
        "version": "DRAFT",
        "status": "READY",
        "createdAt": CREATED,
    }


def _guardrail_version(s: Subject) -> Wire:
    return {"id": f"{s.get('guardrailArn')},1", "version": "1"}


def _private_key(s: Subject) -> Wire:
    return {
        "id": s.digest.hex(40),
        "privateKeyPem": s.digest.pem("EC PRIVATE KEY"),
        "privateKeyPemPkcs8": s.digest.pem("PRIVATE KEY"),
        "privateKeyOpenssh": s.digest.pem("OPENSSH PRIVATE KEY"),
        "publicKeyPem": s.digest.pem("PUBLIC KEY"),
        "publicKeyOpenssh": f"ecdsa-sha2-nistp256 {s.digest.base36(100)}",
        "publicKeyFingerprintMd5": ":".join(s.digest.hex(2, str(n)) for n in range(16)),
        "publicKeyFingerprintSha256": f"SHA256:{s.digest.base36(43)}",
    }


def _certificate(s: Subject) -> Wire:
    return {
        "id": s.digest.decimal(38),
        "certPem": s.digest.pem("CERTIFICATE"),
        "readyForRenewal": False,
        "validityStartTime": CREATED,
        "validityEndTime": "2036-01-01T00:00:00Z",
    }


def _certificate_request(s: Subject) -> Wire:
    return {"id": s.digest.hex(40), "certRequestPem": s.digest.pem("CERTIFICATE REQUEST"), "keyAlgorithm": "ECDSA"}


def _named(by: str = "name") -> Fake:
    return lambda s: {"id": s.get(by) or s.name}


_BUCKET_PARTS = (
    "bucketPublicAccessBlock:BucketPublicAccessBlock",
    "bucketPolicy:BucketPolicy",
    "bucketVersioning:BucketVersioning",
    "bucketVersioningV2:BucketVersioningV2",
    "bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
    "bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",
    "bucketOwnershipControls:BucketOwnershipControls",
    "bucketLogging:BucketLogging",
    "bucketLoggingV2:BucketLoggingV2",
    "bucketAcl:BucketAcl",
    "bucketObjectLockConfiguration:BucketObjectLockConfiguration",
    "bucketNotification:BucketNotification",
)

SERVICES: dict[str, Fake] = {
    **{f"aws:s3/{part}": _of_bucket for part in _BUCKET_PARTS},
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketV2:BucketV2": _bucket,
    "aws:iam/role:Role": _role,
    "aws:iam/policy:Policy": _iam_policy,
    "aws:iam/rolePolicy:RolePolicy": lambda s: {"id": f"{s.get('role')}:{s.name}"},
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": lambda s: {"id": f"{s.get('role')}/{s.get('policyArn')}"},
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": _oidc_provider,
    "aws:kms/key:Key": _key,
    "aws:kms/alias:Alias": _alias,
    "aws:kms/grant:Grant": lambda s: {"id": f"{s.get('keyId')}:{s.digest.hex(64)}", "grantId": s.digest.hex(64)},
    "aws:sns/topic:Topic": lambda s: _same("sns", "", identifier="arn")(s) | {"owner": s.site.account},
    "aws:sns/topicPolicy:TopicPolicy": lambda s: {"id": s.get("arn"), "owner": s.site.account},
    "aws:sns/topicSubscription:TopicSubscription": _subscription,
    "aws:sqs/queue:Queue": lambda s: {
        "id": f"https://sqs.{s.site.region}.amazonaws.com/{s.site.account}/{s.name}",
        "url": f"https://sqs.{s.site.region}.amazonaws.com/{s.site.account}/{s.name}",
        "arn": s.site.arn("sqs", s.name),
    },
    "aws:sqs/queuePolicy:QueuePolicy": lambda s: {"id": s.get("queueUrl")},
    "aws:cloudwatch/logGroup:LogGroup": _same("logs", "log-group:"),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": _named("policyName"),
    "aws:cloudwatch/logDataProtectionPolicy:LogDataProtectionPolicy": _named("logGroupName"),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": _named(),
    "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration": _channel,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _same("cloudwatch", "alarm:"),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": _same("cloudwatch", "alarm:", by="alarmName"),
    "aws:cloudwatch/dashboard:Dashboard": lambda s: {
        "id": s.get("dashboardName"),
        "dashboardArn": s.site.arn("cloudwatch", f"dashboard/{s.get('dashboardName')}", region=False),
    },
    "aws:cloudwatch/eventRule:EventRule": _same("events", "rule/"),
    "aws:cloudwatch/eventTarget:EventTarget": lambda s: {"id": f"{s.get('rule')}-{s.get('targetId') or s.name}"},
    "aws:cloudwatch/queryDefinition:QueryDefinition": lambda s: {
        "id": s.digest.uuid(),
        "queryDefinitionId": s.digest.uuid(),
    },
    "aws:budgets/budget:Budget": lambda s: {
        "id": f"{s.site.account}:{s.name}",
        "arn": s.site.arn("budgets", f"budget/{s.name}", region=False),
        "accountId": s.site.account,
    },
    "aws:ecs/cluster:Cluster": _same("ecs", "cluster/", identifier="arn"),
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": _named("clusterName"),
    "aws:ecs/service:Service": _ecs_service,
    "aws:ecs/taskDefinition:TaskDefinition": _task_definition,
    "aws:appautoscaling/target:Target": _scaling_target,
    "aws:appautoscaling/policy:Policy": _scaling_policy,
    "aws:appautoscaling/scheduledAction:ScheduledAction": lambda s: {
        "id": s.name,
        "arn": s.site.arn("autoscaling", f"scheduledAction:{s.digest.uuid()}"),
    },
    "aws:ecr/repository:Repository": _repository,
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": lambda s: {"id": s.get("repository"), "registryId": s.site.account},
    "aws:ecr/repositoryPolicy:RepositoryPolicy": lambda s: {"id": s.get("repository"), "registryId": s.site.account},
    "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration": lambda s: {
        "id": s.site.account,
        "registryId": s.site.account,
    },
    "aws:secretsmanager/secret:Secret": _secret,
    "aws:secretsmanager/secretVersion:SecretVersion": _secret_version,
    "aws:secretsmanager/secretPolicy:SecretPolicy": _named("secretArn"),
    "aws:secretsmanager/secretRotation:SecretRotation": lambda s: {"id": s.get("secretId"), "rotationEnabled": True},
    "aws:ssm/parameter:Parameter": lambda s: {
        "id": s.name,
        "arn": s.site.arn("ssm", "parameter/" + s.name.lstrip("/")),
        "version": 1,
    },
    "aws:rds/cluster:Cluster": _database_cluster,
    "aws:rds/clusterInstance:ClusterInstance": _cluster_instance,
    "aws:rds/instance:Instance": _database_instance,
    "aws:rds/eventSubscription:EventSubscription": _same("rds", "es:"),
    "aws:rds/subnetGroup:SubnetGroup": _same("rds", "subgrp:"),
    "aws:rds/clusterParameterGroup:ClusterParameterGroup": _same("rds", "cluster-pg:"),
    "aws:rds/parameterGroup:ParameterGroup": _same("rds", "pg:"),
    "aws:elasticache/replicationGroup:ReplicationGroup": _replication_group,
    "aws:elasticache/serverlessCache:ServerlessCache": _serverless_cache,
    "aws:elasticache/subnetGroup:SubnetGroup": _same("elasticache", "subnetgroup:"),
    "aws:elasticache/parameterGroup:ParameterGroup": _same("elasticache", "parametergroup:"),
    "aws:elasticache/user:User": _same("elasticache", "user:", by="userId"),
    "aws:elasticache/userGroup:UserGroup": _same("elasticache", "usergroup:", by="userGroupId"),
    "aws:backup/vault:Vault": _same("backup", "backup-vault:"),
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": _named("backupVaultName"),
    "aws:backup/vaultPolicy:VaultPolicy": _named("backupVaultName"),
    "aws:backup/plan:Plan": lambda s: {
        "id": s.digest.uuid(),
        "arn": s.site.arn("backup", f"backup-plan:{s.digest.uuid()}"),
        "version": s.digest.base36(48),
    },
    "aws:backup/restoreTestingPlan:RestoreTestingPlan": lambda s: {
        "id": str(s.inputs["name"]),
        "arn": s.site.arn("backup", f"restore-testing-plan:{s.inputs['name']}-{s.digest.uuid()}"),
    },
    "aws:backup/restoreTestingSelection:RestoreTestingSelection": lambda s: {
        "id": f"{s.inputs['name']}:{s.inputs['restoreTestingPlanName']}"
    },
    "aws:backup/selection:Selection": lambda s: {"id": s.digest.uuid()},
    "aws:scheduler/schedule:Schedule": lambda s: {
        "id": f"{s.inputs.get('groupName', 'default')}/{s.inputs['name']}",
        "arn": s.site.arn("scheduler", f"schedule/{s.inputs.get('groupName', 'default')}/{s.inputs['name']}"),
    },
    "aws:bedrock/guardrail:Guardrail": _guardrail,
    "aws:bedrock/guardrailVersion:GuardrailVersion": _guardrail_version,
    "aws:bedrockmodel/invocationLoggingConfiguration:InvocationLoggingConfiguration": lambda s: {"id": s.site.region},
    "tls:index/privateKey:PrivateKey": _private_key,
    "tls:index/selfSignedCert:SelfSignedCert": lambda s: {**_certificate(s), "keyAlgorithm": "ECDSA"},
    "tls:index/locallySignedCert:LocallySignedCert": _certificate,
    "tls:index/certRequest:CertRequest": _certificate_request,
}
