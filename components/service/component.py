"""The ECS Fargate service that runs the interface behind its proxy, in every private subnet.

It creates the cluster, the task definition, the service and its scaling. It creates no role, secret, log group or
security group rule (``WorkloadIdentity``, ``Operations``, ``Edge`` and ``PrivateEndpoints`` do) and does not generate
the proxy's configuration: Envoy's arguments are an input. Only the task definition and the service are tagged with the
release, so that a new release changes nothing else.
"""

import copy
from typing import Any, cast

import pulumi
import pulumi_aws as aws
from pydantic import Field, field_validator, model_validator

from components.applications.application import ApplicationArgs, SchemaArgs, volume_name
from components.args import Args
from components.common.aws_limits import DEREGISTRATION_SECONDS, EPHEMERAL_GIBIBYTES, STOP_SECONDS
from components.common.secrets import PROXY_CERTIFICATE, PROXY_PRIVATE_KEY, USER_KEY
from components.component import Component
from components.service.fargate import check_capacity, fargate_architecture, pinned_image
from components.service.preset import PresetArgs
from components.service.scaling import EdgeTargets, ScalingPlan, full_percent, highest_target, scale
from components.service.task_definition import PROXY, PROXY_PORT, TaskPlan, container_definitions

PROXY_SECRETS = {
    "PROXY_CERTIFICATE": PROXY_CERTIFICATE,
    "PROXY_PRIVATE_KEY": PROXY_PRIVATE_KEY,
    "PROXY_USER_KEY": USER_KEY,
}
"""The variables from which Envoy reads its certificate and key, and the secrets behind them."""


