"""Facts about IAM documents that several policies share: places of resource policies, and limiting condition keys."""

from __future__ import annotations

import re

from .topology.iam.callers import CALLERS
from .topology.iam.statements import Statement, service_of

__all__ = [
    "CALLERS",
    "EVENTBRIDGE",
    "RESOURCE_POLICIES",
    "SENDING",
    "SOURCES",
    "WITHOUT_RESOURCE",
    "names_embedding_models_only",
    "unsourced_services",
]

RESOURCE_POLICIES = {
    "acmpca.Policy": "policy",
    "amp.ResourcePolicy": "policyDocument",
    "apigateway.DomainName": "policy",
    "apigateway.RestApi": "policy",
    "apigateway.RestApiPolicy": "policy",
    "backup.VaultPolicy": "policy",
    "bedrock.AgentcoreResourcePolicy": "policy",
    "cloudsearch.DomainServiceAccessPolicy": "accessPolicy",
    "cloudwatch.EventBusPolicy": "policy",
    "cloudwatch.LogDeliveryDestinationPolicy": "deliveryDestinationPolicy",
    "cloudwatch.LogDestinationPolicy": "accessPolicy",
    "cloudwatch.LogResourcePolicy": "policyDocument",
    "codeartifact.DomainPermissions": "policyDocument",
    "codeartifact.RepositoryPermissionsPolicy": "policyDocument",
    "codebuild.ResourcePolicy": "policy",
    "dsql.ClusterPolicy": "policy",
    "dynamodb.ResourcePolicy": "policy",
    "ecr.RegistryPolicy": "policy",
    "ecr.RepositoryCreationTemplate": "repositoryPolicy",
    "ecr.RepositoryPolicy": "policy",
    "ecrpublic.RepositoryPolicy": "policy",
    "efs.FileSystemPolicy": "policy",
    "elasticsearch.Domain": "accessPolicies",
    "elasticsearch.DomainPolicy": "accessPolicies",
    "fsx.S3AccessPointAttachment": "s3AccessPoint.policy",
    "glacier.Vault": "accessPolicy",
    "glacier.VaultLock": "policy",
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
    "organizations.ResourcePolicy": "content",
    "pinpoint.Smsvoicev2ResourcePolicy": "policy",
    "redshift.ResourcePolicy": "policy",
    "redshiftserverless.ResourcePolicy": "policy",
    "s3.AccessPoint": "policy",
    "s3.Bucket": "policy",
    "s3.BucketPolicy": "policy",
    "s3.BucketV2": "policy",
    "s3.FilesFileSystemPolicy": "policy",
    "s3.VectorsVectorBucketPolicy": "policy",
    "s3control.AccessGrantsInstanceResourcePolicy": "policy",
    "s3control.AccessPointPolicy": "policy",
    "s3control.BucketPolicy": "policy",
    "s3control.MultiRegionAccessPointPolicy": "details.policy",
    "s3control.ObjectLambdaAccessPointPolicy": "policy",
    "s3tables.TableBucketPolicy": "resourcePolicy",
    "s3tables.TablePolicy": "resourcePolicy",
    "sagemaker.ModelPackageGroupPolicy": "resourcePolicy",
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
    "xray.ResourcePolicy": "policyDocument",
}
"""Type of resource → the property that contains a resource policy."""

SOURCES = frozenset({"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner"})
"""Condition keys for the resource or account on whose behalf an AWS service calls; only services send them."""

SENDING = {
    "apigateway.amazonaws.com": (),
    "budgets.amazonaws.com": (),
    "cloudfront.amazonaws.com": (),
    "cloudtrail.amazonaws.com": (),
    "cloudwatch.amazonaws.com": (),
    "cognito-idp.amazonaws.com": (),
    "config.amazonaws.com": (),
    "delivery.logs.amazonaws.com": (),
    "events.amazonaws.com": ("sns.",),
    "iot.amazonaws.com": (),
    "lambda.amazonaws.com": (),
    "lexv2.amazonaws.com": (),
    "logging.s3.amazonaws.com": (),
    "logs.amazonaws.com": (),
    "s3.amazonaws.com": (),
    "secretsmanager.amazonaws.com": (),
    "ses.amazonaws.com": (),
    "sns.amazonaws.com": (),
}
"""Services that act for a resource of any account and send its ARN or account with every request, except to the resources
named here (prefixes of types). AWS documents a condition on it for each of them, against the confused deputy:
https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html."""

_INVOKED_BY_ANYBODY = ("kms.", "cloudwatch.LogResourcePolicy", "iam.")
"""Types whose grants to services are bounded otherwise, or that AWS itself writes without a condition."""


def unsourced_services(kind: str, statement: Statement) -> list[str]:
    """The services of a grant that anybody can make act, because no condition states for whom they do."""
    keys = statement.bounding_keys
    if kind.startswith(_INVOKED_BY_ANYBODY) or keys & (SOURCES | CALLERS) or any("orgid" in key for key in keys):
        return []
    named = {who: SENDING.get(service_of(who)) for who in statement.services}
    return sorted(who for who, except_ in named.items() if except_ is not None and not kind.startswith(tuple(except_)))


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
