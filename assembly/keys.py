"""Every key that the program makes serves the deployment that makes it, in one place, so that none is forgotten.

The deploy role's own policies (``bootstrap/role_documents.py``) know the environment's keys by their tags. AWS says that
tags of a key may take minutes to count (https://docs.aws.amazon.com/kms/latest/developerguide/abac.html), while a
deployment names a key and makes a database with it seconds after it made the key. Three ways were possible:

- allow keys without tags as well: then the role could use, through a service, any untagged key of the account, for
  example to restore another team's snapshot;
- wait: nobody says how long is enough;
- let the key's own policy name the role, which is what happens here. A key's policy counts from the start.

Encryption is allowed to services that act in the role's name, never to the role itself. AWS refuses a key policy that
names a role which does not exist: the bootstrap stack comes first, as it does for the roles' boundary.
"""

import json

import pulumi

from assembly.common import REPOSITORY
from components.iam import Statement, render
from settings import StackSettings

KEY = "aws:kms/key:Key"


def serve_the_deployment(settings: StackSettings) -> None:
    """From here on, every key's policy lets the environment's deploy role set the key up and encrypt by services.

    A policy that is not known when the key is registered is an error: the statements could not be added.
    """
    role = f"arn:aws:iam::{settings.account_id}:role/{REPOSITORY}-pipeline/{REPOSITORY}-{settings.environment}-deploy"
    added = [render(statement) for statement in deployment_uses(role, settings.region)]

    def served(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if args.type_ != KEY:
            return None
        policy = args.props.get("policy")
        if not isinstance(policy, str):
            raise ValueError(f"key {args.name} has no policy that is known beforehand: give it one as plain text")
        document = json.loads(policy)
        document["Statement"] = [*document["Statement"], *added]
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
        return pulumi.ResourceTransformationResult(props={**args.props, "policy": text}, opts=args.opts)

    pulumi.runtime.register_stack_transformation(served)


def deployment_uses(role_arn: str, region: str) -> list[Statement]:
    """What a deployment does with a key before the key's tags count."""
    role = {"AWS": [role_arn]}
    return [
        Statement(
            sid="DeploymentSetsUpTheKey",
            actions=["kms:CreateAlias", "kms:EnableKeyRotation", "kms:PutKeyPolicy"],
            resources=["*"],
            principals=role,
        ),
        Statement(
            sid="DeploymentEncryptsByServices",
            actions=[
                "kms:CreateGrant",
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey*",
                "kms:RetireGrant",
            ],
            resources=["*"],
            principals=role,
            conditions={"StringLike": {"kms:ViaService": [f"*.{region}.amazonaws.com"]}},
        ),
    ]
