"""The egress proxy's identity: its two roles, its security group, its name in the network, its certificates and its log.

The task role has no permission, and never gets one. The security group admits the interface's tasks on one port, and has the
only rule of the stack's tasks that opens egress to any address, on port 443: addresses of a provider are not known beforehand
and change. The network ACL of its subnets denies the private ranges, and Envoy refuses every host that is not declared.
"""

import pulumi
import pulumi_aws as aws

from components.args import Args, Input
from components.common.security_groups import RuleLabel, connect_groups
from components.component import Component
from components.egress.settings import CLIENT_NAME, HTTPS, METRICS_NAMESPACE, PORT, SERVICE, host_name
from components.egress.task_definition import CERTIFICATE, CONTAINERS, PRIVATE_KEY
from components.network.addresses import WORLD
from components.service.internal_identity import (
    InternalService,
    certificates,
    group_arns,
    log_groups,
    name_in_the_network,
    roles,
    secrets,
)

CLIENT_CERTIFICATE, CLIENT_PRIVATE_KEY = "egress-client-certificate", "egress-client-private-key"
SECRETS = {
    CERTIFICATE: "certificate of the egress proxy",
    PRIVATE_KEY: "private key of the egress proxy's certificate",
    CLIENT_CERTIFICATE: "certificate that the interface's proxy shows to the egress proxy",
    CLIENT_PRIVATE_KEY: "private key of the certificate for the egress proxy",
}
REFUSED, FAILED, TUNNELS = "Refused", "Failed", "Tunnels"
COUNTED = {
    REFUSED: "{ $.status = 403 || $.status = 405 }",
    FAILED: "{ $.status >= 500 }",
    TUNNELS: "{ $.status = 200 || $.status >= 500 }",
}
"""Metric → the lines of the log that it counts: destinations and requests that are not allowed, and tunnels that could not be
opened, and all tunnels to declared hosts."""


class EgressIdentityArgs(Args):
    """Arguments of ``EgressIdentity``."""

    environment: str
    """The environment's name, part of names in AWS."""
    region: str
    """The region of the stack."""
    account_id: str
    """The account of the stack."""
    vpc_id: pulumi.Output[str]
    """The network's VPC, in which the egress proxy's name resolves."""
    client_security_group_id: pulumi.Output[str]
    """The interface's tasks, which alone may connect to the egress proxy. They get an egress rule to it."""
    client_execution_role_name: pulumi.Output[str]
    """The role that reads the client certificate for the interface's tasks."""
    image_repository_arns: Input[list[str]]
    """The ECR repositories of the task's images. The execution role can pull only from these."""
    key_arn: pulumi.Output[str]
    """The key that encrypts secrets and logs. The execution role can decrypt only through Secrets Manager."""
    log_retention_days: int = 90
    """How long container logs are kept."""
    tags: dict[str, str]
    """Tags of every resource."""


