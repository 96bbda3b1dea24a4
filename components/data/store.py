"""The common parts of the data stores, and a store's security group.

The group allows ingress from the tasks' group on one port only. It has no egress rule, because a store opens no
connections.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.common.security_groups import RuleLabel, connect_groups
from components.data.args import DataArgs


@dataclass(frozen=True)
class StoreContext:
    """The context in which a store is created."""

    name: str
    """The component's logical name, the prefix of its children's names."""
    args: DataArgs
    key: aws.kms.Key
    """The key that encrypts the stored data."""
    child: pulumi.ResourceOptions

    def after(self, *resources: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options for a child resource that must be created after ``resources`` although it uses none of their
        outputs."""
        return pulumi.ResourceOptions(parent=self.child.parent, depends_on=list(resources))


def guarded_group(context: StoreContext, store: str, port: int) -> aws.ec2.SecurityGroup:
    """The store's security group, and the rules between the tasks and it."""
    name, args, child = f"{context.name}-{store}", context.args, context.child
    group = aws.ec2.SecurityGroup(
        f"{name}-group",
        vpc_id=args.vpc_id,
        description=f"{store.capitalize()}: reached by the tasks only",
        tags={**args.tags, "Name": f"ai-interface-{args.environment}-{store}"},
        # A store cannot move with its group to another VPC, including an existing VPC of the caller.
        opts=pulumi.ResourceOptions(parent=child.parent, protect=not args.allow_deletion),
    )
    connect_groups(
        client=args.client_security_group_id,
        server=group.id,
        port=port,
        egress=RuleLabel(name=f"{name}-tasks-to-it", description=store.capitalize(), tags=args.tags),
        ingress=RuleLabel(name=f"{name}-from-tasks", description="Tasks of the interface", tags=args.tags),
        opts=child,
    )
    return group
