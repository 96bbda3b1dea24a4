"""The IAM documents of one environment: who may assume CI's roles, what they may do, and two boundaries.

``preview`` compares: it reads configuration, and the secret values that the state holds anyway. ``deploy`` changes
one environment. Both are bounded by ``pipeline_boundary``: no users or keys, no data, no change to themselves.
Roles that ``deploy`` makes lie under ``/ai-interface/<environment>/`` and carry ``workload_boundary``, so that a
deployment cannot hand out more than a task needs; without the boundary AWS refuses to create them.

Where several environments share an account, roles, keys, secrets and DNS records are kept apart; networks, load
balancers and log groups are not (their names and ids are not known beforehand): give prod an account of its own.
"""

from dataclasses import dataclass

from bootstrap import role_actions as may
from components.iam import Conditions, Effect, Statement, policy_document

PROVIDER_HOST = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
PROJECT = "ai-interface"
PIPELINE_PATH = "/ai-interface-pipeline/"
"""CI's own roles and the boundaries lie here; no deployed role does."""
GENERATED_SECRETS = ("state-*", "workload-*")
"""Names of the secrets that the main project generates: Pulumi begins each with its logical name."""
GENERATED_BUCKETS = ("edge-*", "prompts-*", "state-*")
"""Names of the buckets that the main project makes."""
DATABASE_SECRETS = "rds!cluster-*"
"""Names of the master secrets that RDS makes. Nobody else can: Secrets Manager refuses the sign to its users."""
KEY_ALIASES = ("", "-state")
"""What follows ``ai-interface-<environment>`` in the names of the environment's keys."""
OBJECTS = ["s3:DeleteObject*", "s3:GetObject*", "s3:PutObject*", "s3:RestoreObject"]
"""What reads or changes what is in a bucket: users' files and logs, and Pulumi's state."""


@dataclass(frozen=True)
class Scope:
    """One environment in one account."""

    account_id: str
    region: str
    environment: str
    hosted_zone_id: str | None = None
    state_bucket: str | None = None
    """Where Pulumi's state is, unless Pulumi Cloud has it."""

    @property
    def state_objects(self) -> list[str]:
        """The objects of the state; none with Pulumi Cloud."""
        return [f"arn:aws:s3:::{self.state_bucket}/*"] if self.state_bucket else []

    @property
    def tagged(self) -> dict[str, list[str]]:
        """The tags that every resource of this environment has, as condition keys."""
        return {
            "aws:ResourceTag/environment": [self.environment],
            "aws:ResourceTag/project": [PROJECT],
        }

    @property
    def tagging(self) -> dict[str, list[str]]:
        """The same tags, as a request that creates a resource carries them."""
        return {key.replace("ResourceTag", "RequestTag"): value for key, value in self.tagged.items()}

    @property
    def in_region(self) -> Conditions:
        """Requests to this region's endpoints."""
        return {"StringEquals": {"aws:RequestedRegion": [self.region]}}

    @property
    def roles(self) -> str:
        """The roles that the main project makes."""
        return f"arn:aws:iam::{self.account_id}:role/ai-interface/{self.environment}/*"

    @property
    def boundary(self) -> str:
        """The ARN of the boundary that those roles carry."""
        return f"arn:aws:iam::{self.account_id}:policy{PIPELINE_PATH}{boundary_name(self.environment)}"

    def of(self, service: str, resource: str) -> str:
        """A regional ARN in this account."""
        return f"arn:aws:{service}:{self.region}:{self.account_id}:{resource}"


def boundary_name(environment: str) -> str:
    """The name of the policy that bounds an environment's deployed roles."""
    return f"ai-interface-{environment}-workload-boundary"


def trust_policy(provider_arn: str, repository: str, github_environment: str) -> str:
    """Only jobs of this repository that GitHub runs in this (protected) environment assume the role."""
    return policy_document(
        [
            Statement(
                sid="AssumedByJobsOfOneEnvironment",
                actions=["sts:AssumeRoleWithWebIdentity"],
                principals={"Federated": [provider_arn]},
                conditions={
                    "StringEquals": {
                        f"{PROVIDER_HOST}:aud": [AUDIENCE],
                        f"{PROVIDER_HOST}:sub": [f"repo:{repository}:environment:{github_environment}"],
                    }
                },
            )
        ]
    )


def preview_policy(scope: Scope) -> str:
    """Read what a preview and a drift check compare."""
    return policy_document([_read_configuration(), *_read_secrets(scope), *_state(scope, "Read", ["s3:GetObject"])])


