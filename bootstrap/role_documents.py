"""The IAM documents of one environment: the trust policies and permissions of CI's roles.

``preview`` reads configuration, and secret values that are also in the state. ``images`` copies images into the account's
repositories. ``deploy`` changes one environment. All have a permissions boundary (``role_boundaries``): no IAM users or access keys, no users' data, no changes to
themselves. Roles that ``deploy`` creates have the path ``/ai-interface/<environment>/`` and the boundary
``workload_boundary``, so a deployment cannot grant more than a task needs. Without the boundary AWS refuses to create
them.

If several environments share an account, roles, keys, secrets and DNS records are isolated from each other. Networks,
load balancers and log groups are not isolated, because their names and ids are not known in advance: use a separate
account for prod.
"""

from bootstrap import role_actions as may
from bootstrap.role_scope import (
    AUDIENCE,
    DATABASE_SECRETS,
    GENERATED_BUCKETS,
    GENERATED_SECRETS,
    KEY_ALIASES,
    PROJECT,
    PROVIDER_HOST,
    Scope,
    read_secrets,
)
from bootstrap.role_services import LINKED_SERVICES, ROLE_USERS
from components.common.iam import Statement, policy_document
from releases.manifest import IMAGES


def trust_policy(provider_arn: str, repository: str, github_environment: str) -> str:
    """A trust policy that allows only this repository's jobs in this protected GitHub environment to assume the
    role."""
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
    """Read the configuration that previews and drift checks compare."""
    return policy_document([_read_configuration(), *read_secrets(scope), *_state(scope, "Read", ["s3:GetObject"])])


def images_policy(scope: Scope) -> str:
    """Copy images into the account's repositories. It is also the role's boundary, so another policy adds nothing."""
    return policy_document(
        [
            Statement(
                sid="CopyImages",
                actions=may.of("ecr", may.COPY_IMAGES),
                resources=[scope.of("ecr", f"repository/{PROJECT}/{image}") for image in IMAGES],
            )
        ]
    )


def deploy_policies(scope: Scope) -> dict[str, str]:
    """Change one environment. There are several documents, because a managed policy has at most 6,144 characters."""
    return {
        "read": preview_policy(scope),
        "network": policy_document(
            [
                _anywhere("ChangeTheNetwork", may.WRITE_NETWORK, scope),
                _private_names(scope),
                _zone_of_the_network(scope),
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
                Statement(
                    sid="ChangeOwnChannels",
                    actions=may.of("chatbot", may.CHANNEL_WRITE),
                    resources=[
                        f"arn:aws:chatbot::{scope.account_id}:chat-configuration/slack-channel/{PROJECT}-{scope.environment}-*"
                    ],
                ),
                # IAM knows no resource for it: a new channel has no name yet.
                Statement(sid="MakeChannels", actions=may.of("chatbot", may.CHANNEL_CREATE), resources=["*"]),
            ]
        ),
        "state": policy_document(
            [
                _anywhere("ChangeTheState", may.WRITE_STATE, scope),
                # RDS creates this secret on behalf of the cluster's creator, with RDS's own tags.
                Statement(
                    sid="LetRdsMakeTheMasterSecret",
                    actions=[
                        "secretsmanager:CreateSecret",
                        "secretsmanager:RotateSecret",
                        "secretsmanager:TagResource",
                    ],
                    resources=[scope.of("secretsmanager", f"secret:{DATABASE_SECRETS}")],
                ),
            ]
        ),
        "identity": policy_document([*_change_roles(scope), *_change_keys(scope), *_change_secrets(scope)]),
    }


def _read_configuration() -> Statement:
    return Statement(sid="ReadConfiguration", actions=may.qualified(may.READ), resources=["*"])


def _state(scope: Scope, verb: str, actions: list[str]) -> list[Statement]:
    """Access to Pulumi's state, if it is in a bucket."""
    if not scope.state_bucket:
        return []
    return [Statement(sid=f"{verb}State", actions=actions, resources=scope.state_objects)]


def _anywhere(sid: str, table: dict[str, list[str]], scope: Scope) -> Statement:
    return Statement(sid=sid, actions=may.qualified(table), resources=["*"], conditions=scope.in_region)


def _private_names(scope: Scope) -> Statement:
    """An interface endpoint adds its private names to a zone that AWS owns, whose id is not known
    beforehand (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html)."""
    return Statement(
        sid="NamePrivateEndpoints",
        actions=["route53:AssociateVPCWithHostedZone"],
        resources=["arn:aws:route53:::hostedzone/*"],
        conditions={"ForAllValues:StringLike": {"route53:VPCs": [f"VPCId=*,VPCRegion={scope.region}"]}},
    )


def _zone_of_the_network(scope: Scope) -> Statement:
    """Cloud Map makes the zone with the gateway's name on behalf of the caller. A public zone has no VPC, so the condition
    does not match for one (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonroute53.html)."""
    return Statement(
        sid="NameServicesInTheNetwork",
        actions=["route53:CreateHostedZone"],
        resources=["*"],
        conditions={"ForAnyValue:StringLike": {"route53:VPCs": [f"VPCId=*,VPCRegion={scope.region}"]}},
    )


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
            conditions={"StringEquals": {"iam:PassedToService": ROLE_USERS}},
        ),
        Statement(
            sid="LetServicesMakeTheirRoles",
            actions=["iam:CreateServiceLinkedRole"],
            resources=[f"arn:aws:iam::{scope.account_id}:role/aws-service-role/*"],
            conditions={"StringEquals": {"iam:AWSServiceName": LINKED_SERVICES}},
        ),
    ]


def _change_keys(scope: Scope) -> list[Statement]:
    """Create keys and aliases. The key's policy allows every other action that a deployment needs
    (``assembly/keys.py``), so a deployment does not depend on when the tags of a new key take effect."""
    return [
        # A new key has no tags yet and meets the second condition; a key of another environment does not.
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
            sid="NameOwnKeys",
            actions=["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"],
            resources=[scope.of("kms", f"alias/ai-interface-{scope.environment}{suffix}") for suffix in KEY_ALIASES],
        ),
    ]


def _change_secrets(scope: Scope) -> list[Statement]:
    """Access to secrets by name and tag. A new secret can be written and read immediately, even if its tags are not
    effective yet. Secrets with another environment's tags can never be written or read."""
    secrets = [scope.of("secretsmanager", f"secret:{name}") for name in GENERATED_SECRETS]
    return [
        Statement(
            sid="CreateTaggedSecrets",
            actions=["secretsmanager:CreateSecret", "secretsmanager:TagResource"],
            resources=secrets,
            conditions={"StringEquals": scope.tagging, "StringEqualsIfExists": scope.tagged},
        ),
        Statement(
            sid="FillNewSecrets",
            actions=["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"],
            resources=secrets,
            conditions={"StringEqualsIfExists": scope.tagged},
        ),
        Statement(
            sid="ChangeTagsOfOwnSecrets",
            actions=["secretsmanager:TagResource"],
            resources=secrets,
            conditions=scope.keeps_its_tags,
        ),
        Statement(
            sid="RemoveTagsOfOwnSecrets",
            actions=["secretsmanager:UntagResource"],
            resources=secrets,
            conditions=scope.loses_other_tags,
        ),
        Statement(
            sid="KeepOwnSecrets",
            actions=may.of("secretsmanager", may.SECRET_UPKEEP),
            resources=secrets,
            conditions={"StringEquals": scope.tagged},
        ),
    ]
