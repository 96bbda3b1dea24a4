"""The synthetic chat's identity: its two roles, its security group and its log groups.

The task role has no permission at first: ``ModelAccess`` attaches the policy for the models that are asked. Nothing may connect
to the security group; it may connect to the declared internal services here, and ``PrivateEndpoints`` and ``ModelAccess`` add the
endpoints and private model servers. It has no way to the database, the cache or the uploads.
"""

import pulumi
import pulumi_aws as aws
from pydantic import Field

from components.args import Args, Input
from components.common.security_groups import RuleLabel, connect_groups
from components.component import Component
from components.service.task_identity import execution_policy, task_trust
from components.synthetic.settings import CONTAINERS, NAME


class SyntheticServerArgs(Args):
    """An internal service that the task calls, such as the gateway to models."""

    name: str
    """Part of the rules' names."""
    security_group_id: pulumi.Output[str]
    """The service's security group, which gets an ingress rule."""
    port: int
    """The service's port."""


class SyntheticIdentityArgs(Args):
    """Arguments of ``SyntheticIdentity``."""

    environment: str
    """The environment's name, part of names in AWS."""
    region: str
    """The region of the stack."""
    account_id: str
    """The account of the stack."""
    vpc_id: pulumi.Output[str]
    """The network's VPC."""
    image_repository_arns: Input[list[str]]
    """The ECR repositories of the task's images. The execution role can pull only from these."""
    servers: list[SyntheticServerArgs] = Field(default_factory=list[SyntheticServerArgs])
    """Internal services that the task calls. Omitted: none."""
    secret_arns: pulumi.Output[list[str]] | None = None
    """The secrets with the certificates that the proxy shows to these services. Omitted: none."""
    key_arn: pulumi.Output[str]
    """The key that encrypts secrets and logs. The execution role can decrypt only through Secrets Manager."""
    log_retention_days: int = 90
    """How long container logs are kept."""
    tags: dict[str, str]
    """Tags of every resource."""


class SyntheticIdentity(Component):
    """Roles, security group and log groups of the synthetic chat."""

    execution_role_arn: pulumi.Output[str]
    """The role that pulls images and reads secrets before the containers start."""
    execution_role_name: pulumi.Output[str]
    """Its name, to which ``ModelAccess`` attaches the policy for API keys."""
    task_role_arn: pulumi.Output[str]
    """The role with which the task calls models."""
    task_role_name: pulumi.Output[str]
    """Its name, to which ``ModelAccess`` attaches the policy."""
    security_group_id: pulumi.Output[str]
    """The tasks' security group."""
    secret_arns: pulumi.Output[list[str]]
    """The secrets that the execution role reads, for the endpoint's policy."""
    log_group_names: pulumi.Output[dict[str, str]]
    """Container → log group name."""
    log_group_arns: pulumi.Output[list[str]]
    """The log groups' ARNs, for the endpoint's policy."""

    def __init__(self, name: str, args: SyntheticIdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = SyntheticIdentityArgs.model_validate(args)
        super().__init__("ai-interface:index:SyntheticIdentity", name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        group = self._security_group(name, args, child)
        groups = {
            container: aws.cloudwatch.LogGroup(
                f"{name}-{'logs' if container == NAME else 'proxy-requests'}",
                name=f"/ai-interface/{args.environment}/{container}",
                retention_in_days=args.log_retention_days,
                kms_key_id=args.key_arn,
                tags=args.tags,
                opts=child,
            )
            for container in CONTAINERS
        }
        trust = task_trust(args.account_id, args.region)
        execution = aws.iam.Role(f"{name}-execution", assume_role_policy=trust, tags=args.tags, opts=child)
        task = aws.iam.Role(f"{name}-task", assume_role_policy=trust, tags=args.tags, opts=child)
        self.secret_arns = args.secret_arns or pulumi.Output.from_input(list[str]())
        self.log_group_names = pulumi.Output.all(**{container: one.name for container, one in groups.items()})
        self.log_group_arns = pulumi.Output.all(*(one.arn for one in groups.values())).apply(
            lambda arns: sorted(str(one) for one in arns)
        )
        aws.iam.RolePolicy(
            f"{name}-execution-policy",
            role=execution.name,
            policy=pulumi.Output.all(
                self.log_group_arns, self.secret_arns, args.key_arn, args.image_repository_arns
            ).apply(
                lambda known: execution_policy(
                    repository_arns=known[3],
                    log_group_arns=known[0],
                    secret_arns=known[1],
                    key_arn=known[2],
                    region=args.region,
                )
            ),
            opts=child,
        )
        self.execution_role_arn, self.execution_role_name = execution.arn, execution.name
        self.task_role_arn, self.task_role_name = task.arn, task.name
        self.security_group_id = group.id
        self.register_outputs(
            {
                "executionRoleArn": self.execution_role_arn,
                "executionRoleName": self.execution_role_name,
                "taskRoleArn": self.task_role_arn,
                "taskRoleName": self.task_role_name,
                "securityGroupId": self.security_group_id,
                "secretArns": self.secret_arns,
                "logGroupNames": self.log_group_names,
                "logGroupArns": self.log_group_arns,
            }
        )

    def _security_group(
        self, name: str, args: SyntheticIdentityArgs, child: pulumi.ResourceOptions
    ) -> aws.ec2.SecurityGroup:
        group = aws.ec2.SecurityGroup(
            f"{name}-group",
            description="Synthetic chat: reached by nothing, reaching models",
            vpc_id=args.vpc_id,
            tags={**args.tags, "Name": f"ai-interface-{args.environment}-{NAME}"},
            opts=child,
        )
        for server in args.servers:
            out, into = f"{name}-to-{server.name}", f"{name}-into-{server.name}"
            connect_groups(
                client=group.id,
                server=server.security_group_id,
                port=server.port,
                egress=RuleLabel(name=out, description=f"The {server.name}", tags={**args.tags, "Name": out}),
                ingress=RuleLabel(
                    name=into, description="The synthetic chat calls models", tags={**args.tags, "Name": into}
                ),
                opts=child,
            )
        return group
