"""The task's identity: its two roles, its security group, its certificate and its keys.

ECS uses the execution role while it starts the task (pull, log, read secrets); the containers use the task role. The
task role has no permission at first: each component that adds a destination (``ModelAccess``, ``Data``) attaches a
policy. The security group has no rule at first: ``PrivateEndpoints`` adds egress and ``Edge`` ingress. The component
creates no container and no log group.
"""

import pulumi
import pulumi_aws as aws
import pulumi_tls as tls

from components.args import Args, Input
from components.common.iam import SOURCE_ACCOUNT, SOURCE_ARN, Statement, policy_document, service_trust
from components.common.secrets import (
    PROXY_CERTIFICATE,
    PROXY_PRIVATE_KEY,
    SESSION_KEY,
    USER_KEY,
    derived_secret,
    generated_secret,
)
from components.component import Component

SECRETS = {
    PROXY_CERTIFICATE: "certificate that the proxy shows to the load balancer",
    PROXY_PRIVATE_KEY: "private key of the proxy's certificate",
    SESSION_KEY: "key with which the application signs its sessions",
    USER_KEY: "key of the user ids in the proxy's log",
}

CERTIFICATE_HOURS = 365 * 24
RENEWAL_HOURS = 90 * 24
"""The first update in the last 90 days of the year renews the certificate. The load balancer checks neither name nor
expiry of a target's certificate, so a late renewal never causes an outage."""


class WorkloadIdentityArgs(Args):
    """Arguments of ``WorkloadIdentity``."""

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
    log_group_arns: pulumi.Output[dict[str, str]]
    """Container → log group ARN. The execution role can write only to these."""
    key_arn: pulumi.Output[str]
    """The key that encrypts the secrets. The execution role can decrypt only through Secrets Manager."""
    tags: dict[str, str]
    """Tags of every resource."""


