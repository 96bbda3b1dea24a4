"""Gives every IAM role that the program creates its path and permissions boundary, in one place, so no role is missed.

The pipeline's deploy role (``bootstrap``) may create roles only under the environment's path and with the environment's
boundary, so a deployment cannot grant more than ``bootstrap`` allows.
"""

import pulumi

from assembly.common import REPOSITORY
from settings import StackSettings

ROLE = "aws:iam/role:Role"


def bound_roles(settings: StackSettings) -> None:
    """Sets path and permissions boundary of every role that is registered from now on. Raises ``ValueError`` for a role
    that sets its own."""
    path = f"/{REPOSITORY}/{settings.environment}/"
    policy = f"policy/{REPOSITORY}-pipeline/{REPOSITORY}-{settings.environment}-workload-boundary"
    boundary = f"arn:aws:iam::{settings.account_id}:{policy}"

    def bounded(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if args.type_ != ROLE:
            return None
        if args.props.get("path") or args.props.get("permissions_boundary"):
            raise ValueError(
                f"role {args.name} sets its own path or boundary: remove them, because the program sets both for every role"
            )
        props = {**args.props, "path": path, "permissions_boundary": boundary}
        return pulumi.ResourceTransformationResult(props=props, opts=args.opts)

    pulumi.runtime.register_stack_transformation(bounded)
