"""The identity of an internal service: a Fargate service without a load balancer that only the interface's proxy calls, over
TLS both ways, and that it finds by DNS.

A CA of the service signs two certificates: the service's and the one with which the interface's proxy proves who it is. The
CA's key is only in the stack's encrypted state. Both sides verify the other, unlike the load balancer, so an expired
certificate stops all calls: a certificate is valid for three years, and the first update in its second year renews it. The CA
stays, so tasks with older and newer certificates work side by side.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_tls as tls

from components.common.iam import Statement, policy_document
from components.common.secrets import generated_secret
from components.service.task_identity import execution_policy, task_trust

YEAR_HOURS = 365 * 24
CERTIFICATE_HOURS = 3 * YEAR_HOURS
RENEWAL_HOURS = 2 * YEAR_HOURS
AUTHORITY_HOURS = 30 * YEAR_HOURS
DNS_SECONDS = 10
"""How long an address is cached. A stopped task's address is removed from DNS before the task gets SIGTERM."""


@dataclass(frozen=True, kw_only=True)
class InternalService:
    """The parts of the names, and the stack, of an internal service."""

    name: str
    """The component's name, with which the names of its resources begin."""
    role: str
    """The service's name in secrets and containers, such as ``gateway``: their names are ``<role>`` or ``<role>-…``."""
    environment: str
    region: str
    account_id: str
    key_arn: pulumi.Output[str]
    """The key that encrypts secrets and logs."""
    tags: dict[str, str]
    child: pulumi.ResourceOptions
    """The component is the parent."""

    @property
    def certificate(self) -> str:
        """The secret with the service's certificate. The others are named likewise."""
        return f"{self.role}-certificate"

    @property
    def private_key(self) -> str:
        """The secret with its key."""
        return f"{self.role}-private-key"

    @property
    def client_certificate(self) -> str:
        """The secret with the certificate of the interface's proxy."""
        return f"{self.role}-client-certificate"

    @property
    def client_private_key(self) -> str:
        """The secret with its key."""
        return f"{self.role}-client-private-key"

    @property
    def of_the_interface(self) -> tuple[str, str]:
        """The secrets that the interface's tasks read."""
        return self.client_certificate, self.client_private_key

    def resource(self, role: str) -> str:
        """The name of a resource: the component's own name comes first, and is not repeated."""
        return f"{self.name}-{role.removeprefix(f'{self.role}-')}"


@dataclass(frozen=True, kw_only=True)
class InternalSecrets:
    """The generated secrets."""

    references: pulumi.Output[dict[str, str]]
    """Secret → ``valueFrom`` of a container, with the version's id."""
    own_arns: pulumi.Output[list[str]]
    client_arns: pulumi.Output[list[str]]


def name_in_the_network(one: InternalService, host_name: str, vpc_id: pulumi.Output[str]) -> pulumi.Output[str]:
    """Create the Cloud Map service in which ECS registers the tasks under ``host_name``; return its ARN."""
    first, _, domain = host_name.partition(".")
    namespace = aws.servicediscovery.PrivateDnsNamespace(
        f"{one.name}-namespace",
        name=domain,
        description=f"ai-interface {one.environment}: names of services inside the VPC",
        vpc=vpc_id,
        tags=one.tags,
        opts=one.child,
    )
    registry = aws.servicediscovery.Service(
        f"{one.name}-registry",
        name=first,
        description=f"Tasks of the {one.role}, registered by ECS",
        dns_config=aws.servicediscovery.ServiceDnsConfigArgs(
            namespace_id=namespace.id,
            dns_records=[aws.servicediscovery.ServiceDnsConfigDnsRecordArgs(type="A", ttl=DNS_SECONDS)],
            # Every healthy task's address, of which the proxy chooses. The default would return a single one.
            routing_policy="MULTIVALUE",
        ),
        # ECS reports the health of the containers. Nothing else can reach a task, so there is no other check.
        health_check_custom_config=aws.servicediscovery.ServiceHealthCheckCustomConfigArgs(),
        tags=one.tags,
        opts=one.child,
    )
    return registry.arn


def certificates(
    one: InternalService, host_name: str, client_name: str
) -> tuple[dict[str, pulumi.Output[str]], pulumi.Output[str]]:
    """Create the CA and both certificates; return the values of their secrets, and the CA's certificate (PEM)."""
    authority_key = tls.PrivateKey(f"{one.name}-authority-key", algorithm="ECDSA", ecdsa_curve="P256", opts=one.child)
    authority = tls.SelfSignedCert(
        f"{one.name}-authority",
        private_key_pem=authority_key.private_key_pem,
        is_ca_certificate=True,
        allowed_uses=["cert_signing"],
        subject=tls.SelfSignedCertSubjectArgs(common_name=f"{one.role} authority", organization="ai-interface"),
        validity_period_hours=AUTHORITY_HOURS,
        opts=one.child,
    )
    values: dict[str, pulumi.Output[str]] = {}
    for role, key_role, dns_name, use in (
        (one.certificate, one.private_key, host_name, "server_auth"),
        (one.client_certificate, one.client_private_key, client_name, "client_auth"),
    ):
        key = tls.PrivateKey(one.resource(key_role), algorithm="ECDSA", ecdsa_curve="P256", opts=one.child)
        request = tls.CertRequest(
            f"{one.resource(role)}-request",
            private_key_pem=key.private_key_pem,
            subject=tls.CertRequestSubjectArgs(common_name=dns_name, organization="ai-interface"),
            dns_names=[dns_name],
            opts=one.child,
        )
        signed = tls.LocallySignedCert(
            one.resource(role),
            cert_request_pem=request.cert_request_pem,
            ca_private_key_pem=authority_key.private_key_pem,
            ca_cert_pem=authority.cert_pem,
            allowed_uses=["digital_signature", use],
            validity_period_hours=CERTIFICATE_HOURS,
            early_renewal_hours=RENEWAL_HOURS,
            opts=one.child,
        )
        values |= {role: signed.cert_pem, key_role: key.private_key_pem_pkcs8}
    return values, authority.cert_pem