def deploy_policies(scope: Scope) -> dict[str, str]:
    """Change one environment. Several documents, since a managed policy holds 6,144 characters."""
    return {
        "read": preview_policy(scope),
        "network": policy_document(
            [
                _anywhere("ChangeTheNetwork", may.WRITE_NETWORK, scope),
                *_records(scope),
                *_state(scope, "Write", ["s3:DeleteObject", "s3:PutObject"]),
            ]
        ),
        "service": policy_document(
            [
                _anywhere("ChangeTheService", may.WRITE_SERVICE, scope),
                Statement(
                    sid="ChangeOwnBuckets",
                    actions=may.of("s3", may.BUCKET_WRITE),
                    resources=[f"arn:aws:s3:::{name}" for name in GENERATED_BUCKETS],
                    conditions=scope.in_region,
                ),
                Statement(
                    sid="ChangeOwnBudgets",
                    actions=may.of("budgets", may.BUDGET_WRITE),
                    resources=[f"arn:aws:budgets::{scope.account_id}:budget/{PROJECT} {scope.environment} *"],
                ),
            ]
        ),
        "state": policy_document(
            [
                _anywhere("ChangeTheState", may.WRITE_STATE, scope),
                # RDS makes it in the name of who creates the cluster, with tags of its own.
                Statement(
                    sid="LetRdsMakeTheMasterSecret",
                    actions=["secretsmanager:CreateSecret", "secretsmanager:TagResource"],
                    resources=[scope.of("secretsmanager", f"secret:{DATABASE_SECRETS}")],
                ),
            ]
        ),
        "identity": policy_document([*_change_roles(scope), *_change_keys(scope), *_change_secrets(scope)]),
    }


def pipeline_boundary(scope: Scope) -> str:
    """The most that CI's roles can ever do, whatever policies they are given."""
    own = [
        f"arn:aws:iam::{scope.account_id}:role{PIPELINE_PATH}*",
        f"arn:aws:iam::{scope.account_id}:policy{PIPELINE_PATH}*",
    ]
    return policy_document(
        [
            Statement(
                sid="RegionalServices",
                actions=sorted(
                    {f"{s}:*" for t in (may.READ, may.WRITE_NETWORK, may.WRITE_SERVICE, may.WRITE_STATE) for s in t}
                    - set(may.GLOBAL_SERVICES)
                ),
                resources=["*"],
                conditions=scope.in_region,
            ),
            Statement(sid="GlobalServices", actions=may.GLOBAL_SERVICES, resources=["*"]),
            Statement(
                sid="NotUsersNorFederation",
                effect=Effect.DENY,
                actions=[
                    "iam:*AccessKey*",
                    "iam:*Group*",
                    "iam:*LoginProfile*",
                    "iam:*OpenIDConnectProvider*",
                    "iam:*SAMLProvider*",
                    "iam:*ServiceSpecificCredential*",
                    "iam:*User*",
                    "iam:DeleteRolePermissionsBoundary",
                ],
                resources=["*"],
            ),
            Statement(
                sid="NotItself",
                effect=Effect.DENY,
                actions=[
                    "iam:Add*",
                    "iam:Attach*",
                    "iam:Create*",
                    "iam:Delete*",
                    "iam:Detach*",
                    "iam:PassRole",
                    "iam:Put*",
                    "iam:Set*",
                    "iam:Tag*",
                    "iam:Untag*",
                    "iam:Update*",
                ],
                resources=own,
            ),
            Statement(
                sid="NotData",
                effect=Effect.DENY,
                actions=[
                    "backup:DeleteRecoveryPoint",
                    "backup:StartRestoreJob",
                    "bedrock:InvokeModel*",
                    "bedrock:CallWithBearerToken",
                    "ecr:BatchDeleteImage",
                    "ecr:PutImage",
                    "ecs:ExecuteCommand",
                    "ecs:RunTask",
                    "elasticache:CopySnapshot",
                    "elasticache:DeleteSnapshot",
                    "logs:FilterLogEvents",
                    "logs:GetLogEvents",
                    "logs:GetQueryResults",
                    "logs:StartLiveTail",
                    "logs:StartQuery",
                    "logs:Unmask",
                    "rds:DeleteDBClusterSnapshot",
                    "rds:DownloadCompleteDBLogFile",
                    "rds:DownloadDBLogFilePortion",
                    "rds:ModifyDBClusterSnapshotAttribute",
                    "rds:StartExportTask",
                    *([] if scope.state_bucket else OBJECTS),
                ],
                resources=["*"],
            ),
            *(
                [Statement(sid="NotObjects", effect=Effect.DENY, actions=OBJECTS, not_resources=scope.state_objects)]
                if scope.state_bucket
                else []
            ),
            Statement(
                sid="NotNamedSecrets",
                effect=Effect.DENY,
                actions=[
                    "secretsmanager:Delete*",
                    "secretsmanager:Put*",
                    "secretsmanager:Tag*",
                    "secretsmanager:Untag*",
                    "secretsmanager:Update*",
                ],
                resources=[scope.of("secretsmanager", "secret:ai-interface/*")],
            ),
        ]
    )


