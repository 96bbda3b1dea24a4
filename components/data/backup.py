"""AWS Backup: a nightly copy of database and bucket, in a locked vault. The database's backups and the bucket's
versions are lost if the database or the bucket is deleted; these copies are not. With ``copy_vault_arn`` they are
also copied to another region or account. To restore one, see ``docs/restore.md``."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.common.iam import service_trust
from components.data.args import DataArgs
from components.data.iam_documents import backup_policy
from components.data.store import StoreContext

SCHEDULE = "cron(30 4 * * ? *)"
"""UTC, after the database's own backup window and the weekly maintenance."""
START_MINUTES, COMPLETION_MINUTES = 60, 480
LOCKED_DAYS = 7
"""The vault refuses to delete more recent copies, unless a principal with permission first removes its lock."""


@dataclass(frozen=True)
class Backups:
    """Outputs for other components."""

    vault: aws.backup.Vault
    role: aws.iam.Role


def make_backups(context: StoreContext, cluster: aws.rds.Cluster, bucket: aws.s3.Bucket) -> Backups:
    """Vault, role, plan and the plan's resource selection."""
    name, args, key, child = context.name, context.args, context.key, context.child
    kept = pulumi.ResourceOptions(parent=child.parent, retain_on_delete=True)
    # A vault with copies cannot be deleted. It and its copies remain, still locked, when the stack is destroyed.
    vault = aws.backup.Vault(
        f"{name}-backups",
        kms_key_arn=key.arn,
        force_destroy=False,
        tags=args.tags,
        opts=kept,
    )
    aws.backup.VaultLockConfiguration(
        f"{name}-backups", backup_vault_name=vault.name, min_retention_days=LOCKED_DAYS, opts=kept
    )
    # AWS Backup does not document a source condition key for the roles that it assumes. A role can be passed to it
    # only within its own account.
    role = aws.iam.Role(
        f"{name}-backup", assume_role_policy=service_trust("backup.amazonaws.com", {}), tags=args.tags, opts=child
    )
    permission = aws.iam.RolePolicy(
        f"{name}-backup-policy",
        role=role.name,
        policy=pulumi.Output.all(
            cluster_arn=cluster.arn, bucket_arn=bucket.arn, vault_arn=vault.arn, key_arn=key.arn
        ).apply(
            lambda known: backup_policy(
                region=args.region,
                account_id=args.account_id,
                copy_vault_arn=args.copy_vault_arn,
                copy_key_arn=args.copy_key_arn,
                **known,
            )
        ),
        opts=child,
    )
    plan = aws.backup.Plan(
        f"{name}-backups",
        name=f"ai-interface-{args.environment}",
        rules=[
            aws.backup.PlanRuleArgs(
                rule_name="nightly",
                target_vault_name=vault.name,
                schedule=SCHEDULE,
                start_window=START_MINUTES,
                completion_window=COMPLETION_MINUTES,
                lifecycle=aws.backup.PlanRuleLifecycleArgs(delete_after=args.backup_days),
                recovery_point_tags=args.tags,
                copy_actions=_copies(args),
            )
        ],
        tags=args.tags,
        opts=child,
    )
    aws.backup.Selection(
        f"{name}-backups",
        name=f"ai-interface-{args.environment}",
        plan_id=plan.id,
        iam_role_arn=role.arn,
        resources=[cluster.arn, bucket.arn],
        opts=context.after(permission),
    )
    return Backups(vault, role)


def _copies(args: DataArgs) -> list[aws.backup.PlanRuleCopyActionArgs] | None:
    """The copy of each copy in the other vault, which has a separate lock and key."""
    if args.copy_vault_arn is None:
        return None
    lifecycle = aws.backup.PlanRuleCopyActionLifecycleArgs(delete_after=args.backup_days)
    return [aws.backup.PlanRuleCopyActionArgs(destination_vault_arn=args.copy_vault_arn, lifecycle=lifecycle)]
