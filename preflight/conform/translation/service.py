"""The cluster, the service, its task definition and its scaling; image repositories."""

from __future__ import annotations

from typing import cast

from preflight.conform.translation.kind import ModelledCall, TranslatedKind, capitalised, document, fields, parsed
from preflight.sdk.wire import Json, Wire

DEPLOYMENT = "DeploymentConfiguration"
WAITING = "controls whether the provider waits; not sent to AWS"


def containers(value: Json) -> Wire:
    """ECS's JSON form of the containers; names differ from CloudFormation's only in the case of the first letter."""
    return {"ContainerDefinitions": capitalised(parsed(value), ("options", "dockerLabels"))}


def network(value: Json) -> Wire:
    """The placement of tasks. CloudFormation represents the public-address setting as ENABLED or DISABLED."""
    address = {"AssignPublicIp": "ENABLED" if value.get("assignPublicIp") else "DISABLED"}
    rest = {key: item for key, item in cast("Wire", value).items() if key != "assignPublicIp"}
    return {"NetworkConfiguration": {"AwsvpcConfiguration": {**address, **cast("Wire", capitalised(rest))}}}


def scheduled(value: Json) -> Wire:
    """The target of a schedule, whose task is placed as a service's."""
    target = dict(cast("Wire", capitalised(value)))
    parameters = {**cast("Wire", target.pop("EcsParameters", {}))}
    given = cast("Wire", cast("Wire", value).get("ecsParameters") or {})
    if placed := given.get("networkConfiguration"):
        parameters |= network(placed)
    if "EnableEcsManagedTags" in parameters:
        parameters["EnableECSManagedTags"] = parameters.pop("EnableEcsManagedTags")
    return {"Target": {**target, **({"EcsParameters": parameters} if parameters else {})}}


TABLE = {
    "aws:scheduler/schedule:Schedule": TranslatedKind(
        "AWS::Scheduler::Schedule",
        {"target": scheduled},
        calls=(ModelledCall("scheduler", "CreateSchedule"),),
    ),
    "aws:ecs/cluster:Cluster": TranslatedKind(
        "AWS::ECS::Cluster",
        {"name": "ClusterName", "settings": lambda value: {"ClusterSettings": capitalised(value)}},
        calls=(ModelledCall("ecs", "CreateCluster", {"ClusterSettings": "settings"}),),
    ),
    "aws:ecs/taskDefinition:TaskDefinition": TranslatedKind(
        "AWS::ECS::TaskDefinition",
        {
            "containerDefinitions": containers,
            "ephemeralStorage": fields({"sizeInGib": "EphemeralStorage.SizeInGiB"}),
        },
        left_out={"skipDestroy": "controls how the provider replaces the definition"},
        calls=(ModelledCall("ecs", "RegisterTaskDefinition"),),
    ),
    "aws:ecs/service:Service": TranslatedKind(
        "AWS::ECS::Service",
        {
            "name": "ServiceName",
            "alarms": f"{DEPLOYMENT}.Alarms",
            "deploymentCircuitBreaker": f"{DEPLOYMENT}.DeploymentCircuitBreaker",
            "deploymentMaximumPercent": f"{DEPLOYMENT}.MaximumPercent",
            "deploymentMinimumHealthyPercent": f"{DEPLOYMENT}.MinimumHealthyPercent",
            "networkConfiguration": network,
            "serviceRegistries": lambda value: {"ServiceRegistries": [capitalised(value)]},
        },
        left_out={"waitForSteadyState": WAITING},
        calls=(ModelledCall("ecs", "CreateService"),),
    ),
    "aws:appautoscaling/target:Target": TranslatedKind(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        calls=(ModelledCall("application-autoscaling", "RegisterScalableTarget"),),
        uncalled={"Tags": "the call has them as a map, with the same lengths as the schema"},
    ),
    "aws:appautoscaling/policy:Policy": TranslatedKind(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        {"name": "PolicyName"},
        calls=(ModelledCall("application-autoscaling", "PutScalingPolicy"),),
    ),
    "aws:ecr/repository:Repository": TranslatedKind(
        "AWS::ECR::Repository",
        {
            "name": "RepositoryName",
            "forceDelete": "EmptyOnDelete",
            "encryptionConfigurations": lambda value: {"EncryptionConfiguration": capitalised(value[0])},
        },
        calls=(ModelledCall("ecr", "CreateRepository"),),
        uncalled={"EmptyOnDelete": "an argument of DeleteRepository"},
    ),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": TranslatedKind(
        "AWS::ECR::Repository",
        part=True,
        properties={"repository": "RepositoryName", "policy": document("RepositoryPolicyText")},
        calls=(ModelledCall("ecr", "SetRepositoryPolicy", {"RepositoryPolicyText": "policyText"}),),
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": TranslatedKind(
        "AWS::ECR::Repository",
        part=True,
        properties={"repository": "RepositoryName", "policy": "LifecyclePolicy.LifecyclePolicyText"},
        calls=(ModelledCall("ecr", "PutLifecyclePolicy"),),
        uncalled={"LifecyclePolicy": "the same text with the same lengths, one level up"},
    ),
}
