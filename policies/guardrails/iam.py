"""Facts about IAM documents that several policies share: places of resource policies, and limiting condition keys."""

from __future__ import annotations

import re

from .topology.iam.statements import Statement

RESOURCE_POLICIES = {
    "acmpca.Policy": "policy",
    "apigateway.RestApi": "policy",
    "apigateway.RestApiPolicy": "policy",
    "backup.VaultPolicy": "policy",
    "cloudwatch.EventBusPolicy": "policy",
    "cloudwatch.LogDeliveryDestinationPolicy": "deliveryDestinationPolicy",
    "cloudwatch.LogDestinationPolicy": "accessPolicy",
    "codebuild.ResourcePolicy": "policy",
    "dsql.ClusterPolicy": "policy",
    "dynamodb.ResourcePolicy": "policy",
    "ecr.RegistryPolicy": "policy",
    "ecr.RepositoryPolicy": "policy",
    "efs.FileSystemPolicy": "policy",
    "elasticsearch.Domain": "accessPolicies",
    "elasticsearch.DomainPolicy": "accessPolicies",
    "glacier.Vault": "accessPolicy",
    "glue.ResourcePolicy": "policy",
    "kinesis.ResourcePolicy": "policy",
    "kms.ExternalKey": "policy",
    "kms.Key": "policy",
    "kms.KeyPolicy": "policy",
    "kms.ReplicaExternalKey": "policy",
    "kms.ReplicaKey": "policy",
    "lambda.ResourcePolicy": "policy",
    "mediastore.ContainerPolicy": "policy",
    "msk.ClusterPolicy": "policy",
    "networkfirewall.ResourcePolicy": "policy",
    "oam.SinkPolicy": "policy",
    "opensearch.Domain": "accessPolicies",
    "opensearch.DomainPolicy": "accessPolicies",
    "opensearchingest.ResourcePolicy": "policy",
    "redshift.ResourcePolicy": "policy",
    "redshiftserverless.ResourcePolicy": "policy",
    "s3.AccessPoint": "policy",
    "s3.Bucket": "policy",
    "s3.BucketPolicy": "policy",
    "s3.VectorsVectorBucketPolicy": "policy",
    "s3control.AccessPointPolicy": "policy",
    "s3control.BucketPolicy": "policy",
    "s3control.ObjectLambdaAccessPointPolicy": "policy",
    "s3tables.TableBucketPolicy": "resourcePolicy",
    "s3tables.TablePolicy": "resourcePolicy",
    "schemas.RegistryPolicy": "policy",
    "secretsmanager.Secret": "policy",
    "secretsmanager.SecretPolicy": "policy",
    "ses.IdentityPolicy": "policy",
    "sesv2.EmailIdentityPolicy": "policy",
    "sns.Topic": "policy",
    "sns.TopicPolicy": "policy",
    "sqs.Queue": "policy",
    "sqs.QueuePolicy": "policy",
    "vpclattice.AuthPolicy": "policy",
    "vpclattice.ResourcePolicy": "policy",
}
"""Type of resource → the property that contains a resource policy."""

CALLERS = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "elasticfilesystem:accessedviamounttarget",
        "kms:calleraccount",
    }
)
"""Condition keys that identify the caller or its network."""

SOURCES = frozenset({"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner"})
"""Condition keys for the resource or account on whose behalf an AWS service calls; only services send them."""

WITHOUT_RESOURCE = (
    "cloudwatch:GetMetricData",
    "cloudwatch:PutMetricData",
    "ec2:CreateNetworkInterface",
    "ec2:Describe*",
    "ecr:GetAuthorizationToken",
    "ecs:ListClusters",
    "events:ListRules",
    "kms:ListAliases",
    "logs:CreateLogDelivery",
    "logs:DescribeLogGroups",
    "s3:ListAllMyBuckets",
    "ssmmessages:*Channel",
    "sts:GetCallerIdentity",
    "tag:GetResources",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
)
"""Actions (patterns) that IAM cannot limit to a resource."""

EVENTBRIDGE = "events.amazonaws.com"
"""The service principal of EventBridge."""

_EMBEDDING_MODEL = re.compile(
    r"arn:aws[a-z-]*:bedrock:[a-z0-9-]*:(:foundation-model/|\d{12}:inference-profile/[a-z-]+\.)"
    r"(amazon\.titan-embed-text-|cohere\.embed-)[a-z0-9.:-]+"
)
"""Models that return vectors only, by their full ids, and inference profiles of them
(https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html)."""


def names_embedding_models_only(statement: Statement) -> bool:
    """Whether the statement allows InvokeModel, without a stream, on embedding models and nothing else."""
    return (
        statement.allows
        and not (statement.not_actions or statement.not_resources)
        and [action.lower() for action in statement.actions] == ["bedrock:invokemodel"]
        and bool(statement.resources)
        and all(_EMBEDDING_MODEL.fullmatch(arn) for arn in statement.resources)
    )
