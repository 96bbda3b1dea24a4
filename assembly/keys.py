"""Allows the deploy role to use every KMS key that the program creates. It is granted only here, so that no key is
missed.

AWS documents that changes of a key's tags may take minutes to take effect
(https://docs.aws.amazon.com/kms/latest/developerguide/abac.html), while a deployment uses a key within seconds of
creating it: it creates an alias, enables rotation and creates a database. There were three options for the deploy role
(``bootstrap/role_documents.py``):

- allow keys without tags as well: the role could then use, through a service, any untagged key of the account, for
  example to restore another team's snapshot;
- wait: AWS does not document for how long;
- name the role in the key's policy, as done here. A key policy applies as soon as the key exists, and the role can use
  only the keys whose policies name it.

Encryption is allowed only to services that act on behalf of the role, never to the role itself. The role cannot change
the tags ``environment`` and ``project``, by which the roles of other environments distinguish keys. AWS refuses a key
policy that names a role that does not exist, so the bootstrap stack must be deployed first, as for the roles' boundary.
"""

import json

import pulumi

from assembly.common import REPOSITORY
from components.common.iam import Statement, render
from settings import StackSettings

KEY = "aws:kms/key:Key"
UPKEEP = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:EnableKeyRotation",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
USE_BY_SERVICES = (
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey*",
    "kms:RetireGrant",
)


def serve_the_deployment(settings: StackSettings) -> None:
    """Adds statements to the policy of every key that is registered from now on: they allow the environment's deploy
    role to manage the key and to encrypt with it through services.

    Raises ``TypeError`` if the policy is an output, because statements cannot be added to it.
    """
    role = f"arn:aws:iam::{settings.account_id}:role/{REPOSITORY}-pipeline/{REPOSITORY}-{settings.environment}-deploy"
    added = [render(statement) for statement in deployment_uses(role, settings.environment, settings.region)]

    def served(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if args.type_ != KEY:
            return None
        policy = args.props.get("policy")
        if not isinstance(policy, str):
            raise TypeError(
                f"key {args.name} has a policy that is an output, so the deploy role's statements cannot be added to it: pass a string"
            )
        document = json.loads(policy)
        document["Statement"] = [*document["Statement"], *added]
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
        return pulumi.ResourceTransformationResult(props={**args.props, "policy": text}, opts=args.opts)

    pulumi.runtime.register_stack_transformation(served)


def deployment_uses(role_arn: str, environment: str, region: str) -> list[Statement]:
    """The deploy role's permissions on a key: manage it, encrypt through services, and change all tags except
    ``environment`` and ``project``."""
    role, anything = {"AWS": [role_arn]}, ["*"]
    return [
        Statement(sid="DeploymentKeepsTheKey", actions=UPKEEP, resources=anything, principals=role),
        Statement(
            sid="DeploymentEncryptsByServices",
            actions=USE_BY_SERVICES,
            resources=anything,
            principals=role,
            conditions={"StringLike": {"kms:ViaService": [f"*.{region}.amazonaws.com"]}},
        ),
        # A request contains only the tags that change.
        Statement(
            sid="DeploymentChangesOtherTags",
            actions=["kms:TagResource"],
            resources=anything,
            principals=role,
            conditions={
                "StringEqualsIfExists": {
                    "aws:RequestTag/environment": [environment],
                    "aws:RequestTag/project": [REPOSITORY],
                }
            },
        ),
        Statement(
            sid="DeploymentRemovesOtherTags",
            actions=["kms:UntagResource"],
            resources=anything,
            principals=role,
            conditions={"ForAllValues:StringNotEqualsIgnoreCase": {"aws:TagKeys": ["environment", "project"]}},
        ),
    ]
