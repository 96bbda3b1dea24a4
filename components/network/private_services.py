"""Endpoints to services of other VPCs (AWS PrivateLink), such as a model server: one interface endpoint and one security
group for each service.

An endpoint to a service that is not AWS's takes no endpoint policy
(https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html), so its security group is the limit: the tasks'
group, on the declared ports. The service's owner cannot open connections to the VPC.
"""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws
from pydantic import Field, field_validator

from components.args import Args
from components.common.security_groups import RuleLabel, connect_groups

PREFIX = "com.amazonaws.vpce."
"""Begins the names of endpoint services that are not AWS's."""


class PrivateServiceArgs(Args):
    """An endpoint service of another VPC that the tasks call."""

    service_name: str
    """The service's name, ``com.amazonaws.vpce.<region>.vpce-svc-<id>``. Its owner must allow this account."""
    ports: list[int] = Field(min_length=1)
    """The TCP ports on which the tasks connect."""

    @field_validator("service_name")
    @classmethod
    def _is_not_of_aws(cls, value: str) -> str:
        if not value.startswith(PREFIX):
            raise ValueError(
                f"service_name {value!r}: write the name of an endpoint service, which begins with {PREFIX}; AWS's own services "
                "are in services, because their endpoints need a policy"
            )
        return value

    @property
    def id(self) -> str:
        """The service's id, ``vpce-svc-…``."""
        return self.service_name.rpartition(".")[2]


def service_domain(service_name: str) -> str:
    """The names that AWS gives to endpoints of a service, for the DNS allowlist: one below this name for each endpoint
    (https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-saas.html)."""
    region, identifier = service_name.removeprefix(PREFIX).split(".")
    return f"*.{identifier}.{region}.vpce.amazonaws.com"


def make_private_service(
    name: str,
    service: PrivateServiceArgs,
    *,
    vpc_id: pulumi.Output[str],
    subnet_ids: pulumi.Output[list[str]],
    clients: Mapping[str, tuple[pulumi.Output[str], Sequence[int]]],
    tags: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """Create the endpoint with its security group and the tasks' egress rules. ``clients``: kind of task → its security group
    and the ports on which it connects. Returns the endpoint's DNS name for the whole region."""
    role = f"{name}-{service.id}"

    def tagged(part: str) -> dict[str, str]:
        return {**tags, "Name": f"{role}-{part}"}

    group = aws.ec2.SecurityGroup(
        f"{role}-group",
        vpc_id=vpc_id,
        description=f"Endpoint to {service.id}: reached by the tasks only",
        tags=tagged("endpoint"),
        opts=opts,
    )
    for kind, (client, ports) in clients.items():
        for port in sorted(set(ports)):
            out, into = f"{name}-{kind}-to-{service.id}-{port}", f"from-{kind}-{port}"
            connect_groups(
                client=client,
                server=group.id,
                port=port,
                egress=RuleLabel(name=out, description=f"Endpoint to {service.id}", tags={**tags, "Name": out}),
                ingress=RuleLabel(name=f"{role}-{into}", description=f"Tasks call {service.id}", tags=tagged(into)),
                opts=opts,
            )
    endpoint = aws.ec2.VpcEndpoint(
        role,
        vpc_id=vpc_id,
        service_name=service.service_name,
        vpc_endpoint_type="Interface",
        # The proxy connects to the endpoint's own name, so the owner of the service needs no verified private name.
        private_dns_enabled=False,
        subnet_ids=subnet_ids,
        security_group_ids=[group.id],
        tags=tagged("endpoint"),
        opts=opts,
    )
    return endpoint.dns_entries.apply(_regional_name)


def _regional_name(entries: Sequence[aws.ec2.outputs.VpcEndpointDnsEntry]) -> str:
    """The name for the whole region, which is the shortest one: the names for single zones also contain the zone."""
    names = sorted((entry.dns_name for entry in entries if entry.dns_name), key=lambda one: (len(one), one))
    if not names:
        raise LookupError("the endpoint has no DNS name: the owner of the service may not have accepted the connection")
    return names[0]
