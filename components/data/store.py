"""What the parts of the state have in common, and the door of a store.

The door is a security group that admits the tasks' group on one port, and nobody else. It has no way out: a store
calls nobody.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.data.args import DataArgs


@dataclass(frozen=True)
class StoreContext:
    """Where a part of the state is made."""

    name: str
    """The component's logical name: the beginning of every other."""
    args: DataArgs
    key: aws.kms.Key
    """Encrypts what is kept."""
    child: pulumi.ResourceOptions

    def after(self, *resources: pulumi.Resource) -> pulumi.ResourceOptions:
        """The options of a child that waits for others of which it has no property."""
        return pulumi.ResourceOptions(parent=self.child.parent, depends_on=list(resources))


def guarded_group(context: StoreContext, store: str, port: int) -> aws.ec2.SecurityGroup:
    """The store's group, and the tasks' way to it."""
    name, args, child = f"{context.name}-{store}", context.args, context.child
    group = aws.ec2.SecurityGroup(
        f"{name}-group",
        vpc_id=args.vpc_id,
        description=f"{store.capitalize()}: reached by the tasks only",
        tags={**args.tags, "Name": f"ai-interface-{args.environment}-{store}"},
        # A store cannot follow its group into another VPC, one of the caller's own included.
        opts=pulumi.ResourceOptions(parent=child.parent, protect=not args.allow_deletion),
    )
    aws.vpc.SecurityGroupIngressRule(
        f"{name}-from-tasks",
        security_group_id=group.id,
        referenced_security_group_id=args.client_security_group_id,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        description="Tasks of the interface",
        tags=args.tags,
        opts=child,
    )
    aws.vpc.SecurityGroupEgressRule(
        f"{name}-tasks-to-it",
        security_group_id=args.client_security_group_id,
        referenced_security_group_id=group.id,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        description=store.capitalize(),
        tags=args.tags,
        opts=child,
    )
    return group
