"""The secrets whose values an operator sets. They are created with fixed names and without values.

A secret is created without a version, so its value is never in the plan, the state or git. The owner of the value sets
it with the AWS CLI. Until then, a deployment that reads the secret fails with an error that names the secret. Generated
secrets are created elsewhere (``components/service/task_identity.py``).
"""

import pulumi
import pulumi_aws as aws
from pydantic import Field

from components.args import Args
from components.common.iam import ANYONE, Effect, Statement, policy_document

SECRETS = {"oidc-client-secret": "the identity provider's client secret, used by the edge's login"}
"""Role → description. The name is ``ai-interface/<environment>/<role>``."""
MODEL_KEY = "model-key-"
"""Begins the roles of secrets with API keys of model servers."""

ALERT_ENDPOINT = "alert-"
"""Begins the roles of secrets with URLs of pagers."""


class NamedSecretsArgs(Args):
    """Arguments of ``NamedSecrets``."""

    environment: str
    """Part of each secret's name."""
    account_id: str
    """The only account whose principals have access."""
    key_arn: pulumi.Output[str]
    """The key that encrypts the values."""
    tags: dict[str, str]
    """Must contain this environment's ``environment`` tag: CI's and the tasks' roles read only secrets with their
    environment's tag."""
    model_keys: list[str] = Field(default_factory=list[str])
    """Names of API keys of model servers, each of which gets a secret ``model-key-<name>``. Omitted: none."""
    alert_endpoints: list[str] = Field(default_factory=list[str])
    """Names of pagers, each of which gets a secret ``alert-<name>`` for its URL. Omitted: none."""


class NamedSecrets(pulumi.ComponentResource):
    """The secrets of one environment, without values."""

    secret_names: pulumi.Output[dict[str, str]]
    """Role → the secret's name, as in the stack file."""
    secret_arns: pulumi.Output[dict[str, str]]
    """Role → the secret's ARN."""

    def __init__(self, name: str, args: NamedSecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = NamedSecretsArgs.model_validate(args)
        super().__init__("ai-interface:bootstrap:NamedSecrets", name, {}, opts)
        keys = {f"{MODEL_KEY}{key}": f"the API key of the model server {key}" for key in args.model_keys}
        alerts = {f"{ALERT_ENDPOINT}{one}": f"the URL of the pager {one}" for one in args.alert_endpoints}
        every = SECRETS | keys | alerts
        secrets = {role: self._secret(name, role, description, args) for role, description in every.items()}
        self.secret_names = pulumi.Output.all(**{role: secret.name for role, secret in secrets.items()})
        self.secret_arns = pulumi.Output.all(**{role: secret.arn for role, secret in secrets.items()})
        self.register_outputs({"secretNames": self.secret_names, "secretArns": self.secret_arns})

    def _secret(self, name: str, role: str, description: str, args: NamedSecretsArgs) -> aws.secretsmanager.Secret:
        secret = aws.secretsmanager.Secret(
            f"{name}-{role}",
            name=f"ai-interface/{args.environment}/{role}",
            description=f"ai-interface {args.environment}: {description}",
            kms_key_id=args.key_arn,
            recovery_window_in_days=30,
            tags=args.tags,
            # Without the secret, users cannot log in or tasks cannot start until a value is set again, so Pulumi refuses
            # to delete it.
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )
        aws.secretsmanager.SecretPolicy(
            f"{name}-{role}-policy",
            secret_arn=secret.arn,
            policy=secret_policy(args.account_id),
            block_public_policy=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return secret


def secret_policy(account_id: str) -> str:
    """Principals of other accounts cannot read or change the secret. Within the account, IAM policies control
    access."""
    return policy_document(
        [
            Statement(
                sid="OnlyThisAccount",
                effect=Effect.DENY,
                principals=ANYONE,
                actions=["secretsmanager:*"],
                resources=["*"],
                conditions={
                    "StringNotEquals": {"aws:PrincipalAccount": [account_id]},
                    "BoolIfExists": {"aws:PrincipalIsAWSService": ["false"]},
                },
            )
        ]
    )
