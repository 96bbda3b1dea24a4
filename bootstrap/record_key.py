"""The key that signs an environment's entries in ``releases/deployed.yaml``, so that no other job can write a valid one."""

import pulumi
import pulumi_aws as aws

from components.args import Args
from components.common.iam import Statement, policy_document
from releases.attestation import ALGORITHM, alias

ADMINISTRATION = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:Describe*",
    "kms:DisableKey",
    "kms:EnableKey",
    "kms:Get*",
    "kms:List*",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
    "kms:Verify",
]
"""The actions on the key that IAM policies of the account can grant. Without ``kms:Sign`` and ``kms:CreateGrant``, no IAM policy can let
anyone sign; a change of the key's policy can, and raises an alarm (``components/monitoring/changes.py``)."""


class RecordKeyArgs(Args):
    """Arguments of ``RecordKey``."""

    environment: str
    """Part of the alias."""
    account_id: str
    signer_role_arn: pulumi.Output[str]
    """The only role that may sign."""
    tags: dict[str, str]
    """Must not contain the environment's tag: CI's roles manage the keys that have it."""


class RecordKey(pulumi.ComponentResource):
    """An asymmetric signing key on the curve NIST P-256. KMS cannot rotate such a key."""

    key_arn: pulumi.Output[str]
    """The key's ARN."""

    def __init__(self, name: str, args: RecordKeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = RecordKeyArgs.model_validate(args)
        super().__init__("ai-interface:bootstrap:RecordKey", name, {}, opts)
        key = aws.kms.Key(
            f"{name}-key",
            description=f"ai-interface {args.environment}: signs the record of deployments",
            key_usage="SIGN_VERIFY",
            customer_master_key_spec="ECC_NIST_P256",
            policy=args.signer_role_arn.apply(lambda signer: key_policy(args.account_id, signer)),
            deletion_window_in_days=30,
            tags=args.tags,
            # Without the key, no deployment can be recorded until another public key is committed, so Pulumi refuses to
            # delete it.
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )
        aws.kms.Alias(
            f"{name}-alias",
            name=alias(args.environment),
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.key_arn = key.arn
        self.register_outputs({"keyArn": self.key_arn})


def key_policy(account_id: str, signer_role_arn: str) -> str:
    """One role signs; the account's IAM policies control everything else."""
    return policy_document(
        [
            Statement(
                sid="RolesOfThisAccountManage",
                principals={"AWS": [f"arn:aws:iam::{account_id}:root"]},
                actions=ADMINISTRATION,
                resources=["*"],
            ),
            Statement(
                sid="OnlyTheRecordIsSigned",
                principals={"AWS": [signer_role_arn]},
                actions=["kms:Sign"],
                resources=["*"],
                conditions={"StringEquals": {"kms:SigningAlgorithm": [ALGORITHM], "kms:MessageType": ["RAW"]}},
            ),
        ]
    )
