"""The gateway's identity: its two roles, its security group, its name in the network, its certificates and its key.

The task role has no permission at first: ``ModelAccess`` attaches the policy for the declared models, with the guardrail
required. The security group admits the interface's tasks on one port; ``PrivateEndpoints`` adds egress to the endpoints,
and there is no other egress.

A CA of the environment signs two certificates: the gateway's and the one with which the interface's proxy proves who it
is. The CA's key is only in the stack's encrypted state. Both sides verify the other, unlike the load balancer, so an
expired certificate stops all calls: a certificate is valid for three years, and the first update in its second year
renews it. The CA stays, so tasks with older and newer certificates work side by side.
"""

from collections.abc import Iterable

import pulumi
import pulumi_aws as aws
import pulumi_tls as tls

from components.args import Args
from components.common.iam import Statement, policy_document
from components.common.secrets import derived_secret, generated_secret
from components.common.security_groups import RuleLabel, connect_groups
from components.gateway.settings import CLIENT_NAME, PORT
from components.gateway.task_definition import CERTIFICATE, CONTAINERS, KEY, PRIVATE_KEY
from components.service.task_identity import execution_policy, task_trust

CLIENT_CERTIFICATE, CLIENT_PRIVATE_KEY = "gateway-client-certificate", "gateway-client-private-key"
SECRETS = {
    CERTIFICATE: "certificate of the gateway",
    PRIVATE_KEY: "private key of the gateway's certificate",
    KEY: "key with which the gateway's proxy calls LiteLLM",
    CLIENT_CERTIFICATE: "certificate that the interface's proxy shows to the gateway",
    CLIENT_PRIVATE_KEY: "private key of the certificate for the gateway",
}
_OF_THE_INTERFACE = (CLIENT_CERTIFICATE, CLIENT_PRIVATE_KEY)

YEAR_HOURS = 365 * 24
CERTIFICATE_HOURS = 3 * YEAR_HOURS
RENEWAL_HOURS = 2 * YEAR_HOURS
AUTHORITY_HOURS = 30 * YEAR_HOURS
DNS_SECONDS = 10
"""How long an address is cached. A stopped task's address is removed from DNS before the task gets SIGTERM."""


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
    image_repository_arns: list[str]
    """The ECR repositories of the task's images. The execution role can pull only from these."""
    key_arn: pulumi.Output[str]
    """The key that encrypts secrets and logs. The execution role can decrypt only through Secrets Manager."""
    log_retention_days: int = 90
    """How long container logs are kept."""
    tags: dict[str, str]
    """Tags of every resource."""