class InterfaceServiceArgs(Args):
    """Arguments of ``InterfaceService``."""

    environment: str
    """Part of the cluster's name. Changing it replaces cluster and service."""
    region: str
    """The region of the logs."""
    release: str
    """The running version, as a tag of the task definition and the service."""
    schemas: list[SchemaArgs] = Field(default_factory=list[SchemaArgs])
    """The database schemas of all known releases. If the application has a database, the running release must be among
    them."""
    preset: PresetArgs | None = None
    """An application that is known by name, with the settings of the proxy. Omitted: ``application`` and ``proxy_arguments`` are
    required."""
    application: ApplicationArgs = cast(ApplicationArgs, None)
    """The application behind the proxy. Omitted: that of ``preset``."""
    interface_image: str
    """The application's image by digest."""
    proxy_image: str
    """Envoy's image by digest."""
    proxy_arguments: pulumi.Output[list[str]] = cast("pulumi.Output[list[str]]", None)
    """Envoy's arguments with the whole configuration (``components.proxy.configuration.envoy_arguments``). Omitted: those of
    ``preset``."""
    proxy_secrets: dict[str, str] = Field(default_factory=dict[str, str])
    """Additional variables of the proxy, such as a client certificate: variable → secret in ``secret_references``."""
    proxy_memory_mebibytes: int = Field(default=256, ge=64)
    """The proxy's memory limit; the container is killed if it exceeds it."""
    execution_role_arn: pulumi.Output[str]
    """The role that pulls images and reads secrets before the containers start."""
    task_role_arn: pulumi.Output[str]
    """The role with which the application and the proxy call AWS."""
    secret_references: pulumi.Output[dict[str, str]]
    """Secret → ``valueFrom`` with its version."""
    data_values: pulumi.Output[dict[str, str]] = Field(default_factory=lambda: pulumi.Output.from_input({}))
    """Addresses of the data stores, such as ``database-host``. The application's ``value_environment`` refers to its
    keys. Must not contain secrets. Omitted: none."""
    log_group_names: pulumi.Output[dict[str, str]]
    """Container → log group."""
    log_retention_days: int = 90
    """How long Container Insights' performance log is kept."""
    key_arn: pulumi.Output[str]
    """Encrypts ephemeral storage and the performance log."""
    subnet_ids: pulumi.Output[list[str]]
    """Private subnets, one in each zone."""
    security_group_id: pulumi.Output[str]
    """The tasks' security group."""
    target_group_arn: pulumi.Output[str]
    """A target group that a listener already uses; ECS refuses any other."""
    load_balancer_arn_suffix: pulumi.Output[str]
    """The load balancer's CloudWatch dimension, for scaling on requests and streams."""
    target_group_arn_suffix: pulumi.Output[str]
    """The target group's CloudWatch dimension, for scaling on requests."""
    rollback_alarm_names: pulumi.Output[list[str]]
    """A deployment is rolled back if one of these alarms fires during it."""
    cpu_units: int = 1024
    """The task's CPU, in units of 1/1024 vCPU. Must be a size that Fargate offers."""
    memory_mebibytes: int = 4096
    """The task's memory. Must be a size that Fargate offers for this CPU."""
    ephemeral_gibibytes: int = Field(default=30, ge=EPHEMERAL_GIBIBYTES[0], le=EPHEMERAL_GIBIBYTES[1])
    """The task's ephemeral storage."""
    architecture: str = "X86_64"
    """``X86_64`` or ``ARM64``; both images must exist for it."""
    minimum_tasks: int = Field(default=1, ge=1)
    """The minimum number of running tasks."""
    maximum_tasks: int = Field(default=1, ge=1)
    """The maximum number of tasks. Equal to ``minimum_tasks``: the service keeps its size."""
    full_requests_per_task_per_minute: int = Field(default=1200, ge=10)
    """The number of requests that a task answers per minute at full load. Scaling adds a task at a fraction of this
    number that leaves capacity for the loss of a zone: half with two tasks in two zones."""
    full_streams_per_task: int = Field(default=900, ge=10)
    """The number of streams and WebSockets that a task holds open at full load; scaling adds a task at the same fraction.
    Omitted: what the proxy's memory of 256 MiB is enough for (docs/measurements.md), less than the 1,024 calls that it makes
    to one model group at the same time."""
    cpu_target_percent: int | None = Field(default=None, ge=1, le=90)
    """Scale out above this average CPU utilization. Omitted: the highest value at which the service survives the loss
    of a zone at every number of tasks from ``minimum_tasks`` to ``maximum_tasks`` (``scaling.highest_target``). It counts
    only the CPU that the application can use: with ``application.processes: 1`` one vCPU of the task's."""
    availability_zones: int = Field(default=2, ge=1)
    """The number of zones of the subnets. The arguments are refused if, at any number of tasks, the remaining tasks
    could not handle the load after the loss of a zone (``scaling.lost_zone_shortage``)."""
    deregistration_delay_seconds: int = Field(default=600, ge=DEREGISTRATION_SECONDS[0], le=DEREGISTRATION_SECONDS[1])
    """How long a deregistered task may take to finish its responses. Deployments take at least this long."""
    stop_seconds: int = Field(default=60, ge=STOP_SECONDS[0], le=STOP_SECONDS[1])
    """The time between SIGTERM and SIGKILL, after the deregistration delay (Fargate: at most 120)."""
    stop_before_start: bool = False
    """Whether a deployment stops every task before it starts new ones, for a release that must not run at the same time
    as the previous one. The service is unavailable for the deregistration delay, the stop and a start. Omitted: new
    tasks start first."""
    tags: dict[str, str]
    """Tags of every resource."""

    _pinned = field_validator("interface_image", "proxy_image")(pinned_image)
    _runs = field_validator("architecture")(fargate_architecture)

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, data: object) -> object:
        """Computes what the preset replaces."""
        if not isinstance(data, dict):
            return data
        fields = {name: value for name, value in cast("dict[str, object]", data).items() if value is not None}
        given = sorted({"application", "proxy_arguments"} & set(fields))
        if "preset" not in fields:
            if given != ["application", "proxy_arguments"]:
                raise ValueError(
                    "application and proxy_arguments belong together: set both, or preset in place of them"
                )
            return fields
        if given:
            raise ValueError(f"preset and {' and '.join(given)} exclude each other: remove one of them")
        preset = PresetArgs.model_validate(fields["preset"])
        return {
            **fields,
            "preset": preset,
            "application": preset.container(str(fields.get("region", ""))),
            "proxy_arguments": preset.proxy_arguments(),
            "proxy_secrets": {**preset.secrets(), **cast("dict[str, str]", fields.get("proxy_secrets", {}))},
        }

    @model_validator(mode="after")
    def _survives_a_zone(self) -> "InterfaceServiceArgs":
        check_capacity(self.tasks, self.availability_zones, self.cpu_percent, self.full_cpu_percent)
        return self

    @property
    def tasks(self) -> range:
        """Every number of tasks from minimum to maximum."""
        return range(self.minimum_tasks, self.maximum_tasks + 1)

    @property
    def cpu_percent(self) -> int:
        """The effective CPU target."""
        return self.cpu_target_percent or highest_target(self.full_cpu_percent, self.tasks, self.availability_zones)

    @property
    def full_cpu_percent(self) -> int:
        """The CPU utilization of a fully loaded task."""
        return full_percent(self.cpu_units, self.application.processes)