def workload_boundary(scope: Scope) -> str:
    """The most that a deployed role can ever do: what tasks, flow logs, monitoring and backups need, with this
    environment's secrets and keys."""
    return policy_document(
        [
            Statement(
                sid="StartTasksAndWriteLogs",
                actions=[
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:BatchGetImage",
                    "ecr:GetAuthorizationToken",
                    "ecr:GetDownloadUrlForLayer",
                    "logs:CreateLogStream",
                    "logs:DescribeLogGroups",
                    "logs:DescribeLogStreams",
                    "logs:PutLogEvents",
                ],
                resources=["*"],
                conditions=scope.in_region,
            ),
            Statement(
                sid="CallModels",
                actions=["bedrock:ApplyGuardrail", "bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
                resources=["*"],
            ),
            Statement(
                sid="LogInToOwnDatabases",
                actions=["rds-db:connect"],
                resources=[scope.of("rds-db", "dbuser:*/*")],
            ),
            Statement(
                sid="ReachOwnState",
                actions=[
                    "s3:AbortMultipartUpload",
                    "s3:DeleteObject",
                    "s3:Get*",
                    "s3:ListBucket*",
                    "s3:ListMultipartUploadParts",
                    "s3:PutBucketNotification",
                    "s3:PutInventoryConfiguration",
                    "s3:PutObject",
                    "s3:PutObjectTagging",
                ],
                resources=["*"],
                conditions={"StringEquals": {"aws:ResourceAccount": [scope.account_id]}},
            ),
            Statement(
                sid="CopyOwnState",
                actions=[
                    "backup:CopyIntoBackupVault",
                    "backup:DescribeBackupVault",
                    "backup:TagResource",
                    "events:DeleteRule",
                    "events:DescribeRule",
                    "events:DisableRule",
                    "events:EnableRule",
                    "events:ListTargetsByRule",
                    "events:PutRule",
                    "events:PutTargets",
                    "events:RemoveTargets",
                    "rds:AddTagsToResource",
                    "rds:CopyDBClusterSnapshot",
                    "rds:CreateDBClusterSnapshot",
                    "rds:DeleteDBClusterSnapshot",
                    "rds:Describe*",
                    "rds:ListTagsForResource",
                    "rds:ModifyDBClusterSnapshotAttribute",
                ],
                resources=[
                    scope.of("backup", "*"),
                    scope.of("events", "rule/AwsBackupManagedRule*"),
                    scope.of("rds", "*"),
                ],
            ),
            Statement(
                sid="FindWhatToCopy",
                actions=["cloudwatch:GetMetricData", "events:ListRules", "s3:ListAllMyBuckets", "tag:GetResources"],
                resources=["*"],
            ),
            Statement(
                sid="MeasureOwnDatabases",
                actions=["logs:CreateLogGroup", "logs:GetLogEvents", "logs:PutRetentionPolicy"],
                resources=[scope.of("logs", "log-group:RDSOSMetrics*")],
            ),
            *_read_secrets(scope),
            Statement(
                sid="ReadMasterSecrets",
                actions=["secretsmanager:GetSecretValue"],
                resources=[scope.of("secretsmanager", f"secret:{DATABASE_SECRETS}")],
            ),
            Statement(
                sid="UseOwnKeys",
                actions=["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"],
                resources=[scope.of("kms", "key/*")],
                conditions={"StringEquals": scope.tagged},
            ),
        ]
    )


def _read_configuration() -> Statement:
    return Statement(sid="ReadConfiguration", actions=may.qualified(may.READ), resources=["*"])


def _read_secrets(scope: Scope) -> list[Statement]:
    return [
        Statement(
            sid="ReadOwnSecrets",
            actions=["secretsmanager:GetSecretValue"],
            resources=[scope.of("secretsmanager", "secret:*")],
            conditions={"StringEquals": scope.tagged},
        ),
        Statement(
            sid="DecryptOwnSecrets",
            actions=["kms:Decrypt"],
            resources=[scope.of("kms", "key/*")],
            conditions={
                "StringEquals": {
                    "aws:ResourceTag/project": [PROJECT],
                    "kms:ViaService": [f"secretsmanager.{scope.region}.amazonaws.com"],
                }
            },
        ),
    ]


def _state(scope: Scope, verb: str, actions: list[str]) -> list[Statement]:
    """Access to Pulumi's state, where it is in a bucket."""
    if not scope.state_bucket:
        return []
    return [Statement(sid=f"{verb}State", actions=actions, resources=scope.state_objects)]


def _anywhere(sid: str, table: dict[str, list[str]], scope: Scope) -> Statement:
    return Statement(sid=sid, actions=may.qualified(table), resources=["*"], conditions=scope.in_region)


def _records(scope: Scope) -> list[Statement]:
    if scope.hosted_zone_id is None:
        return []
    zone = f"arn:aws:route53:::hostedzone/{scope.hosted_zone_id}"
    return [Statement(sid="ChangeOwnRecords", actions=["route53:ChangeResourceRecordSets"], resources=[zone])]


def _change_roles(scope: Scope) -> list[Statement]:
    return [
        Statement(
            sid="GrantWithinTheBoundary",
            actions=may.of("iam", may.ROLE_GRANTS),
            resources=[scope.roles],
            conditions={"StringEquals": {"iam:PermissionsBoundary": [scope.boundary]}},
        ),
        Statement(sid="KeepOwnRoles", actions=may.of("iam", may.ROLE_UPKEEP), resources=[scope.roles]),
        Statement(
            sid="HandRolesToServices",
            actions=["iam:PassRole"],
            resources=[scope.roles],
            conditions={"StringEquals": {"iam:PassedToService": may.ROLE_USERS}},
        ),
        Statement(
            sid="LetServicesMakeTheirRoles",
            actions=["iam:CreateServiceLinkedRole"],
            resources=[f"arn:aws:iam::{scope.account_id}:role/aws-service-role/*"],
            conditions={"StringEquals": {"iam:AWSServiceName": may.LINKED_SERVICES}},
        ),
    ]


def _change_keys(scope: Scope) -> list[Statement]:
    keys = [scope.of("kms", "key/*")]
    return [
        # A new key has no tag yet, so the second condition is met; a key of another environment does not meet it.
        Statement(
            sid="CreateTaggedKeys",
            actions=["kms:CreateKey", "kms:TagResource"],
            resources=["*"],
            conditions={
                "StringEquals": {**scope.tagging, "aws:RequestedRegion": [scope.region]},
                "StringEqualsIfExists": scope.tagged,
            },
        ),
        Statement(
            sid="KeepOwnKeys",
            actions=may.of("kms", may.KEY_UPKEEP),
            resources=keys,
            conditions={"StringEquals": scope.tagged},
        ),
        Statement(
            sid="NameOwnKeys",
            actions=["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"],
            resources=[scope.of("kms", f"alias/ai-interface-{scope.environment}{suffix}") for suffix in KEY_ALIASES],
        ),
        Statement(
            sid="NameKeysOnTheKey",
            actions=["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"],
            resources=keys,
            conditions={"StringEquals": scope.tagged},
        ),
        Statement(
            sid="EncryptForServices",
            actions=["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*", "kms:RetireGrant"],
            resources=keys,
            conditions={
                "StringEquals": scope.tagged,
                "StringLike": {"kms:ViaService": [f"*.{scope.region}.amazonaws.com"]},
            },
        ),
    ]


def _change_secrets(scope: Scope) -> list[Statement]:
    secrets = [scope.of("secretsmanager", f"secret:{name}") for name in GENERATED_SECRETS]
    return [
        Statement(
            sid="CreateTaggedSecrets",
            actions=["secretsmanager:CreateSecret", "secretsmanager:TagResource"],
            resources=secrets,
            conditions={"StringEquals": scope.tagging, "StringEqualsIfExists": scope.tagged},
        ),
        Statement(
            sid="KeepOwnSecrets",
            actions=may.of("secretsmanager", may.SECRET_UPKEEP),
            resources=secrets,
            conditions={"StringEquals": scope.tagged},
        ),
    ]
