"""The interface's data stores: database, cache, uploaded files, and backups.

Aurora PostgreSQL (``state_database``), Valkey (``state_cache``), S3 (``state_uploads``) and AWS Backup
(``state_backup``), under one customer managed key. Each store allows only the tasks' security group. It creates no
endpoint, no container and no alarm (see ``DataAlarms``).
"""

import pulumi
import pulumi_aws as aws
import pulumi_tls as tls

from components.common.aliases import formerly
from components.common.secrets import derived_secret, generated_secret
from components.component import Component
from components.data.args import DataArgs
from components.data.backup import make_backups
from components.data.cache import Cache, make_cache
from components.data.database import DATABASE, LOGS, PORT, ROLES, Database, make_database
from components.data.iam_documents import key_policy, secrets_policy, task_policy
from components.data.restore_tests import make_restore_tests
from components.data.store import StoreContext
from components.data.uploads import make_uploads

CACHE_URL = "cache-url"
DATABASE_MASTER_USER, DATABASE_MASTER_PASSWORD = "database-master-user", "database-master-password"
"""Names in ``Data.secret_references``."""
LOG_GROUPS = (*(f"database-{log}" for log in LOGS), "cache")
"""Names in ``Data.log_group_names``."""


def data_domains(region: str) -> list[str]:
    """The DNS suffixes of database and cache. AWS chooses the names when it creates the stores, so the DNS allowlist
    contains their common suffixes. The region in a cache's name is an AWS abbreviation."""
    return ["*.cache.amazonaws.com", f"*.{region}.rds.amazonaws.com"]


