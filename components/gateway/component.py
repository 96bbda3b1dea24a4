"""The ECS Fargate service that translates Chat Completions for Bedrock's own APIs, in every private subnet.

It creates the task definition, the service and its scaling, in the interface's cluster. It creates no role, secret, name
or security group rule (``GatewayIdentity``, ``ModelAccess`` and ``PrivateEndpoints`` do).

It has no load balancer: the interface's proxy finds the tasks by DNS and verifies their certificate. A task that is stopped
finishes its answers within ``stop_seconds`` (``drain.py``); longer ones are cut.
"""

from typing import Any

import pulumi
from pydantic import Field, field_validator, model_validator

from components.args import Args
from components.common.aws_limits import STOP_SECONDS
from components.component import Component
from components.gateway.settings import PROCESSES, SERVICE, Api, GatewayModel, GatewaySettings
from components.gateway.task_definition import GatewayPlan, container_definitions
from components.proxy.settings import ProxyLimits
from components.service.fargate import check_capacity, fargate_architecture, pinned_image
from components.service.internal_service import InternalServicePlan, run_internal_service
from components.service.scaling import full_percent, highest_target


class GatewayModelArgs(Args):
    """A model that the gateway offers."""

    id: str
    """Id of a model or of an inference profile in Bedrock, under which the application calls it too."""
    api: str = Api.CONVERSE.value
    """``converse``, ``invoke`` for Anthropic's Messages by InvokeModel, or ``embeddings``."""

    @field_validator("api")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value not in list(Api):
            raise ValueError(f"api {value!r}: use {' or '.join(Api)}")
        return value


class GatewayServiceArgs(Args):
    """Arguments of ``GatewayService``."""

    environment: str
    """Part of the task definition's name, and a dimension of the metrics."""
    region: str
    """The region of Bedrock and of the logs."""
    release: str
    """The running version, as a tag of the task definition and the service."""
    cluster_arn: pulumi.Output[str]
    """The cluster in which the service runs."""
    cluster_name: pulumi.Output[str]
    """The cluster's name, for scaling."""
    models: list[GatewayModelArgs] = Field(min_length=1)
    """The models. No other is offered."""
    guardrail_id: pulumi.Output[str]
    """The guardrail of every call."""
    guardrail_version: pulumi.Output[str]
    """The guardrail's published version."""
    image: str
    """LiteLLM's image by digest."""
    proxy_image: str
    """Envoy's image by digest."""
    authority: pulumi.Output[str]
    """The certificate (PEM) of the CA that signed the interface's client certificate."""
    execution_role_arn: pulumi.Output[str]
    """The role that pulls images and reads secrets before the containers start."""
    task_role_arn: pulumi.Output[str]
    """The role with which the gateway calls Bedrock."""
    secret_references: pulumi.Output[dict[str, str]]
    """Secret → ``valueFrom``, with the version."""
    log_group_names: pulumi.Output[dict[str, str]]
    """Container → log group."""
    registry_arn: pulumi.Output[str]
    """The Cloud Map service in which ECS registers the tasks."""
    subnet_ids: pulumi.Output[list[str]]
    """Private subnets, one in each zone."""
    security_group_id: pulumi.Output[str]
    """The gateway's security group."""
    rollback_alarm_names: pulumi.Output[list[str]]
    """A deployment is rolled back if one of these alarms fires during it."""
    prompt_bytes: int = Field(default=ProxyLimits.prompt_bytes, ge=1024)
    """The maximum request body."""
    model_deadline_seconds: int = Field(default=ProxyLimits.model_deadline_seconds, ge=1)
    """The maximum duration of a model's answer."""
    model_idle_seconds: int = Field(default=ProxyLimits.model_deadline_seconds, ge=1)
    """How long Bedrock may be silent. The interface's proxy asks the next upstream sooner if there is one."""
    cpu_units: int = 1024
    """The task's CPU, in units of 1/1024 vCPU. LiteLLM uses one vCPU at most."""
    memory_mebibytes: int = 2048
    """The task's memory. LiteLLM needs about 700 MiB before its first request."""
    architecture: str = "X86_64"
    """``X86_64`` or ``ARM64``; both images must exist for it."""
    minimum_tasks: int = Field(default=2, ge=1)
    """The minimum number of running tasks."""
    maximum_tasks: int = Field(default=4, ge=1)
    """The maximum number of tasks."""
    availability_zones: int = Field(default=2, ge=1)
    """The number of zones of the subnets. The arguments are refused if, at any number of tasks, the remaining tasks
    could not handle the load after the loss of a zone."""
    stop_seconds: int = Field(default=STOP_SECONDS[1], ge=STOP_SECONDS[0], le=STOP_SECONDS[1])
    """The time that answers have to finish when a task is stopped (Fargate: at most 120)."""
    tags: dict[str, str]
    """Tags of every resource."""

    _pinned = field_validator("image", "proxy_image")(pinned_image)
    _runs = field_validator("architecture")(fargate_architecture)

    @model_validator(mode="after")
    def _survives_a_zone(self) -> "GatewayServiceArgs":
        check_capacity(self.tasks, self.availability_zones, self.cpu_percent, self.full_cpu_percent)
        return self

    @property
    def tasks(self) -> range:
        """Every number of tasks from minimum to maximum."""
        return range(self.minimum_tasks, self.maximum_tasks + 1)

    @property
    def cpu_percent(self) -> int:
        """The CPU utilization above which a task is added."""
        return highest_target(self.full_cpu_percent, self.tasks, self.availability_zones)

    @property
    def full_cpu_percent(self) -> int:
        """The CPU utilization of a fully loaded task."""
        return full_percent(self.cpu_units, PROCESSES)


class GatewayService(Component):
    """Task definition, service and scaling of the gateway."""

    service_name: pulumi.Output[str]
    """The service's name."""
    service_arn: pulumi.Output[str]
    """The service."""
    task_definition_arn: pulumi.Output[str]
    """The task definition's ARN with its revision."""

    def __init__(self, name: str, args: GatewayServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = GatewayServiceArgs.model_validate(args)
        super().__init__("ai-interface:index:GatewayService", name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        containers = pulumi.Output.all(
            guardrail_id=args.guardrail_id,
            guardrail_version=args.guardrail_version,
            authority=args.authority,
            secrets=args.secret_references,
            logs=args.log_group_names,
        ).apply(lambda known: container_definitions(gateway_plan(args, known)))
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


def gateway_plan(args: GatewayServiceArgs, known: dict[str, Any]) -> GatewayPlan:
    """The inputs of the container definitions, once AWS has assigned the identifiers."""
    return GatewayPlan(
        settings=GatewaySettings(
            environment=args.environment,
            region=args.region,
            models=tuple(GatewayModel(id=model.id, api=Api(model.api)) for model in args.models),
            guardrail_id=known["guardrail_id"],
            guardrail_version=known["guardrail_version"],
            authority=known["authority"],
            prompt_bytes=args.prompt_bytes,
            model_deadline_seconds=args.model_deadline_seconds,
            model_idle_seconds=args.model_idle_seconds,
        ),
        image=args.image,
        proxy_image=args.proxy_image,
        secret_references=known["secrets"],
        log_group_names=known["logs"],
        stop_seconds=args.stop_seconds,
    )
