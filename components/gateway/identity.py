"""The gateway's identity: its two roles, its security group, its name in the network, its certificates and its key.

The task role has no permission at first: ``ModelAccess`` attaches the policy for the declared models, with the guardrail
required. The security group admits the interface's tasks on one port; ``PrivateEndpoints`` adds egress to the endpoints,
and there is no other egress.
"""

import pulumi
import pulumi_aws as aws
import pulumi_tls as tls

from components.args import Args, Input
from components.common.secrets import derived_secret
from components.common.security_groups import RuleLabel, connect_groups
from components.component import Component
from components.gateway.settings import CLIENT_NAME, PORT, SERVICE
from components.gateway.task_definition import CERTIFICATE, CONTAINERS, KEY, PRIVATE_KEY
from components.service.internal_identity import (
    InternalService,
    certificates,
    group_arns,
    log_groups,
    name_in_the_network,
    roles,
    secrets,
)

CLIENT_CERTIFICATE, CLIENT_PRIVATE_KEY = "gateway-client-certificate", "gateway-client-private-key"
SECRETS = {
    CERTIFICATE: "certificate of the gateway",
    PRIVATE_KEY: "private key of the gateway's certificate",
    KEY: "key with which the gateway's proxy calls LiteLLM",
    CLIENT_CERTIFICATE: "certificate that the interface's proxy shows to the gateway",
    CLIENT_PRIVATE_KEY: "private key of the certificate for the gateway",
}


def host_name(environment: str) -> str:
    """The gateway's name in the network."""
    return f"gateway.ai-interface-{environment}.internal"


class GatewayIdentityArgs(Args):
    """Arguments of ``GatewayIdentity``."""

    environment: str
    """The environment's name, part of names in AWS."""
    region: str
    """The region of the stack."""
    account_id: str
    """The account of the stack."""
    vpc_id: pulumi.Output[str]
    """The network's VPC, in which the gateway's name resolves."""
    client_security_group_id: pulumi.Output[str]
    """The interface's tasks, which alone may connect to the gateway. They get an egress rule to it."""
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


class GatewayIdentity(Component):
    """Roles, security group, name, log groups and secrets of the gateway."""

    host_name: str
    """The name by which the interface's proxy finds the gateway's tasks."""
    registry_arn: pulumi.Output[str]
    """The Cloud Map service in which ECS registers the tasks."""
    authority: pulumi.Output[str]
    """The certificate (PEM) of the CA that both sides trust."""
    execution_role_arn: pulumi.Output[str]
    """The role that pulls images and reads secrets before the containers start."""
    task_role_arn: pulumi.Output[str]
    """The role with which the gateway calls Bedrock."""
    task_role_name: pulumi.Output[str]
    """The task role's name, to which ``ModelAccess`` attaches the policy."""
    security_group_id: pulumi.Output[str]
    """The gateway's security group."""
    secret_references: pulumi.Output[dict[str, str]]
    """Secret → ``valueFrom`` of a container, with the version's id. The client certificate and its key are the
    interface's."""
    secret_arns: pulumi.Output[list[str]]
    """The ARNs of the gateway's secrets, for the Secrets Manager endpoint's policy."""
    client_secret_arns: pulumi.Output[list[str]]
    """The ARNs of the interface's."""
    image_repository_arns: pulumi.Output[list[str]]
    """The repositories of the gateway's images."""
    log_group_names: pulumi.Output[dict[str, str]]
    """Container → log group name."""
    log_group_arns: pulumi.Output[list[str]]
    """The log groups' ARNs, for the endpoint's policy."""

    def __init__(self, name: str, args: GatewayIdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = GatewayIdentityArgs.model_validate(args)
        super().__init__("ai-interface:index:GatewayIdentity", name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.host_name = host_name(args.environment)
        self.image_repository_arns = pulumi.Output.from_input(args.image_repository_arns)
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
        group = self._security_group(name, args, child)
        self.registry_arn = name_in_the_network(own, self.host_name, args.vpc_id)
        values, self.authority = certificates(own, self.host_name, CLIENT_NAME)
        seed = tls.PrivateKey(f"{name}-seed", algorithm="ECDSA", ecdsa_curve="P256", opts=child)
        values[KEY] = seed.private_key_pem_pkcs8.apply(lambda pem: "sk-" + derived_secret("gateway key", pem))
        stored = secrets(own, values, SECRETS, self)
        self.secret_references = stored.references
        self.secret_arns, self.client_secret_arns = stored.own_arns, stored.client_arns
        groups = log_groups(own, CONTAINERS, args.log_retention_days)
        self.log_group_names = pulumi.Output.all(**{container: one.name for container, one in groups.items()})
        self.log_group_arns = group_arns(groups)
        execution, task = roles(
            own,
            stored,
            self.log_group_arns,
            repository_arns=self.image_repository_arns,
            client_execution_role_name=args.client_execution_role_name,
        )
        self.execution_role_arn = execution.arn
        self.task_role_arn = task.arn
        self.task_role_name = task.name
        self.security_group_id = group.id
        self.register_outputs(
            {
                "hostName": self.host_name,
                "registryArn": self.registry_arn,
                "authority": self.authority,
                "executionRoleArn": self.execution_role_arn,
                "taskRoleArn": self.task_role_arn,
                "taskRoleName": self.task_role_name,
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
        self, name: str, args: GatewayIdentityArgs, child: pulumi.ResourceOptions
    ) -> aws.ec2.SecurityGroup:
        group = aws.ec2.SecurityGroup(
            f"{name}-group",
            description="Gateway to models: reached by the tasks of the interface, reaching AWS endpoints",
            vpc_id=args.vpc_id,
            tags={**args.tags, "Name": f"ai-interface-{args.environment}-gateway"},
            opts=child,
        )
        connect_groups(
            client=args.client_security_group_id,
            server=group.id,
            port=PORT,
            egress=RuleLabel(
                name=f"{name}-from-interface-out",
                description="The gateway to models",
                tags={**args.tags, "Name": f"{name}-from-interface-out"},
            ),
            ingress=RuleLabel(
                name=f"{name}-from-interface",
                description="The proxy of the interface calls models",
                tags={**args.tags, "Name": f"{name}-from-interface"},
            ),
            opts=child,
        )
        return group