class InterfaceService(Component):
    """Cluster, task definition, service and scaling of the interface.

    What ``depends_on`` names is waited for by the service alone."""

    cluster_name: pulumi.Output[str]
    """The cluster's name."""
    cluster_arn: pulumi.Output[str]
    """The cluster."""
    service_name: pulumi.Output[str]
    """The service's name."""
    service_arn: pulumi.Output[str]
    """The service."""
    task_definition_arn: pulumi.Output[str]
    """The task definition's ARN with its revision."""

    def __init__(self, name: str, args: InterfaceServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = InterfaceServiceArgs.model_validate(args)
        # Only the service waits for what the caller's depends_on names: its tasks use that. Cluster and task definition would
        # otherwise be made after the last of it, and the service after them.
        first = opts.depends_on if opts else None
        opts = copy.copy(opts) if opts else pulumi.ResourceOptions()
        opts.depends_on = None
        super().__init__("ai-interface:index:InterfaceService", name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        cluster = self._cluster(name, args, child)
        definition = self._task_definition(name, args, child)
        service = self._service(name, args, cluster, definition, first)
        self._scaling(name, args, cluster, service, child)
        self.cluster_name = cluster.name
        self.cluster_arn = cluster.arn
        self.service_name = service.name
        self.service_arn = service.id
        self.task_definition_arn = definition.arn
        self.register_outputs(
            {
                "clusterName": self.cluster_name,
                "clusterArn": self.cluster_arn,
                "serviceName": self.service_name,
                "serviceArn": self.service_arn,
                "taskDefinitionArn": self.task_definition_arn,
            }
        )

    def _cluster(self, name: str, args: InterfaceServiceArgs, child: pulumi.ResourceOptions) -> aws.ecs.Cluster:
        # ECS creates this log group unencrypted and without expiry unless it exists, so the cluster has a fixed name and
        # the group is created first.
        cluster_name = f"ai-interface-{args.environment}"
        insights = aws.cloudwatch.LogGroup(
            f"{name}-insights-logs",
            name=f"/aws/ecs/containerinsights/{cluster_name}/performance",
            retention_in_days=args.log_retention_days,
            kms_key_id=args.key_arn,
            tags=args.tags,
            opts=child,
        )
        return aws.ecs.Cluster(
            f"{name}-cluster",
            name=cluster_name,
            settings=[aws.ecs.ClusterSettingArgs(name="containerInsights", value="enhanced")],
            configuration=aws.ecs.ClusterConfigurationArgs(
                managed_storage_configuration=aws.ecs.ClusterConfigurationManagedStorageConfigurationArgs(
                    fargate_ephemeral_storage_kms_key_id=args.key_arn
                )
            ),
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[insights]),
        )

    def _task_definition(
        self, name: str, args: InterfaceServiceArgs, child: pulumi.ResourceOptions
    ) -> aws.ecs.TaskDefinition:
        containers = pulumi.Output.all(
            arguments=args.proxy_arguments,
            secrets=args.secret_references,
            values=args.data_values,
            logs=args.log_group_names,
        ).apply(
            lambda known: container_definitions(
                TaskPlan(
                    application=args.application,
                    proxy_image=args.proxy_image,
                    interface_image=args.interface_image,
                    proxy_arguments=known["arguments"],
                    proxy_secrets={**PROXY_SECRETS, **args.proxy_secrets},
                    proxy_memory_mebibytes=args.proxy_memory_mebibytes,
                    secret_references=known["secrets"],
                    data_values=known["values"],
                    release=args.release,
                    schemas=args.schemas,
                    log_group_names=known["logs"],
                    region=args.region,
                    stop_seconds=args.stop_seconds,
                )
            )
        )
        return aws.ecs.TaskDefinition(
            f"{name}-task",
            family=f"ai-interface-{args.environment}",
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu=str(args.cpu_units),
            memory=str(args.memory_mebibytes),
            ephemeral_storage=aws.ecs.TaskDefinitionEphemeralStorageArgs(size_in_gib=args.ephemeral_gibibytes),
            runtime_platform=aws.ecs.TaskDefinitionRuntimePlatformArgs(
                operating_system_family="LINUX", cpu_architecture=args.architecture
            ),
            execution_role_arn=args.execution_role_arn,
            task_role_arn=args.task_role_arn,
            container_definitions=containers,
            volumes=[
                aws.ecs.TaskDefinitionVolumeArgs(name=volume_name(directory))
                for directory in args.application.volume_directories
            ],
            # ECS rolls a failed deployment back to the previous revision, so the previous revision must stay
            # registered.
            skip_destroy=True,
            tags={**args.tags, "release": args.release},
            opts=child,
        )

    def _service(
        self,
        name: str,
        args: InterfaceServiceArgs,
        cluster: aws.ecs.Cluster,
        definition: aws.ecs.TaskDefinition,
        first: Any,  # noqa: ANN401 - what ResourceOptions.depends_on takes
    ) -> aws.ecs.Service:
        patience = f"{30 + 2 * args.deregistration_delay_seconds // 60}m"
        return aws.ecs.Service(
            f"{name}-service",
            name="interface",
            cluster=cluster.arn,
            task_definition=definition.arn,
            launch_type="FARGATE",
            platform_version="LATEST",
            desired_count=args.minimum_tasks,
            network_configuration=aws.ecs.ServiceNetworkConfigurationArgs(
                subnets=args.subnet_ids, security_groups=[args.security_group_id], assign_public_ip=False
            ),
            load_balancers=[
                aws.ecs.ServiceLoadBalancerArgs(
                    target_group_arn=args.target_group_arn, container_name=PROXY, container_port=PROXY_PORT
                )
            ],
            health_check_grace_period_seconds=args.application.grace_seconds,
            **_deployment(args),
            deployment_circuit_breaker=aws.ecs.ServiceDeploymentCircuitBreakerArgs(enable=True, rollback=True),
            alarms=aws.ecs.ServiceAlarmsArgs(alarm_names=args.rollback_alarm_names, enable=True, rollback=True),
            enable_execute_command=False,
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            # A deployment takes longer than the deregistration delay. Its event contains the result: a failed or
            # rolled back deployment is reported to the alarm topic.
            wait_for_steady_state=False,
            tags={**args.tags, "release": args.release},
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=first,
                # Scaling controls the number of tasks from the start.
                ignore_changes=["desiredCount"],
                custom_timeouts=pulumi.CustomTimeouts(create=patience, update=patience, delete=patience),
            ),
        )

    def _scaling(
        self,
        name: str,
        args: InterfaceServiceArgs,
        cluster: aws.ecs.Cluster,
        service: aws.ecs.Service,
        child: pulumi.ResourceOptions,
    ) -> None:
        plan = ScalingPlan(
            cluster_name=cluster.name,
            service_name=service.name,
            minimum_tasks=args.minimum_tasks,
            maximum_tasks=args.maximum_tasks,
            cpu_target_percent=args.cpu_percent,
            edge=EdgeTargets(
                requests_per_task_per_minute=highest_target(
                    args.full_requests_per_task_per_minute, args.tasks, args.availability_zones
                ),
                streams_per_task=highest_target(args.full_streams_per_task, args.tasks, args.availability_zones),
                load_balancer_arn_suffix=args.load_balancer_arn_suffix,
                target_group_arn_suffix=args.target_group_arn_suffix,
            ),
            tags=args.tags,
        )
        scale(name, plan, child)


def _deployment(args: InterfaceServiceArgs) -> dict[str, Any]:
    """How tasks are replaced. ECS rebalances zones only if it may start tasks beyond the desired count."""
    if args.stop_before_start:
        return {
            "availability_zone_rebalancing": "DISABLED",
            "deployment_minimum_healthy_percent": 0,
            "deployment_maximum_percent": 100,
        }
    return {
        "availability_zone_rebalancing": "ENABLED",
        "deployment_minimum_healthy_percent": 100,
        "deployment_maximum_percent": 200,
    }
