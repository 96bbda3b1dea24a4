"""Every role that the program makes is bounded, in one place, so that none is forgotten.

The pipeline's deploy role (``bootstrap``) may only make roles under the environment's path that carry the
environment's boundary: what a deployment can hand out is limited by somebody else than the deployment.
"""

import pulumi

from assembly.common import REPOSITORY
from settings import StackSettings

ROLE = "aws:iam/role:Role"


def bound_roles(settings: StackSettings) -> None:
    """From here on, give every role path and permissions boundary. A role that has its own is an error."""
    path = f"/{REPOSITORY}/{settings.environment}/"
    policy = f"policy/{REPOSITORY}-pipeline/{REPOSITORY}-{settings.environment}-workload-boundary"
    boundary = f"arn:aws:iam::{settings.account_id}:{policy}"

    def bounded(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if args.type_ != ROLE:
            return None
        if args.props.get("path") or args.props.get("permissions_boundary"):
            raise ValueError(f"role {args.name} sets its own path or boundary: the program gives every role the same")
        props = {**args.props, "path": path, "permissions_boundary": boundary}
        return pulumi.ResourceTransformationResult(props=props, opts=args.opts)

    pulumi.runtime.register_stack_transformation(bounded)
