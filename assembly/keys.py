"""The deploy role may use every KMS key that the program creates; this is the only place that grants it, so no key is
missed.

AWS says that tags of a key may take minutes to count (https://docs.aws.amazon.com/kms/latest/developerguide/abac.html),
while a deployment names a key, turns its rotation on and makes a database with it seconds after it made the key. Three
ways were possible for the deploy role (``bootstrap/role_documents.py``):

- allow keys without tags as well: then the role could use, through a service, any untagged key of the account, for
  example to restore another team's snapshot;
- wait: AWS does not document for how long;
- let the key's own policy name the role, which is what happens here. A key's policy counts from the start, and what
  the role may do with keys ends with the keys that name it.

Encryption is allowed to services that act in the role's name, never to the role itself. The tags ``environment`` and
``project`` stay as they are: the roles of other environments tell keys apart by them. AWS refuses a key policy that
names a role which does not exist: the bootstrap stack comes first, as it does for the roles' boundary.
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
    """Adds statements to the policy of every key that is registered from now on: the environment's deploy role may
    manage the key, and encrypt with it through services.

    Raises ``TypeError`` for a policy that is an output, because nothing can be added to it.
    """
    role = f"arn:aws:iam::{settings.account_id}:role/{REPOSITORY}-pipeline/{REPOSITORY}-{settings.environment}-deploy"
    added = [render(statement) for statement in deployment_uses(role, settings.environment, settings.region)]

    def served(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if args.type_ != KEY:
            return None
        policy = args.props.get("policy")
        if not isinstance(policy, str):
            raise TypeError(
                f"key {args.name} has no policy in plain text, to which the deploy role's statements could be added: pass a string, not an output"
            )
        document = json.loads(policy)
        document["Statement"] = [*document["Statement"], *added]
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
        return pulumi.ResourceTransformationResult(props={**args.props, "policy": text}, opts=args.opts)

    pulumi.runtime.register_stack_transformation(served)


def deployment_uses(role_arn: str, environment: str, region: str) -> list[Statement]:
    """What the deploy role may do with a key: manage it, encrypt through services, and change any tag except the two."""
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
        # A request names only the tags that change.
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