class WorkloadIdentity(Component):
    """Execution role, task role, security group and the secrets that belong to the task itself."""

    execution_role_arn: pulumi.Output[str]
    """The role that pulls images and reads secrets before the containers start."""
    execution_role_name: pulumi.Output[str]
    """The execution role's name, to which other components attach policies."""
    task_role_arn: pulumi.Output[str]
    """The role with which the application and the proxy call AWS."""
    task_role_name: pulumi.Output[str]
    """The task role's name, to which components of destinations attach policies."""
    security_group_id: pulumi.Output[str]
    """The tasks' security group."""
    secret_references: pulumi.Output[dict[str, str]]
    """Secret → ``valueFrom`` of a container, with the version's id: a renewed value creates a new task definition."""
    secret_arns: pulumi.Output[list[str]]
    """The secrets' ARNs, for the Secrets Manager endpoint's policy."""

    def __init__(self, name: str, args: WorkloadIdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = WorkloadIdentityArgs.model_validate(args)
        super().__init__("ai-interface:index:WorkloadIdentity", name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        group = self._security_group(name, args, child)
        secrets, self.secret_references = self._secrets(name, args, child)
        self.secret_arns = pulumi.Output.all(*(secret.arn for secret in secrets)).apply(
            lambda arns: sorted(str(arn) for arn in arns)
        )
        trust = task_trust(args.account_id, args.region)
        execution = aws.iam.Role(f"{name}-execution", assume_role_policy=trust, tags=args.tags, opts=child)
        task = aws.iam.Role(f"{name}-task", assume_role_policy=trust, tags=args.tags, opts=child)
        self._execution_policy(name, args, execution, child)
        self.execution_role_arn = execution.arn
        self.execution_role_name = execution.name
        self.task_role_arn = task.arn
        self.task_role_name = task.name
        self.security_group_id = group.id
        self.register_outputs(
            {
                "executionRoleArn": self.execution_role_arn,
                "executionRoleName": self.execution_role_name,
                "taskRoleArn": self.task_role_arn,
                "taskRoleName": self.task_role_name,
                "securityGroupId": self.security_group_id,
                "secretReferences": self.secret_references,
                "secretArns": self.secret_arns,
            }
        )

    def _security_group(
        self, name: str, args: WorkloadIdentityArgs, child: pulumi.ResourceOptions
    ) -> aws.ec2.SecurityGroup:
        return aws.ec2.SecurityGroup(
            f"{name}-tasks",
            description="Tasks of the interface: reached by the edge, reaching declared destinations",
            vpc_id=args.vpc_id,
            tags={**args.tags, "Name": f"ai-interface-{args.environment}-tasks"},
            opts=child,
        )

    def _secrets(
        self, name: str, args: WorkloadIdentityArgs, child: pulumi.ResourceOptions
    ) -> tuple[list[aws.secretsmanager.Secret], pulumi.Output[dict[str, str]]]:
        key = tls.PrivateKey(f"{name}-proxy-key", algorithm="ECDSA", ecdsa_curve="P256", opts=child)
        certificate = tls.SelfSignedCert(
            f"{name}-proxy-certificate",
            private_key_pem=key.private_key_pem,
            allowed_uses=["digital_signature", "server_auth"],
            subject=tls.SelfSignedCertSubjectArgs(common_name="proxy.internal", organization="ai-interface"),
            dns_names=["proxy.internal"],
            validity_period_hours=CERTIFICATE_HOURS,
            early_renewal_hours=RENEWAL_HOURS,
            opts=child,
        )
        seed = tls.PrivateKey(f"{name}-session-seed", algorithm="ECDSA", ecdsa_curve="P256", opts=child)
        # Not derived from the session's seed: a renewed session key must not change the ids in ``identity.blocked``.
        user_seed = tls.PrivateKey(f"{name}-user-seed", algorithm="ECDSA", ecdsa_curve="P256", opts=child)
        values = {
            PROXY_CERTIFICATE: certificate.cert_pem,
            PROXY_PRIVATE_KEY: key.private_key_pem_pkcs8,
            SESSION_KEY: seed.private_key_pem_pkcs8.apply(session_key),
            USER_KEY: user_seed.private_key_pem_pkcs8.apply(user_key),
        }
        secrets: list[aws.secretsmanager.Secret] = []
        references: dict[str, pulumi.Output[str]] = {}
        for role, value in values.items():
            secret, reference = generated_secret(
                f"{name}-{role}",
                description=f"ai-interface {args.environment}: {SECRETS[role]}",
                value=value,
                key_arn=args.key_arn,
                tags=args.tags,
                parent=self,
            )
            secrets.append(secret)
            references[role] = reference
        return secrets, pulumi.Output.all(**references)

    def _execution_policy(
        self, name: str, args: WorkloadIdentityArgs, role: aws.iam.Role, child: pulumi.ResourceOptions
    ) -> None:
        policy = pulumi.Output.all(
            args.log_group_arns, self.secret_arns, args.key_arn, args.image_repository_arns
        ).apply(
            lambda known: execution_policy(
                repository_arns=known[3],
                log_group_arns=sorted(known[0].values()),
                secret_arns=known[1],
                key_arn=known[2],
                region=args.region,
            )
        )
        aws.iam.RolePolicy(f"{name}-execution-policy", role=role.name, policy=policy, opts=child)


def task_trust(account_id: str, region: str) -> str:
    """ECS may assume the role for tasks of this account and region."""
    return service_trust(
        "ecs-tasks.amazonaws.com",
        {
            "StringEquals": {SOURCE_ACCOUNT: [account_id]},
            "ArnLike": {SOURCE_ARN: [f"arn:aws:ecs:{region}:{account_id}:*"]},
        },
    )


def execution_policy(
    *, repository_arns: list[str], log_group_arns: list[str], secret_arns: list[str], key_arn: str, region: str
) -> str:
    """Permissions to start a task: its images, log groups and secrets, and no others."""
    of_secrets = [
        Statement(sid="ReadSecrets", actions=["secretsmanager:GetSecretValue"], resources=secret_arns),
        Statement(
            sid="DecryptSecrets",
            actions=["kms:Decrypt"],
            resources=[key_arn],
            conditions={
                "StringEquals": {
                    "kms:EncryptionContext:SecretARN": secret_arns,
                    "kms:ViaService": [f"secretsmanager.{region}.amazonaws.com"],
                }
            },
        ),
    ]
    return policy_document(
        [
            # GetAuthorizationToken does not support resource-level permissions: AWS accepts only "*".
            Statement(sid="LogInToTheRegistry", actions=["ecr:GetAuthorizationToken"], resources=["*"]),
            Statement(
                sid="PullImages",
                actions=["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                resources=repository_arns,
            ),
            Statement(
                sid="WriteLogs",
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[f"{arn}:*" for arn in log_group_arns],
            ),
            *(of_secrets if secret_arns else []),
        ]
    )


def session_key(private_key_pem: str) -> str:
    """A stable 256-bit key, derived from a private key in the stack's encrypted state, so a preview never changes
    it."""
    return derived_secret("session key", private_key_pem)


def user_key(private_key_pem: str) -> str:
    """The key of the user ids in the log, 64 characters. With another key every user has another id."""
    return derived_secret("user key", private_key_pem)
