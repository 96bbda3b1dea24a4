"""The task definition, the ECS service and the scaling of an internal service: one without a load balancer, whose tasks the
interface's proxy finds by DNS."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.service.scaling import ScalingPlan, scale


@dataclass(frozen=True, kw_only=True)
class InternalServicePlan:
    """The containers of the service, their placement, and the number of tasks."""

    service: str
    """The ECS service's name, and the end of the task definition's."""
    environment: str
    release: str
    cluster_arn: pulumi.Output[str]
    cluster_name: pulumi.Output[str]
    containers: pulumi.Output[str]
    """The container definitions as JSON."""
    cpu_units: int
    memory_mebibytes: int
    architecture: str
    execution_role_arn: pulumi.Output[str]
    task_role_arn: pulumi.Output[str]
    subnet_ids: pulumi.Output[list[str]]
    security_group_id: pulumi.Output[str]
    registry_arn: pulumi.Output[str]
    rollback_alarm_names: pulumi.Output[list[str]]
    minimum_tasks: int
    maximum_tasks: int
    cpu_target_percent: int
    tags: dict[str, str]


def run_internal_service(
    name: str, plan: InternalServicePlan, child: pulumi.ResourceOptions
) -> tuple[aws.ecs.TaskDefinition, aws.ecs.Service]:
    """Create the task definition and the service. ``name`` begins the names of the resources."""
    definition = _task_definition(name, plan, child)
    service = _service(name, plan, definition, child)
    scaling = ScalingPlan(
        cluster_name=plan.cluster_name,
        service_name=service.name,
        minimum_tasks=plan.minimum_tasks,
        maximum_tasks=plan.maximum_tasks,
        cpu_target_percent=plan.cpu_target_percent,
        tags=plan.tags,
    )
    scale(name, scaling, child)
    return definition, service


def _task_definition(name: str, plan: InternalServicePlan, child: pulumi.ResourceOptions) -> aws.ecs.TaskDefinition:
    return aws.ecs.TaskDefinition(
        f"{name}-task",
        family=f"ai-interface-{plan.environment}-{plan.service}",
        requires_compatibilities=["FARGATE"],
        network_mode="awsvpc",
        cpu=str(plan.cpu_units),
        memory=str(plan.memory_mebibytes),
        runtime_platform=aws.ecs.TaskDefinitionRuntimePlatformArgs(
            operating_system_family="LINUX", cpu_architecture=plan.architecture
        ),
        execution_role_arn=plan.execution_role_arn,
        task_role_arn=plan.task_role_arn,
        container_definitions=plan.containers,
        # ECS rolls a failed deployment back to the previous revision, so the previous revision must stay registered.
        skip_destroy=True,
        tags={**plan.tags, "release": plan.release},
        opts=child,
    )


def _service(
    name: str, plan: InternalServicePlan, definition: aws.ecs.TaskDefinition, child: pulumi.ResourceOptions
) -> aws.ecs.Service:
    return aws.ecs.Service(
        f"{name}-service",
        name=plan.service,
        cluster=plan.cluster_arn,
        task_definition=definition.arn,
        launch_type="FARGATE",
        platform_version="LATEST",
        desired_count=plan.minimum_tasks,
        network_configuration=aws.ecs.ServiceNetworkConfigurationArgs(
            subnets=plan.subnet_ids, security_groups=[plan.security_group_id], assign_public_ip=False
        ),
        service_registries=aws.ecs.ServiceServiceRegistriesArgs(registry_arn=plan.registry_arn),
        availability_zone_rebalancing="ENABLED",
        deployment_minimum_healthy_percent=100,
        deployment_maximum_percent=200,
        deployment_circuit_breaker=aws.ecs.ServiceDeploymentCircuitBreakerArgs(enable=True, rollback=True),
        alarms=aws.ecs.ServiceAlarmsArgs(alarm_names=plan.rollback_alarm_names, enable=True, rollback=True),
        enable_execute_command=False,
        enable_ecs_managed_tags=True,
        propagate_tags="SERVICE",
        wait_for_steady_state=False,
        tags={**plan.tags, "release": plan.release},
        # Scaling controls the number of tasks from the start.
        opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(ignore_changes=["desiredCount"])),
    )
