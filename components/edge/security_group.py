"""The edge's security group, and the rules between it and the tasks' group. Not a component, but part of ``Edge``."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.common.security_groups import RuleLabel, connect_groups
from components.edge.args import EdgeArgs
from components.network.acls import TOO_LARGE, UNREACHABLE
from components.network.addresses import WORLD

HTTP, HTTPS = 80, 443


def make_edge_group(name: str, args: EdgeArgs, opts: pulumi.ResourceOptions) -> aws.ec2.SecurityGroup:
    """Ingress from clients on 80 and 443; egress to the tasks and the identity provider only."""
    group = aws.ec2.SecurityGroup(
        f"{name}-group",
        vpc_id=args.vpc_id,
        description="Load balancer: clients in, tasks and identity provider out",
        tags=_tags(name, "edge", args),
        opts=opts,
    )
    for role, port, block in _entrances(args.client_cidr_blocks):
        aws.vpc.SecurityGroupIngressRule(
            f"{name}-{role}",
            security_group_id=group.id,
            cidr_ipv4=block,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description="Clients" if port == HTTPS else "Clients, redirected to HTTPS",
            tags=_tags(name, role, args),
            opts=opts,
        )
    # Routers on the path to a client report packets that are too large, especially with VPNs. Their addresses differ
    # from the clients'. The rule opens no port; without it, large responses never arrive.
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-update-security-groups.html
    aws.vpc.SecurityGroupIngressRule(
        f"{name}-packet-too-large",
        security_group_id=group.id,
        cidr_ipv4=WORLD,
        ip_protocol="icmp",
        from_port=UNREACHABLE,
        to_port=TOO_LARGE,
        description="Path MTU discovery: a packet is too large (ICMP type 3 code 4)",
        tags=_tags(name, "packet-too-large", args),
        opts=opts,
    )
    aws.vpc.SecurityGroupEgressRule(
        f"{name}-to-identity-provider",
        security_group_id=group.id,
        cidr_ipv4=WORLD,
        ip_protocol="tcp",
        from_port=HTTPS,
        to_port=HTTPS,
        description="Identity provider: its addresses are not fixed",
        tags=_tags(name, "to-identity-provider", args),
        opts=opts,
    )
    _join_tasks(name, group, args, opts)
    return group


def _tags(name: str, role: str, args: EdgeArgs) -> dict[str, str]:
    return {**args.tags, "Name": f"{name}-{role}"}


def _entrances(blocks: Sequence[str]) -> list[tuple[str, int, str]]:
    """Role, port and block of each rule. Keys contain the block, so that adding one changes no other rule."""
    return [
        (f"{purpose}-from-{'anywhere' if block == WORLD else block}", port, block)
        for port, purpose in ((HTTP, "http"), (HTTPS, "https"))
        for block in sorted(set(blocks))
    ]


def _join_tasks(name: str, group: aws.ec2.SecurityGroup, args: EdgeArgs, opts: pulumi.ResourceOptions) -> None:
    """Egress from the edge to the tasks and ingress from it, by security group, on the target port only."""
    connect_groups(
        client=group.id,
        server=args.target_security_group_id,
        port=args.target_port,
        egress=RuleLabel(name=f"{name}-to-tasks", description="Tasks", tags=_tags(name, "to-tasks", args)),
        ingress=RuleLabel(
            name=f"{name}-tasks-from-edge",
            description="The edge, and nobody else",
            tags=_tags(name, "tasks-from-edge", args),
        ),
        opts=opts,
    )