class EgressIdentity(Component):
    """Roles, security group, name, log group and secrets of the egress proxy."""

    host_name: str
    """The name by which the interface's proxy finds the egress proxy's tasks."""
    registry_arn: pulumi.Output[str]
    """The Cloud Map service in which ECS registers the tasks."""
    authority: pulumi.Output[str]
    """The certificate (PEM) of the CA that both sides trust."""
    execution_role_arn: pulumi.Output[str]
    """The role that pulls images and reads secrets before the container starts."""
    task_role_arn: pulumi.Output[str]
    """The role of the container, without a permission."""
    security_group_id: pulumi.Output[str]
    """The egress proxy's security group."""
    secret_references: pulumi.Output[dict[str, str]]
    """Secret → ``valueFrom`` of a container, with the version's id. The client certificate and its key are the
    interface's."""
    secret_arns: pulumi.Output[list[str]]
    """The ARNs of the egress proxy's secrets, for the Secrets Manager endpoint's policy."""
    client_secret_arns: pulumi.Output[list[str]]
    """The ARNs of the interface's."""
    image_repository_arns: pulumi.Output[list[str]]
    """The repositories of the image."""
    log_group_names: pulumi.Output[dict[str, str]]
    """Container → log group name."""
    log_group_arns: pulumi.Output[list[str]]
    """The log groups' ARNs, for the endpoint's policy."""

    def __init__(self, name: str, args: EgressIdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = EgressIdentityArgs.model_validate(args)
        super().__init__("ai-interface:index:EgressIdentity", name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        own = InternalService(
            name=name,
            role=SERVICE,
            environment=args.environment,
            region=args.region,
            account_id=args.account_id,
            key_arn=args.key_arn,
            tags=args.tags,
            child=child,
        )
        self.host_name = host_name(args.environment)
        self.image_repository_arns = pulumi.Output.from_input(args.image_repository_arns)
        self.security_group_id = self._security_group(name, args, child).id
        self.registry_arn = name_in_the_network(own, self.host_name, args.vpc_id)
        values, self.authority = certificates(own, self.host_name, CLIENT_NAME)
        stored = secrets(own, values, SECRETS, self)
        self.secret_references = stored.references
        self.secret_arns, self.client_secret_arns = stored.own_arns, stored.client_arns
        groups = log_groups(own, CONTAINERS, args.log_retention_days)
        self.log_group_names = pulumi.Output.all(**{container: one.name for container, one in groups.items()})
        self.log_group_arns = group_arns(groups)
        self._counts(name, args, groups[SERVICE], child)
        execution, task = roles(
            own,
            stored,
            self.log_group_arns,
            repository_arns=self.image_repository_arns,
            client_execution_role_name=args.client_execution_role_name,
        )
        self.execution_role_arn = execution.arn
        self.task_role_arn = task.arn
        self.register_outputs(
            {
                "hostName": self.host_name,
                "registryArn": self.registry_arn,
                "authority": self.authority,
                "executionRoleArn": self.execution_role_arn,
                "taskRoleArn": self.task_role_arn,
                "securityGroupId": self.security_group_id,
                "secretReferences": self.secret_references,
                "secretArns": self.secret_arns,
                "clientSecretArns": self.client_secret_arns,
                "imageRepositoryArns": self.image_repository_arns,
                "logGroupNames": self.log_group_names,
                "logGroupArns": self.log_group_arns,
            }
        )

    def _security_group(
        self, name: str, args: EgressIdentityArgs, child: pulumi.ResourceOptions
    ) -> aws.ec2.SecurityGroup:
        group = aws.ec2.SecurityGroup(
            f"{name}-group",
            description="Egress proxy: reached by the tasks of the interface, reaching declared hosts on the internet",
            vpc_id=args.vpc_id,
            tags={**args.tags, "Name": f"ai-interface-{args.environment}-egress"},
            opts=child,
        )
        connect_groups(
            client=args.client_security_group_id,
            server=group.id,
            port=PORT,
            egress=RuleLabel(
                name=f"{name}-from-interface-out",
                description="The egress proxy",
                tags={**args.tags, "Name": f"{name}-from-interface-out"},
            ),
            ingress=RuleLabel(
                name=f"{name}-from-interface",
                description="The proxy of the interface opens tunnels",
                tags={**args.tags, "Name": f"{name}-from-interface"},
            ),
            opts=child,
        )
        aws.vpc.SecurityGroupEgressRule(
            f"{name}-to-internet",
            security_group_id=group.id,
            cidr_ipv4=WORLD,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            description="Declared model providers on the internet",
            tags={**args.tags, "Name": f"{name}-to-internet"},
            opts=child,
        )
        return group

    def _counts(
        self,
        name: str,
        args: EgressIdentityArgs,
        group: aws.cloudwatch.LogGroup,
        child: pulumi.ResourceOptions,
    ) -> None:
        """Metrics from the log, whose lines contain the environment."""
        for metric, pattern in COUNTED.items():
            aws.cloudwatch.LogMetricFilter(
                f"{name}-{metric.lower()}",
                name=f"ai-interface-{args.environment}-egress-{metric.lower()}",
                log_group_name=group.name,
                pattern=pattern,
                metric_transformation=aws.cloudwatch.LogMetricFilterMetricTransformationArgs(
                    namespace=METRICS_NAMESPACE, name=metric, value="1", dimensions={"environment": "$.environment"}
                ),
                opts=child,
            )
