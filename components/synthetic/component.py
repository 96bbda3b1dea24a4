"""The scheduled task that asks every group of models one short question, as users' chats are asked, and logs whether it answered.

**Why a task and not a function.** A chat leaves the interface's task by the proxy on its loopback interface: the proxy signs the
call, sends the guardrail, shows its certificate to the gateway or opens a tunnel, and fails over. Nothing but the load balancer
may connect to that proxy, and this stays so. So the task has a separate proxy: the same image, and the same configuration without
the side that receives users (``asking``). Every other step is the real one: subnets, names, endpoint and its policy, gateway,
egress proxy, guardrail, quota, model. A Lambda function would need separate code for all of that, and would only show that this code
works. EventBridge Scheduler starts the task; both images are those of the running release, so there is nothing more to copy.

**What it does not see.** The load balancer, the login and the application, which other alarms watch; an ejection inside one task's
proxy; a model that is not the first of its group.

Its calls are in separate log groups, so that objectives and alarms on the proxy's log count users only. Metrics of Bedrock,
of the gateway and of the egress proxy include them.

There is no dead-letter queue: a run that did not start has no information that the next one lacks, and an alarm fires if none reports.
"""

from typing import Any

import pulumi
import pulumi_aws as aws
from pydantic import Field, field_validator

from components.args import Args
from components.common.iam import SOURCE_ACCOUNT, SOURCE_ARN, Statement, policy_document, service_trust
from components.component import Component
from components.service.fargate import fargate_architecture, pinned_image
from components.synthetic.settings import CPU_UNITS, MEMORY_MEBIBYTES, NAME, SyntheticGroupArgs, SyntheticScheduleArgs
from components.synthetic.task_definition import SyntheticPlan, container_definitions

GROUP = "default"
"""The schedule group that every account has. A schedule has no tags."""
RETRIES = 2
"""ECS may refuse a start for lack of capacity; a later attempt than the next run is useless."""


class SyntheticChatArgs(Args):
    """Arguments of ``SyntheticChat``."""

    environment: str
    """Part of names in AWS, and the dimension of the metrics."""
    region: str
    """The region of the stack."""
    account_id: str
    """The account of the stack."""
    release: str
    """The running version, as a tag of the task definition."""
    schedule: SyntheticScheduleArgs = SyntheticScheduleArgs()
    """How often it runs. Omitted: every five minutes."""
    groups: list[SyntheticGroupArgs] = Field(min_length=1)
    """The groups that are asked, each with its model."""
    interface_image: str
    """The application's image by digest, for its Python."""
    proxy_image: str
    """Envoy's image by digest."""
    proxy_arguments: pulumi.Output[list[str]]
    """Envoy's arguments: ``model_arguments`` of the settings that ``asking`` returns."""
    proxy_secrets: dict[str, str] = Field(default_factory=dict[str, str])
    """Variable of the proxy → secret in ``secret_references``. Omitted: none."""
    secret_references: pulumi.Output[dict[str, str]] = Field(
        default_factory=lambda: pulumi.Output.from_input(dict[str, str]())
    )
    """Secret → ``valueFrom``. Omitted: none."""
    execution_role_arn: pulumi.Output[str]
    """The role that pulls images and reads secrets before the containers start."""
    task_role_arn: pulumi.Output[str]
    """The role with which the proxy calls models."""
    log_group_names: pulumi.Output[dict[str, str]]
    """Container → log group."""
    cluster_arn: pulumi.Output[str]
    """The cluster in which the task runs."""
    cluster_name: pulumi.Output[str]
    """The cluster's name."""
    subnet_ids: pulumi.Output[list[str]]
    """Private subnets."""
    security_group_id: pulumi.Output[str]
    """The security group of ``SyntheticIdentity``."""
    architecture: str = "X86_64"
    """``X86_64`` or ``ARM64``; both images must exist for it."""
    tags: dict[str, str]
    """Tags of every resource."""

    _pinned = field_validator("interface_image", "proxy_image")(pinned_image)
    _runs = field_validator("architecture")(fargate_architecture)


