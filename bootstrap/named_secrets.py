"""The secrets that people put in: each exists under a name of its own, and never with a value from here.

A secret is created without a version, so nothing that could be mistaken for a value is ever in the plan, in the
state or in git; whoever owns the value puts it in with the AWS command line. Until then a deployment that reads
it fails and names it. It makes none of the secrets that are generated (``components/service/task_identity.py`` does).
"""

import pulumi
import pulumi_aws as aws

from components.args import Args
from components.common.iam import ANYONE, Effect, Statement, policy_document

SECRETS = {"oidc-client-secret": "the identity provider's client secret, used by the edge's login"}
"""Role → description. The name is ``ai-interface/<environment>/<role>``."""


class NamedSecretsArgs(Args):
    """Arguments of ``NamedSecrets``."""

    environment: str
    """Part of each secret's name."""
    account_id: str
    """The only account whose principals get in."""
    key_arn: pulumi.Output[str]
    """Encrypts the values."""
    tags: dict[str, str]
    """Their ``environment`` is this one: CI's roles read the secrets that carry their own environment's tag."""


class NamedSecrets(pulumi.ComponentResource):
    """One environment's secrets, without values."""

    secret_names: pulumi.Output[dict[str, str]]
    """Role → the secret's name, as the stack file writes it."""
    secret_arns: pulumi.Output[dict[str, str]]
    """Role → the secret's ARN."""

    def __init__(self, name: str, args: NamedSecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = NamedSecretsArgs.model_validate(args)
        super().__init__("ai-interface:bootstrap:NamedSecrets", name, {}, opts)
        secrets = {role: self._secret(name, role, description, args) for role, description in SECRETS.items()}
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
            # Deleting it logs everybody out until a value is put in again: Pulumi refuses.
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
    """Nobody from another account reads or changes the secret; inside the account, roles' own policies decide."""
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
