"""Defines how each property is compared. A property that is not in the table must be equal.

``equal``    the same in every environment, or declared in ``differences.yaml``
``ordered``  never less in a later environment than in an earlier one; more has to be declared
``follows``  changes with the release, which is promoted from the earlier environment to the later one; the same in two
             environments that run the same release
``free``     names and addresses of the environment itself
"""

from __future__ import annotations

from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from typing import assert_never


class Comparison(StrEnum):
    """The relation between two values of a property."""

    EQUAL = "equal"
    ORDERED = "ordered"
    FOLLOWS = "follows"
    FREE = "free"

    @property
    def must_not_decrease(self) -> bool:
        """Whether a later environment may not have less than an earlier one."""
        match self:
            case Comparison.ORDERED:
                return True
            case Comparison.EQUAL | Comparison.FOLLOWS | Comparison.FREE:
                return False
            case _:
                assert_never(self)

    @property
    def keeps_value(self) -> bool:
        """Whether a committed shape contains the value itself, however long: digests cannot be ordered."""
        match self:
            case Comparison.ORDERED:
                return True
            case Comparison.EQUAL | Comparison.FOLLOWS | Comparison.FREE:
                return False
            case _:
                assert_never(self)

    @property
    def follows_release(self) -> bool:
        """Whether the value changes with the release."""
        match self:
            case Comparison.FOLLOWS:
                return True
            case Comparison.EQUAL | Comparison.ORDERED | Comparison.FREE:
                return False
            case _:
                assert_never(self)


TABLE: tuple[tuple[str, str, Comparison], ...] = (
    # type                          property                                   comparison
    ("ecs.TaskDefinition",          "cpu",                                     Comparison.ORDERED),
    ("ecs.TaskDefinition",          "memory",                                  Comparison.ORDERED),
    ("ecs.TaskDefinition",          "ephemeralStorage.sizeInGib",              Comparison.ORDERED),
    ("ecs.TaskDefinition",          "containerDefinitions[[]*].cpu",           Comparison.ORDERED),
    ("ecs.TaskDefinition",          "containerDefinitions[[]*].memory",        Comparison.ORDERED),
    ("ecs.TaskDefinition",          "containerDefinitions[[]*].memoryReservation", Comparison.ORDERED),
    ("ecs.TaskDefinition",          "containerDefinitions[[]*].image",         Comparison.FOLLOWS),
    ("ecs.TaskDefinition",          "containerDefinitions[[]interface].environment[[]*_PROMPT_TEMPLATE].*", Comparison.FOLLOWS),
    ("ecs.TaskDefinition",          "containerDefinitions[[]interface].environment[[]RAG_TEMPLATE].*", Comparison.FOLLOWS),
    ("ecs.TaskDefinition",          "containerDefinitions[[]interface].environment[[]DEFAULT_MODEL_PARAMS].*", Comparison.FOLLOWS),
    ("bedrock.Guardrail",           "contentPolicyConfig.*",                   Comparison.FOLLOWS),
    ("bedrock.Guardrail",           "sensitiveInformationPolicyConfig.*",      Comparison.FOLLOWS),
    ("bedrock.Guardrail",           "blocked*Messaging",                       Comparison.FOLLOWS),
    ("bedrock.GuardrailVersion",    "description",                             Comparison.FOLLOWS),
    ("ecs.TaskDefinition",          "tags.release",                            Comparison.FOLLOWS),
    ("ecs.Service",                 "tags.release",                            Comparison.FOLLOWS),
    ("ecs.TaskDefinition",          "containerDefinitions[[]prepare].environment[[]PREPARE_PLAN].value.database.release", Comparison.FOLLOWS),
    ("ecs.TaskDefinition",          "containerDefinitions[[]prepare].environment[[]PREPARE_PLAN].value.database.schemas.*", Comparison.FOLLOWS),
    ("ecs.Service",                 "deploymentM??imum*Percent",               Comparison.FOLLOWS),
    ("ecs.Service",                 "availabilityZoneRebalancing",             Comparison.FOLLOWS),
    ("ecs.Service",                 "desiredCount",                            Comparison.ORDERED),
    ("appautoscaling.Target",       "m??Capacity",                             Comparison.ORDERED),
    ("cloudwatch.LogGroup",         "retentionInDays",                         Comparison.ORDERED),
    ("s3.BucketLifecycleConfiguration", "rules[[]*].expiration.days",          Comparison.ORDERED),
    ("rds.Cluster",                 "backupRetentionPeriod",                   Comparison.ORDERED),
    ("rds.Cluster",                 "serverlessv2ScalingConfiguration.m??Capacity", Comparison.ORDERED),
    ("ecs.TaskDefinition",          '*inline_string[[]"blocked"]',             Comparison.FREE),
    ("rds.Cluster",                 "finalSnapshotIdentifier",                 Comparison.FREE),
    ("rds.Cluster",                 "snapshotIdentifier",                      Comparison.FREE),
    ("rds.*",                       "clusterIdentifier",                       Comparison.FREE),
    ("rds.EventSubscription",       "sourceIds",                               Comparison.FREE),
    ("cloudwatch.MetricAlarm",      "*dimensions.DBClusterIdentifier",         Comparison.FREE),
    ("elasticache.ReplicationGroup", "nodeType",                               Comparison.ORDERED),
    ("s3.BucketLifecycleConfiguration", "rules[[]*].noncurrentVersionExpiration.noncurrentDays", Comparison.ORDERED),
    ("elasticache.ReplicationGroup", "snapshotRetentionLimit",                 Comparison.ORDERED),
    ("elasticache.ReplicationGroup", "numCacheClusters",                       Comparison.ORDERED),
    ("backup.Plan",                 "rules[[]*].lifecycle.deleteAfter",        Comparison.ORDERED),
    ("backup.Plan",                 "rules[[]*].copyActions*",                 Comparison.FREE),
    ("secretsmanager.Secret",       "recoveryWindowInDays",                    Comparison.ORDERED),
    ("kms.Key",                     "deletionWindowInDays",                    Comparison.ORDERED),
    ("*",                           "tags.Name",                               Comparison.FREE),
    ("*",                           "tags.owner",                              Comparison.FREE),
    ("backup.Plan",                 "rules[[]*].recoveryPointTags.owner",      Comparison.FREE),
    ("*",                           "tags.environment",                        Comparison.FREE),
    ("*",                           "tags.project",                            Comparison.FREE),
    ("sns.TopicSubscription",       "endpoint",                                Comparison.FREE),
    ("route53.Record",              "zoneId",                                  Comparison.FREE),
    ("lb.ListenerRule",             "actions[[]*].authenticateOidc.clientId",  Comparison.FREE),
    ("lb.ListenerRule",             "actions[[]*].jwtValidation.additionalClaims[[]*].values", Comparison.FREE),
)  # fmt: skip


@cache
def _rows(kind: str) -> tuple[tuple[str, Comparison], ...]:
    """The rows of one type, in order: most types have only those of every type."""
    return tuple((pattern, how) for type_, pattern, how in TABLE if fnmatchcase(kind, type_))


@cache
def comparison(kind: str, path: str) -> Comparison:
    """The comparison of one property of one type."""
    for pattern, how in _rows(kind):
        if fnmatchcase(path, pattern):
            return how
    return Comparison.EQUAL
