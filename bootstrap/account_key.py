"""The account's key, which encrypts image layers and named secrets and outlives every environment."""

import pulumi
import pulumi_aws as aws

from bootstrap.account_baseline import key_statements
from components.args import Args
from components.common.iam import Statement, policy_document


class AccountKeyArgs(Args):
    """Arguments of ``AccountKey``."""

    account_id: str
    """The account whose IAM policies control the use of the key."""
    region: str
    encrypts_logs: bool = False
    """Whether the account's trail and AWS Config encrypt their logs with the key."""
    tags: dict[str, str]


class AccountKey(pulumi.ComponentResource):
    """A customer managed key that rotates every year."""

    key_arn: pulumi.Output[str]
    """The key's ARN."""

    def __init__(self, name: str, args: AccountKeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = AccountKeyArgs.model_validate(args)
        super().__init__("ai-interface:bootstrap:AccountKey", name, {}, opts)
        key = aws.kms.Key(
            f"{name}-key",
            description="ai-interface: image layers and named secrets of this account",
            policy=key_policy(args.account_id, args.region if args.encrypts_logs else ""),
            enable_key_rotation=True,
            deletion_window_in_days=30,
            tags=args.tags,
            # Without the key, images cannot be pulled and named secrets cannot be read, so Pulumi refuses to delete
            # it.
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )
        aws.kms.Alias(
            f"{name}-alias",
            name="alias/ai-interface-bootstrap",
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.key_arn = key.arn
        self.register_outputs({"keyArn": self.key_arn})


def key_policy(account_id: str, log_region: str = "") -> str:
    """The account's roles use and manage the key as their IAM policies allow. ECR uses grants from those roles.

    :param log_region: the region of the account's trail, which encrypts its logs with the key; empty: it has none
    """
    return policy_document(
        [
            Statement(
                sid="RolesOfThisAccount",
                principals={"AWS": [f"arn:aws:iam::{account_id}:root"]},
                actions=["kms:*"],
                resources=["*"],
            ),
            *(key_statements(account_id, log_region) if log_region else []),
        ]
    )