def secrets(
    one: InternalService,
    values: Mapping[str, pulumi.Output[str]],
    descriptions: Mapping[str, str],
    parent: pulumi.Resource,
) -> InternalSecrets:
    """Store the values in Secrets Manager. ``descriptions``: what each secret is."""
    made: dict[str, aws.secretsmanager.Secret] = {}
    references: dict[str, pulumi.Output[str]] = {}
    for role, value in values.items():
        made[role], references[role] = generated_secret(
            f"{one.resource(role)}-secret",
            description=f"ai-interface {one.environment}: {descriptions[role]}",
            value=value,
            key_arn=one.key_arn,
            tags=one.tags,
            parent=parent,
        )
    return InternalSecrets(
        references=pulumi.Output.all(**references),
        own_arns=_arns(secret for role, secret in made.items() if role not in one.of_the_interface),
        client_arns=_arns(made[role] for role in one.of_the_interface),
    )


def log_groups(
    one: InternalService, containers: Iterable[str], retention_days: int
) -> dict[str, aws.cloudwatch.LogGroup]:
    """Create a log group for each container."""
    return {
        container: aws.cloudwatch.LogGroup(
            f"{one.resource(container)}-logs",
            name=f"/ai-interface/{one.environment}/{container}",
            retention_in_days=retention_days,
            kms_key_id=one.key_arn,
            tags=one.tags,
            opts=one.child,
        )
        for container in containers
    }


def group_arns(groups: Mapping[str, aws.cloudwatch.LogGroup]) -> pulumi.Output[list[str]]:
    """The log groups' ARNs, sorted."""
    return pulumi.Output.all(*(group.arn for group in groups.values())).apply(_sorted)


def roles(
    one: InternalService,
    stored: InternalSecrets,
    log_group_arns: pulumi.Output[list[str]],
    *,
    repository_arns: pulumi.Output[list[str]],
    client_execution_role_name: pulumi.Output[str],
) -> tuple[aws.iam.Role, aws.iam.Role]:
    """Create the execution role and the task role, which has no permission. The interface's execution role gets permission to
    read the client certificate."""
    trust = task_trust(one.account_id, one.region)
    execution = aws.iam.Role(f"{one.name}-execution", assume_role_policy=trust, tags=one.tags, opts=one.child)
    task = aws.iam.Role(f"{one.name}-task", assume_role_policy=trust, tags=one.tags, opts=one.child)
    aws.iam.RolePolicy(
        f"{one.name}-execution-policy",
        role=execution.name,
        policy=pulumi.Output.all(log_group_arns, stored.own_arns, one.key_arn, repository_arns).apply(
            lambda known: execution_policy(
                repository_arns=known[3],
                log_group_arns=known[0],
                secret_arns=known[1],
                key_arn=known[2],
                region=one.region,
            )
        ),
        opts=one.child,
    )
    aws.iam.RolePolicy(
        f"{one.name}-client-policy",
        role=client_execution_role_name,
        policy=pulumi.Output.all(stored.client_arns, one.key_arn).apply(
            lambda known: client_policy(known[0], known[1], one.region, one.role)
        ),
        opts=one.child,
    )
    return execution, task


def client_policy(secret_arns: list[str], key_arn: str, region: str, role: str) -> str:
    """The secrets that the execution role of the interface reads for its proxy."""
    label = role.capitalize()
    context = {
        "kms:EncryptionContext:SecretARN": secret_arns,
        "kms:ViaService": [f"secretsmanager.{region}.amazonaws.com"],
    }
    return policy_document(
        [
            Statement(sid=f"Read{label}Secrets", actions=["secretsmanager:GetSecretValue"], resources=secret_arns),
            Statement(
                sid=f"Decrypt{label}Secrets",
                actions=["kms:Decrypt"],
                resources=[key_arn],
                conditions={"StringEquals": context},
            ),
        ]
    )


def _arns(made: Iterable[aws.secretsmanager.Secret]) -> pulumi.Output[list[str]]:
    return pulumi.Output.all(*(secret.arn for secret in made)).apply(_sorted)


def _sorted(values: list[str]) -> list[str]:
    return sorted(str(value) for value in values)
