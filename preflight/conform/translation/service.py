"""The cluster, the service, its task definition and its scaling; image repositories."""

from __future__ import annotations

import json

from preflight.conform.translation.kind import Call, Kind, document, fields, inside
from preflight.wire import Json, Wire

DEPLOYMENT = "DeploymentConfiguration"
WAITING = "says whether the provider waits; AWS does not get it"


def containers(value: Json) -> Wire:
    """ECS's own JSON form of the containers; the names differ in the case of their first letters only."""
    return {"ContainerDefinitions": [_container(c) for c in (json.loads(value) if isinstance(value, str) else value)]}


def _container(container: Wire) -> Wire:
    free = {"options", "dockerLabels"}
    return {_upper(key): _upper_keys(item, free) for key, item in container.items()}


def _upper_keys(value: Json, free: set[str]) -> Json:
    if isinstance(value, dict):
        return {_upper(k): v if k in free else _upper_keys(v, free) for k, v in value.items()}
    return [_upper_keys(item, free) for item in value] if isinstance(value, list) else value


def _upper(name: str) -> str:
    return name[:1].upper() + name[1:]


def settings(value: Json) -> Wire:
    """Settings of a cluster."""
    return {"ClusterSettings": [{"Name": item["name"], "Value": item["value"]} for item in value]}


TABLE = {
    "aws:ecs/cluster:Cluster": Kind(
        "AWS::ECS::Cluster",
        {"name": "ClusterName", "settings": settings},
        calls=(Call("ecs", "CreateCluster", {"ClusterSettings": "settings"}),),
    ),
    "aws:ecs/taskDefinition:TaskDefinition": Kind(
        "AWS::ECS::TaskDefinition",
        {
            "containerDefinitions": containers,
            "ephemeralStorage": fields({"sizeInGib": "EphemeralStorage.SizeInGiB"}),
        },
        left_out={"skipDestroy": "says what the provider does when it replaces the definition"},
        calls=(Call("ecs", "RegisterTaskDefinition"),),
    ),
    "aws:ecs/service:Service": Kind(
        "AWS::ECS::Service",
        {
            "name": "ServiceName",
            "alarms": f"{DEPLOYMENT}.Alarms",
            "deploymentCircuitBreaker": f"{DEPLOYMENT}.DeploymentCircuitBreaker",
            "deploymentMaximumPercent": f"{DEPLOYMENT}.MaximumPercent",
            "deploymentMinimumHealthyPercent": f"{DEPLOYMENT}.MinimumHealthyPercent",
            "networkConfiguration": lambda value: inside(
                "NetworkConfiguration.AwsvpcConfiguration",
                {
                    "AssignPublicIp": "ENABLED" if value.get("assignPublicIp") else "DISABLED",
                    **{_upper(key): item for key, item in value.items() if key != "assignPublicIp"},
                },
            ),
        },
        left_out={"waitForSteadyState": WAITING},
        calls=(Call("ecs", "CreateService"),),
    ),
    "aws:appautoscaling/target:Target": Kind(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        calls=(Call("application-autoscaling", "RegisterScalableTarget"),),
        uncalled={"Tags": "the call takes them as a map, with the lengths that the schema has"},
    ),
    "aws:appautoscaling/policy:Policy": Kind(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        {"name": "PolicyName"},
        calls=(Call("application-autoscaling", "PutScalingPolicy"),),
    ),
    "aws:ecr/repository:Repository": Kind(
        "AWS::ECR::Repository",
        {
            "name": "RepositoryName",
            "forceDelete": "EmptyOnDelete",
            "encryptionConfigurations": lambda value: {
                "EncryptionConfiguration": {_upper(k): v for k, v in value[0].items()}
            },
        },
        calls=(Call("ecr", "CreateRepository"),),
        uncalled={"EmptyOnDelete": "DeleteRepository takes it"},
    ),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": Kind(
        "AWS::ECR::Repository",
        part=True,
        properties={"repository": "RepositoryName", "policy": document("RepositoryPolicyText")},
        calls=(Call("ecr", "SetRepositoryPolicy", {"RepositoryPolicyText": "policyText"}),),
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": Kind(
        "AWS::ECR::Repository",
        part=True,
        properties={"repository": "RepositoryName", "policy": "LifecyclePolicy.LifecyclePolicyText"},
        calls=(Call("ecr", "PutLifecyclePolicy"),),
        uncalled={"LifecyclePolicy": "the same text with the same lengths, one level up"},
    ),
}