class GatewayIdentity(pulumi.ComponentResource):
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
    image_repository_arns: list[str]
    """The repositories of the gateway's images."""
    log_group_names: pulumi.Output[dict[str, str]]
    """Container → log group name."""
    log_group_arns: pulumi.Output[list[str]]
    """The log groups' ARNs, for the endpoint's policy."""

    def __init__(self, name: str, args: GatewayIdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = GatewayIdentityArgs.model_validate(args)
        super().__init__("ai-interface:index:GatewayIdentity", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.host_name = host_name(args.environment)
        self.image_repository_arns = args.image_repository_arns
        group = self._security_group(name, args, child)
        self._name_in_the_network(name, args, child)
        values, self.authority = self._certificates(name, child)
        self._secrets(name, args, values)
        groups = self._log_groups(name, args, child)
        self.log_group_names = pulumi.Output.all(**{container: one.name for container, one in groups.items()})
        self.log_group_arns = pulumi.Output.all(*(one.arn for one in groups.values())).apply(_sorted)
        self._roles(name, args, child)
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

    def _name_in_the_network(self, name: str, args: GatewayIdentityArgs, child: pulumi.ResourceOptions) -> None:
        first, _, domain = self.host_name.partition(".")
        namespace = aws.servicediscovery.PrivateDnsNamespace(
            f"{name}-namespace",
            name=domain,
            description=f"ai-interface {args.environment}: names of services inside the VPC",
            vpc=args.vpc_id,
            tags=args.tags,
            opts=child,
        )
        registry = aws.servicediscovery.Service(
            f"{name}-registry",
            name=first,
            description="Tasks of the gateway, registered by ECS",
            dns_config=aws.servicediscovery.ServiceDnsConfigArgs(
                namespace_id=namespace.id,
                dns_records=[aws.servicediscovery.ServiceDnsConfigDnsRecordArgs(type="A", ttl=DNS_SECONDS)],
                # Every healthy task's address, of which the proxy chooses. The default would return a single one.
                routing_policy="MULTIVALUE",
            ),
            # ECS reports the health of the containers. Nothing else can reach a task, so there is no other check.
            health_check_custom_config=aws.servicediscovery.ServiceHealthCheckCustomConfigArgs(failure_threshold=1),
            tags=args.tags,
            opts=child,
        )
        self.registry_arn = registry.arn

    def _certificates(
        self, name: str, child: pulumi.ResourceOptions
    ) -> tuple[dict[str, pulumi.Output[str]], pulumi.Output[str]]:
        authority_key = tls.PrivateKey(f"{name}-authority-key", algorithm="ECDSA", ecdsa_curve="P256", opts=child)
        authority = tls.SelfSignedCert(
            f"{name}-authority",
            private_key_pem=authority_key.private_key_pem,
            is_ca_certificate=True,
            allowed_uses=["cert_signing"],
            subject=tls.SelfSignedCertSubjectArgs(common_name="gateway authority", organization="ai-interface"),
            validity_period_hours=AUTHORITY_HOURS,
            opts=child,
        )
        seed = tls.PrivateKey(f"{name}-seed", algorithm="ECDSA", ecdsa_curve="P256", opts=child)
        values: dict[str, pulumi.Output[str]] = {
            KEY: seed.private_key_pem_pkcs8.apply(lambda pem: "sk-" + derived_secret("gateway key", pem))
        }
        for role, key_role, dns_name, use in (
            (CERTIFICATE, PRIVATE_KEY, self.host_name, "server_auth"),
            (CLIENT_CERTIFICATE, CLIENT_PRIVATE_KEY, CLIENT_NAME, "client_auth"),
        ):
            key = tls.PrivateKey(f"{name}-{_part(key_role)}", algorithm="ECDSA", ecdsa_curve="P256", opts=child)
            request = tls.CertRequest(
                f"{name}-{_part(role)}-request",
                private_key_pem=key.private_key_pem,
                subject=tls.CertRequestSubjectArgs(common_name=dns_name, organization="ai-interface"),
                dns_names=[dns_name],
                opts=child,
            )
            signed = tls.LocallySignedCert(
                f"{name}-{_part(role)}",
                cert_request_pem=request.cert_request_pem,
                ca_private_key_pem=authority_key.private_key_pem,
                ca_cert_pem=authority.cert_pem,
                allowed_uses=["digital_signature", use],
                validity_period_hours=CERTIFICATE_HOURS,
                early_renewal_hours=RENEWAL_HOURS,
                opts=child,
            )
            values |= {role: signed.cert_pem, key_role: key.private_key_pem_pkcs8}
        return values, authority.cert_pem

    def _secrets(self, name: str, args: GatewayIdentityArgs, values: dict[str, pulumi.Output[str]]) -> None:
        secrets: dict[str, aws.secretsmanager.Secret] = {}
        references: dict[str, pulumi.Output[str]] = {}
        for role, value in values.items():
            secrets[role], references[role] = generated_secret(
                f"{name}-{_part(role)}-secret",
                description=f"ai-interface {args.environment}: {SECRETS[role]}",
                value=value,
                key_arn=args.key_arn,
                tags=args.tags,
                parent=self,
            )
        self.secret_references = pulumi.Output.all(**references)
        self.secret_arns = _arns(secret for role, secret in secrets.items() if role not in _OF_THE_INTERFACE)
        self.client_secret_arns = _arns(secrets[role] for role in _OF_THE_INTERFACE)

    def _log_groups(
        self, name: str, args: GatewayIdentityArgs, child: pulumi.ResourceOptions
    ) -> dict[str, aws.cloudwatch.LogGroup]:
        return {
            container: aws.cloudwatch.LogGroup(
                f"{name}-{_part(container)}-logs",
                name=f"/ai-interface/{args.environment}/{container}",
                retention_in_days=args.log_retention_days,
                kms_key_id=args.key_arn,
                tags=args.tags,
                opts=child,
            )
            for container in CONTAINERS
        }

    def _roles(self, name: str, args: GatewayIdentityArgs, child: pulumi.ResourceOptions) -> None:
        trust = task_trust(args.account_id, args.region)
        execution = aws.iam.Role(f"{name}-execution", assume_role_policy=trust, tags=args.tags, opts=child)
        task = aws.iam.Role(f"{name}-task", assume_role_policy=trust, tags=args.tags, opts=child)
        aws.iam.RolePolicy(
            f"{name}-execution-policy",
            role=execution.name,
            policy=pulumi.Output.all(self.log_group_arns, self.secret_arns, args.key_arn).apply(
                lambda known: execution_policy(
                    repository_arns=args.image_repository_arns,
                    log_group_arns=known[0],
                    secret_arns=known[1],
                    key_arn=known[2],
                    region=args.region,
                )
            ),
            opts=child,
        )
        aws.iam.RolePolicy(
            f"{name}-client-policy",
            role=args.client_execution_role_name,
            policy=pulumi.Output.all(self.client_secret_arns, args.key_arn).apply(
                lambda known: client_policy(known[0], known[1], args.region)
            ),
            opts=child,
        )
        self.execution_role_arn = execution.arn
        self.task_role_arn = task.arn
        self.task_role_name = task.name


def _part(role: str) -> str:
    """The end of a resource's name: the component's own name comes first."""
    return role.removeprefix("gateway-")


def _arns(secrets: Iterable[aws.secretsmanager.Secret]) -> pulumi.Output[list[str]]:
    return pulumi.Output.all(*(secret.arn for secret in secrets)).apply(_sorted)


def _sorted(values: list[str]) -> list[str]:
    return sorted(str(value) for value in values)


def client_policy(secret_arns: list[str], key_arn: str, region: str) -> str:
    """The secrets that the execution role of the interface reads for its proxy."""
    context = {
        "kms:EncryptionContext:SecretARN": secret_arns,
        "kms:ViaService": [f"secretsmanager.{region}.amazonaws.com"],
    }
    return policy_document(
        [
            Statement(sid="ReadGatewaySecrets", actions=["secretsmanager:GetSecretValue"], resources=secret_arns),
            Statement(
                sid="DecryptGatewaySecrets",
                actions=["kms:Decrypt"],
                resources=[key_arn],
                conditions={"StringEquals": context},
            ),
        ]
    )
