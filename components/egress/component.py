"""The ECS Fargate service of the egress proxy, in every egress subnet.

It creates the task definition, the service and its scaling, in the interface's cluster. It creates no role, secret, name or
security group rule (``EgressIdentity`` does), and no route (``EgressNetwork`` does).

It has no load balancer: the interface's proxy finds the tasks by DNS and verifies their certificate. Envoy ends at once when a
task is stopped, so a deployment cuts the answers that come through the stopped task; the users of these answers see an error
and ask again.
"""

from typing import Any

import pulumi
from pydantic import Field, field_validator, model_validator

from components.args import Args
from components.common.aws_limits import STOP_SECONDS
from components.component import Component
from components.egress.settings import (
    CONTAINER_MEMORY_PERCENT,
    HTTPS,
    SERVICE,
    TUNNEL_IDLE_SECONDS,
    TUNNEL_SECONDS,
    EgressSettings,
)
from components.egress.task_definition import EgressPlan, container_definitions
from components.service.fargate import check_capacity, fargate_architecture, pinned_image
from components.service.internal_service import InternalServicePlan, run_internal_service
from components.service.scaling import FULL_PERCENT, highest_target


class EgressProxyArgs(Args):
    """Arguments of ``EgressProxy``."""

    environment: str
    """Part of the task definition's name."""
    region: str
    """The region of the logs."""
    release: str
    """The running version, as a tag of the task definition and the service."""
    cluster_arn: pulumi.Output[str]
    """The cluster in which the service runs."""
    cluster_name: pulumi.Output[str]
    """The cluster's name, for scaling."""
    host_names: list[str] = Field(min_length=1)
    """The hosts to which a tunnel may lead, on port 443. Every other one is refused."""
    proxy_image: str
    """Envoy's image by digest."""
    authority: pulumi.Output[str]
    """The certificate (PEM) of the CA that signed the interface's client certificate."""
    execution_role_arn: pulumi.Output[str]
    """The role that pulls images and reads secrets before the container starts."""
    task_role_arn: pulumi.Output[str]
    """The role of the container, without a permission."""
    secret_references: pulumi.Output[dict[str, str]]
    """Secret → ``valueFrom``, with the version."""
    log_group_names: pulumi.Output[dict[str, str]]
    """Container → log group."""
    registry_arn: pulumi.Output[str]
    """The Cloud Map service in which ECS registers the tasks."""
    subnet_ids: pulumi.Output[list[str]]
    """Egress subnets, one in each zone."""
    security_group_id: pulumi.Output[str]
    """The egress proxy's security group."""
    rollback_alarm_names: pulumi.Output[list[str]]
    """A deployment is rolled back if one of these alarms fires during it."""
    model_deadline_seconds: int = Field(default=540, ge=1)
    """The maximum duration of a model's answer. A tunnel outlives it."""
    model_idle_seconds: int = Field(default=540, ge=1)
    """How long a model may be silent: until its deadline, if no other server offers it. A tunnel may be silent for longer."""
    cpu_units: int = 256
    """The task's CPU, in units of 1/1024 vCPU."""
    memory_mebibytes: int = 512
    """The task's memory. The container gets half of it."""
    architecture: str = "X86_64"
    """``X86_64`` or ``ARM64``; the image must exist for it."""
    minimum_tasks: int = Field(default=2, ge=1)
    """The minimum number of running tasks."""
    maximum_tasks: int = Field(default=4, ge=1, le=12)
    """The maximum number of tasks. The egress subnet of a single zone has addresses for twice as many, as during a
    deployment after the loss of the other zones."""
    availability_zones: int = Field(default=2, ge=1)
    """The number of zones of the subnets. The arguments are refused if, at any number of tasks, the remaining tasks
    could not handle the load after the loss of a zone."""
    stop_seconds: int = Field(default=STOP_SECONDS[0], ge=STOP_SECONDS[0], le=STOP_SECONDS[1])
    """The time between SIGTERM and SIGKILL. Envoy ends at SIGTERM."""
    tags: dict[str, str]
    """Tags of every resource."""

    _pinned = field_validator("proxy_image")(pinned_image)
    _runs = field_validator("architecture")(fargate_architecture)

    @model_validator(mode="after")
    def _survives_a_zone(self) -> "EgressProxyArgs":
        check_capacity(self.tasks, self.availability_zones, self.cpu_percent)
        return self

    @property
    def tasks(self) -> range:
        """Every number of tasks from minimum to maximum."""
        return range(self.minimum_tasks, self.maximum_tasks + 1)

    @property
    def cpu_percent(self) -> int:
        """The CPU utilization above which a task is added."""
        return highest_target(FULL_PERCENT, self.tasks, self.availability_zones)


class EgressProxy(Component):
    """Task definition, service and scaling of the egress proxy."""

    service_name: pulumi.Output[str]
    """The service's name."""
    service_arn: pulumi.Output[str]
    """The service."""
    task_definition_arn: pulumi.Output[str]
    """The task definition's ARN with its revision."""

    def __init__(self, name: str, args: EgressProxyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = EgressProxyArgs.model_validate(args)
        super().__init__("ai-interface:index:EgressProxy", name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        containers = pulumi.Output.all(
            authority=args.authority, secrets=args.secret_references, logs=args.log_group_names
        ).apply(lambda known: container_definitions(egress_plan(args, known)))
        plan = InternalServicePlan(
            service=SERVICE,
            environment=args.environment,
            release=args.release,
            cluster_arn=args.cluster_arn,
            cluster_name=args.cluster_name,
            containers=containers,
            cpu_units=args.cpu_units,
            memory_mebibytes=args.memory_mebibytes,
            architecture=args.architecture,
            execution_role_arn=args.execution_role_arn,
            task_role_arn=args.task_role_arn,
            subnet_ids=args.subnet_ids,
            security_group_id=args.security_group_id,
            registry_arn=args.registry_arn,
            rollback_alarm_names=args.rollback_alarm_names,
            minimum_tasks=args.minimum_tasks,
            maximum_tasks=args.maximum_tasks,
            cpu_target_percent=args.cpu_percent,
            tags=args.tags,
        )
        definition, service = run_internal_service(name, plan, child)
        self.service_name = service.name
        self.service_arn = service.id
        self.task_definition_arn = definition.arn
        self.register_outputs(
            {
                "serviceName": self.service_name,
                "serviceArn": self.service_arn,
                "taskDefinitionArn": self.task_definition_arn,
            }
        )


def egress_plan(args: EgressProxyArgs, known: dict[str, Any]) -> EgressPlan:
    """The inputs of the container definition, once AWS has assigned the identifiers."""
    return EgressPlan(
        settings=EgressSettings(
            environment=args.environment,
            authorities=tuple(sorted({f"{host}:{HTTPS}" for host in args.host_names})),
            authority=known["authority"],
            idle_seconds=args.model_idle_seconds + TUNNEL_IDLE_SECONDS,
            tunnel_seconds=TUNNEL_SECONDS + args.model_deadline_seconds,
            memory_bytes=args.memory_mebibytes * 1024 * 1024 * CONTAINER_MEMORY_PERCENT // 100,
        ),
        image=args.proxy_image,
        region=args.region,
        secret_references=known["secrets"],
        log_group_names=known["logs"],
        stop_seconds=args.stop_seconds,
    )
