"""The pair of security group rules that lets one group connect to another on one port."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class RuleLabel:
    """The logical name, the description and the tags of one security group rule."""

    name: str
    description: str
    tags: dict[str, str]


def connect_groups(
    *,
    client: pulumi.Input[str],
    server: pulumi.Input[str],
    port: int,
    egress: RuleLabel,
    ingress: RuleLabel,
    opts: pulumi.ResourceOptions,
) -> None:
    """Let ``client`` open TCP connections to ``server`` on ``port``: an egress rule of the client's group and an ingress
    rule of the server's. ``client`` and ``server`` are ids of security groups."""
    aws.vpc.SecurityGroupEgressRule(
        egress.name,
        security_group_id=client,
        referenced_security_group_id=server,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        description=egress.description,
        tags=egress.tags,
        opts=opts,
    )
    aws.vpc.SecurityGroupIngressRule(
        ingress.name,
        security_group_id=server,
        referenced_security_group_id=client,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        description=ingress.description,
        tags=ingress.tags,
        opts=opts,
    )