class Data(Component):
    """Database, cache, bucket of uploads and backups."""

    values: pulumi.Output[dict[str, str]]
    """Addresses of the stores: ``database-host``, ``-port``, ``-name``, ``-user`` and ``bucket-name``. None of them is
    secret.
    """
    secret_references: pulumi.Output[dict[str, str]]
    """Secret → ``valueFrom``: ``cache-url`` with its version, and the master user and password without a version,
    because RDS rotates them."""
    secret_arns: pulumi.Output[list[str]]
    """The ARNs of these secrets, for the Secrets Manager endpoint's policy."""
    bucket_name: pulumi.Output[str]
    """The bucket of uploads."""
    bucket_arn: pulumi.Output[str]
    """The ARN of the bucket, for the S3 gateway endpoint's policy."""
    backup_role_arn: pulumi.Output[str]
    """AWS Backup's role, which reads and restores the bucket from outside the network."""
    backup_vault_name: pulumi.Output[str]
    """The name of the vault with the nightly copies."""
    backup_vault_arn: pulumi.Output[str]
    """The backup vault."""
    restore_test_plan_arn: pulumi.Output[str]
    """The plan of the restore tests; empty if there are none."""
    database_cluster_id: pulumi.Output[str]
    """The database's identifier in CloudWatch."""
    cache_node_ids: pulumi.Output[list[str]]
    """The cache nodes' identifiers in CloudWatch, sorted."""
    log_group_names: pulumi.Output[dict[str, str]]
    """``LOG_GROUPS`` → log group."""

    def __init__(self, name: str, args: DataArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = DataArgs.model_validate(args)
        super().__init__("ai-interface:index:Data", name, args, formerly("ai-interface:index:State", opts))
        child = pulumi.ResourceOptions(parent=self)
        key = self._key(name, args, child)
        seed = tls.PrivateKey(f"{name}-seed", algorithm="ECDSA", ecdsa_curve="P256", opts=child)
        lifetime = seed.public_key_fingerprint_md5.apply(lambda print_: print_.replace(":", "")[:8])
        password = pulumi.Output.secret(
            seed.private_key_pem_pkcs8.apply(lambda pem: derived_secret("cache password", pem))
        )
        context = StoreContext(name, args, key, child)
        database = make_database(context, lifetime)
        cache = make_cache(context, password)
        bucket = make_uploads(context)
        backups = make_backups(context, database.cluster, bucket)
        tests = make_restore_tests(context, database, bucket, backups.vault)
        url, url_reference = self._cache_url(name, args, key, cache)
        self.bucket_name = bucket.bucket
        self.bucket_arn = bucket.arn
        self.secret_arns = pulumi.Output.all(database.master_secret_arn, url.arn).apply(
            lambda arns: sorted(str(arn) for arn in arns)
        )
        self.secret_references = pulumi.Output.all(database.master_secret_arn, url_reference).apply(
            lambda known: {
                CACHE_URL: known[1],
                DATABASE_MASTER_USER: f"{known[0]}:username::",
                DATABASE_MASTER_PASSWORD: f"{known[0]}:password::",
            }
        )
        self.values = pulumi.Output.all(database.cluster.endpoint, self.bucket_name).apply(
            lambda known: {
                "database-host": known[0],
                "database-port": str(PORT),
                "database-name": DATABASE,
                "database-user": ROLES.application,
                "bucket-name": known[1],
            }
        )
        self.backup_role_arn = backups.role.arn
        self.backup_vault_name = backups.vault.name
        self.backup_vault_arn = backups.vault.arn
        self.restore_test_plan_arn = tests.arn if tests else pulumi.Output.from_input("")
        self.database_cluster_id = database.cluster.cluster_identifier
        self.cache_node_ids = cache.group.member_clusters.apply(lambda nodes: sorted(str(node) for node in nodes))
        groups = {**{f"database-{log}": one for log, one in database.log_groups.items()}, "cache": cache.log_group}
        self.log_group_names = pulumi.Output.all(**{role: group.name for role, group in groups.items()})
        self._policies(name, args, key, database, child)
        self.register_outputs(
            {
                "values": self.values,
                "secretReferences": self.secret_references,
                "secretArns": self.secret_arns,
                "bucketName": self.bucket_name,
                "bucketArn": self.bucket_arn,
                "backupRoleArn": self.backup_role_arn,
                "backupVaultArn": self.backup_vault_arn,
                "backupVaultName": self.backup_vault_name,
                "restoreTestPlanArn": self.restore_test_plan_arn,
                "databaseClusterId": self.database_cluster_id,
                "cacheNodeIds": self.cache_node_ids,
                "logGroupNames": self.log_group_names,
            }
        )

    @property
    def used_by_tasks(self) -> list[pulumi.Resource]:
        """Everything that has to exist before a task starts: all but the subscriptions to the database's events, which take half a
        minute after its instances and only report on them."""
        return [child for child in self._childResources if not isinstance(child, aws.rds.EventSubscription)]

    def _key(self, name: str, args: DataArgs, child: pulumi.ResourceOptions) -> aws.kms.Key:
        # Data that remains after the stack is destroyed (final snapshot, backups) can be read only with this key. The
        # key is retained too, and its deletion is a separate decision.
        key = aws.kms.Key(
            f"{name}-key",
            description=f"ai-interface {args.environment}: database, cache, uploads and backups",
            policy=key_policy(args.account_id, args.copy_vault_arn),
            enable_key_rotation=True,
            deletion_window_in_days=30,
            tags={**args.tags, "Name": f"ai-interface-{args.environment}-state"},
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )
        aws.kms.Alias(
            f"{name}-key-alias",
            name=f"alias/ai-interface-{args.environment}-state",
            target_key_id=key.key_id,
            opts=child,
        )
        return key

    def _cache_url(
        self, name: str, args: DataArgs, key: aws.kms.Key, cache: Cache
    ) -> tuple[aws.secretsmanager.Secret, pulumi.Output[str]]:
        return generated_secret(
            f"{name}-{CACHE_URL}",
            description=f"ai-interface {args.environment}: URL of the cache, with its password",
            value=cache.url,
            key_arn=key.arn,
            tags=args.tags,
            parent=self,
        )

    def _policies(
        self, name: str, args: DataArgs, key: aws.kms.Key, database: Database, child: pulumi.ResourceOptions
    ) -> None:
        aws.iam.RolePolicy(
            f"{name}-task-policy",
            role=args.task_role_name,
            policy=pulumi.Output.all(
                cluster_resource_id=database.cluster.cluster_resource_id, bucket_arn=self.bucket_arn, key_arn=key.arn
            ).apply(
                lambda known: task_policy(
                    region=args.region, account_id=args.account_id, user=ROLES.application, **known
                )
            ),
            opts=child,
        )
        aws.iam.RolePolicy(
            f"{name}-secrets-policy",
            role=args.execution_role_name,
            policy=pulumi.Output.all(secret_arns=self.secret_arns, key_arn=key.arn).apply(
                lambda known: secrets_policy(region=args.region, **known)
            ),
            opts=child,
        )