class SyntheticChat(Component):
    """Task definition, schedule, and the role with which the schedule starts the task."""

    schedule_name: pulumi.Output[str]
    """The schedule's name, in the group ``default``."""
    task_definition_arn: pulumi.Output[str]
    """The task definition's ARN with its revision."""

    def __init__(self, name: str, args: SyntheticChatArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = SyntheticChatArgs.model_validate(args)
        super().__init__("ai-interface:index:SyntheticChat", name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        family = f"ai-interface-{args.environment}-{NAME}"
        definition = self._task_definition(name, family, args, child)
        role, permission = self._role(name, family, args, child)
        schedule = aws.scheduler.Schedule(
            f"{name}-schedule",
            name=family,
            description="Asks every group of models one short question",
            group_name=GROUP,
            schedule_expression=f"rate({args.schedule.every_minutes} minutes)",
            flexible_time_window=aws.scheduler.ScheduleFlexibleTimeWindowArgs(mode="OFF"),
            target=aws.scheduler.ScheduleTargetArgs(
                arn=args.cluster_arn,
                role_arn=role.arn,
                ecs_parameters=aws.scheduler.ScheduleTargetEcsParametersArgs(
                    task_definition_arn=definition.arn,
                    task_count=1,
                    launch_type="FARGATE",
                    platform_version="LATEST",
                    enable_ecs_managed_tags=True,
                    enable_execute_command=False,
                    propagate_tags="TASK_DEFINITION",
                    network_configuration=aws.scheduler.ScheduleTargetEcsParametersNetworkConfigurationArgs(
                        subnets=args.subnet_ids, security_groups=[args.security_group_id], assign_public_ip=False
                    ),
                ),
                retry_policy=aws.scheduler.ScheduleTargetRetryPolicyArgs(
                    maximum_event_age_in_seconds=60 * args.schedule.every_minutes, maximum_retry_attempts=RETRIES
                ),
            ),
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[permission])),
        )
        self.schedule_name = schedule.name
        self.task_definition_arn = definition.arn
        self.register_outputs({"scheduleName": self.schedule_name, "taskDefinitionArn": self.task_definition_arn})

    def _task_definition(
        self, name: str, family: str, args: SyntheticChatArgs, child: pulumi.ResourceOptions
    ) -> aws.ecs.TaskDefinition:
        containers = pulumi.Output.all(
            arguments=args.proxy_arguments, secrets=args.secret_references, logs=args.log_group_names
        ).apply(lambda known: container_definitions(_plan(args, known)))
        return aws.ecs.TaskDefinition(
            f"{name}-definition",
            family=family,
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu=str(CPU_UNITS),
            memory=str(MEMORY_MEBIBYTES),
            runtime_platform=aws.ecs.TaskDefinitionRuntimePlatformArgs(
                operating_system_family="LINUX", cpu_architecture=args.architecture
            ),
            execution_role_arn=args.execution_role_arn,
            task_role_arn=args.task_role_arn,
            container_definitions=containers,
            tags={**args.tags, "release": args.release},
            opts=child,
        )

    def _role(
        self, name: str, family: str, args: SyntheticChatArgs, child: pulumi.ResourceOptions
    ) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        """AWS documents a condition on the schedule's group; one on the schedule itself is not supported
        (https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html)."""
        role = aws.iam.Role(
            f"{name}-start",
            assume_role_policy=service_trust(
                "scheduler.amazonaws.com",
                {
                    "StringEquals": {
                        SOURCE_ACCOUNT: [args.account_id],
                        SOURCE_ARN: [f"arn:aws:scheduler:{args.region}:{args.account_id}:schedule-group/{GROUP}"],
                    }
                },
            ),
            tags=args.tags,
            opts=child,
        )
        permission = aws.iam.RolePolicy(
            f"{name}-start-policy",
            role=role.name,
            policy=pulumi.Output.all(
                args.cluster_arn, args.cluster_name, args.execution_role_arn, args.task_role_arn
            ).apply(
                lambda known: start_policy(
                    definitions=f"arn:aws:ecs:{args.region}:{args.account_id}:task-definition/{family}:*",
                    tasks=f"arn:aws:ecs:{args.region}:{args.account_id}:task/{known[1]}/*",
                    cluster_arn=known[0],
                    role_arns=[known[2], known[3]],
                )
            ),
            opts=child,
        )
        return role, permission


def start_policy(*, definitions: str, tasks: str, cluster_arn: str, role_arns: list[str]) -> str:
    """Start this task in this cluster, with its two roles and its tags. ``definitions``: the ARN pattern of its revisions.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/CWE_IAM_role.html
    """
    return policy_document(
        [
            Statement(
                sid="StartTheTask",
                actions=["ecs:RunTask"],
                resources=[definitions],
                conditions={"ArnEquals": {"ecs:cluster": [cluster_arn]}},
            ),
            Statement(
                sid="TagTheTask",
                actions=["ecs:TagResource"],
                resources=[tasks],
                conditions={"StringEquals": {"ecs:CreateAction": ["RunTask"]}},
            ),
            Statement(
                sid="HandRolesToTheTask",
                actions=["iam:PassRole"],
                resources=role_arns,
                conditions={"StringEquals": {"iam:PassedToService": ["ecs-tasks.amazonaws.com"]}},
            ),
        ]
    )


def _plan(args: SyntheticChatArgs, known: dict[str, Any]) -> SyntheticPlan:
    """The inputs of the container definitions, once AWS has assigned the identifiers."""
    return SyntheticPlan(
        environment=args.environment,
        region=args.region,
        groups=[(one.name, one.model) for one in args.groups],
        interface_image=args.interface_image,
        proxy_image=args.proxy_image,
        proxy_arguments=known["arguments"],
        proxy_secrets=args.proxy_secrets,
        secret_references=known["secrets"],
        log_group_names=known["logs"],
    )
