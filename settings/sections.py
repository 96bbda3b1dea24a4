"""The sections of one environment's settings, except access (``identity.py``) and request limits (``limits.py``).

Defaults of nested keys are defined in these models; ``Pulumi.yaml`` describes the top-level keys and their types.
Invalid values are reported by :class:`settings.errors.SettingsError`, which contains *all* problems.

Units are in the names: ``...Seconds``, ``...Bytes``, ``...Mebibytes``, ``...Days``, ``...PerFiveMinutes``.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StrictBool, StringConstraints, field_validator, model_validator

from components.common.aws_limits import EPHEMERAL_GIBIBYTES, FARGATE_MEMORY, Architecture
from settings.alerts import AlertSubscription
from settings.data import LEAST_CONNECTIONS
from settings.errors import check, collected
from settings.values import (
    AvailabilityZone,
    Email,
    HostName,
    OnCallUrl,
    Person,
    PrivateBlock,
    RouteTableId,
    RunbookUrl,
    Section,
    Slug,
    SubnetId,
    VpcId,
    Whole,
)


class Owner(Section):
    """The people and teams responsible for the environment. People are named as GitHub users or teams; CODEOWNERS is
    generated from them."""

    team: Slug
    """The accountable team; the ``owner`` tag of every resource."""
    contact: Email
    """The address that receives every alarm and expiry notice (SNS e-mail subscriptions)."""
    subscriptions: tuple[AlertSubscription, ...] = Field(default=(), max_length=10)
    """More recipients of alarms: a pager, a ticket system, a channel. Each gets pages, tickets or both."""
    on_call: OnCallUrl
    """The page with the on-call rota."""
    runbook: RunbookUrl
    """The page that shows ``docs/runbook.md`` to the on-call engineer, without an anchor.

    Every message about an alarm ends with the link to its own section, ``<runbook>#<section>``. CloudWatch limits a
    description to 1,024 characters
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html).
    """
    maintainers: tuple[Person, ...] = Field(min_length=1)
    """The reviewers of changes to files without a more specific owner; usually the accountable team."""
    release_managers: tuple[Person, ...] = Field(min_length=1)
    """The people or teams who approve releases."""
    prompt_reviewers: tuple[Person, ...] = Field(min_length=1)
    """The reviewers of the texts in ``prompts/``."""
    model_reviewers: tuple[Person, ...] = Field(min_length=1)
    """The people or teams who approve the models that may be offered."""
    environment_approvers: tuple[Person, ...] = Field(min_length=1)
    """The people or teams who approve deployments to this environment and changes to its stack file."""

    @field_validator("subscriptions")
    @classmethod
    def _are_named_once(cls, value: tuple[AlertSubscription, ...]) -> tuple[AlertSubscription, ...]:
        names = [one.name for one in value]
        for position, name in enumerate(names):
            check(
                name not in names[:position],
                key=f"owner.subscriptions[{position}].name",
                value=name,
                allowed="a name that no other recipient has",
                fix="choose another name",
            )
        return value


HostedZoneId = Annotated[
    str,
    StringConstraints(pattern=r"^Z[A-Z0-9]{5,31}$"),
    Field(description="the id of a public Route 53 zone, for example Z0123456789ABCDEFGHIJ"),
]
CertificateArn = Annotated[
    str,
    StringConstraints(pattern=r"^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[0-9a-f-]{36}$"),
    Field(description="the ARN of an ACM certificate, arn:aws:acm:<region>:<account>:certificate/<id>"),
]


class Domain(Section):
    """The host name of the interface."""

    host_name: HostName
    """The public name; the application's origin is ``https://<hostName>``."""
    hosted_zone_id: HostedZoneId | None = None
    """A public Route 53 zone. The certificate's validation records and the alias records are created in it."""
    certificate_arn: CertificateArn | None = None
    """An existing ACM certificate in the same region; required if no zone is given."""

    @model_validator(mode="after")
    def _one_source_of_the_certificate(self) -> Self:
        check(
            (self.hosted_zone_id is None) != (self.certificate_arn is None),
            key="domain",
            value=None if self.hosted_zone_id is None else "hostedZoneId and certificateArn",
            allowed="exactly one of hostedZoneId (certificate and DNS records are created for you) and certificateArn (you provide both)",
            fix="set domain.hostedZoneId, or set domain.certificateArn and create the DNS record yourself"
            if self.hosted_zone_id is None
            else "remove one of the two",
        )
        return self


class ExistingNetwork(Section):
    """An existing VPC to deploy into. Properties that cannot be derived from its ids are reported as not proven."""

    vpc_id: VpcId
    """The VPC's id."""
    public_subnet_ids: tuple[SubnetId, ...] = Field(min_length=2, max_length=3)
    """One subnet for each of ``availabilityZones``, in the same order."""
    private_subnet_ids: tuple[SubnetId, ...] = Field(min_length=2, max_length=3)
    """One subnet for each of ``availabilityZones``, in the same order."""
    private_route_table_ids: tuple[RouteTableId, ...] = Field(min_length=1, max_length=3)
    """The private subnets' route tables: one for each zone in the same order, or one that all of them share. The S3
    gateway endpoint is added to each."""
    filter_dns: StrictBool = False
    """True: undeclared names resolve to NXDOMAIN in the whole VPC, including for other workloads in it, and every query
    is logged. False: the VPC's DNS is not changed, and the guardrails pack reports that as advice."""


class Network(Section):
    """The private network's addresses and zones. On a running stack a zone can be added; changing ``cidrBlock`` or
    removing a zone is refused (``docs/changes.md``)."""

    cidr_block: PrivateBlock
    """An RFC 1918 block of /16 to /20. Each zone gets a public /26 and an equal private share of the rest."""
    availability_zones: tuple[AvailabilityZone, ...] = Field(min_length=2, max_length=3)
    """Two or three zones by name. They are listed explicitly because the order of a lookup can change, which would
    replace subnets."""
    endpoint_zones: Whole | None = Field(default=None, ge=1, le=3, description="1 to the number of zones")
    """In how many of the zones the interface endpoints have an address, counted from the first. Omitted: in all of them.
    AWS bills every endpoint for each zone; tasks in a zone without one call the endpoint in another. With fewer than two,
    the loss of the first zone stops every model call and the start of every task until the zone is back."""
    existing: ExistingNetwork | None = None
    """Deploy into an existing VPC instead of creating one; ``cidrBlock`` is then that VPC's block."""

    @field_validator("availability_zones")
    @classmethod
    def _are_distinct(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        check(
            len(set(value)) == len(value),
            key="network.availabilityZones",
            value=", ".join(value),
            allowed="two or three distinct zones",
            fix="list each zone once",
        )
        return value

    @model_validator(mode="after")
    def _endpoints_are_in_zones(self) -> Self:
        zones = len(self.availability_zones)
        check(
            self.endpoint_zones is None or self.endpoint_zones <= zones,
            key="network.endpointZones",
            value=str(self.endpoint_zones),
            allowed=f"1 to {zones}, the number of zones in network.availabilityZones",
            fix=f"set it to {zones} or less, or remove it for an endpoint address in every zone",
        )
        return self

    @model_validator(mode="after")
    def _subnets_match_zones(self) -> Self:
        if self.existing is None:
            return self
        zones = len(self.availability_zones)
        public, private = self.existing.public_subnet_ids, self.existing.private_subnet_ids
        tables = self.existing.private_route_table_ids
        with collected():
            for name, subnets in (("publicSubnetIds", public), ("privateSubnetIds", private)):
                check(
                    len(set(subnets)) == len(subnets) == zones,
                    key=f"network.existing.{name}",
                    value=", ".join(subnets),
                    allowed=f"one subnet for each of the {zones} zones in network.availabilityZones",
                    fix="list one subnet for each zone, in the order of the zones",
                )
            check(
                not set(public) & set(private),
                key="network.existing.privateSubnetIds",
                value=", ".join(sorted(set(public) & set(private))),
                allowed="subnets other than publicSubnetIds, without a route to the internet",
                fix="list one private subnet for each zone",
            )
            check(
                len(tables) in (1, zones),
                key="network.existing.privateRouteTableIds",
                value=", ".join(tables),
                allowed=f"one table that all private subnets share, or one for each of the {zones} zones, in the same order",
                fix="list the route table of each private subnet; the same one may be repeated",
            )
        return self


class Capacity(Section):
    """Task size and number of tasks. Tasks share their data, so any task can answer any request."""

    cpu_units: Whole = Field(default=1024, description="one of " + ", ".join(map(str, FARGATE_MEMORY)))
    """CPU of one task, in units: 1024 is one vCPU."""
    memory_mebibytes: Whole = Field(
        default=4096, description="a whole number of MiB that Fargate offers with capacity.cpuUnits"
    )
    """Memory of one task in MiB. Fargate offers certain sizes for each number of CPU units."""
    ephemeral_gibibytes: Whole = Field(default=30, ge=EPHEMERAL_GIBIBYTES[0], le=EPHEMERAL_GIBIBYTES[1])
    """Ephemeral storage of one task in GiB (Fargate: 21 to 200)."""
    architecture: Architecture = Architecture.X86_64
    """The processor architecture; every image of the release must be built for it."""
    minimum_tasks: Whole = Field(default=2, ge=1, le=50)
    """The minimum number of running tasks. With one task, a crash or the loss of a zone causes an outage of several
    minutes."""
    maximum_tasks: Whole = Field(default=4, ge=1, le=50)
    """The maximum number of running tasks. The service scales on requests and CPU. The scaling targets are derived from
    both numbers and the zones, so that the service survives the loss of a zone at any number in between
    (``docs/scaling.md``)."""
    database_connections: Whole = Field(default=30, ge=LEAST_CONNECTIONS, le=200)
    """The maximum number of database connections of one task. The total of all tasks must not exceed the database's
    connection limit, including during a deployment, when old and new tasks run side by side (``docs/scaling.md``)."""

    @model_validator(mode="after")
    def _fits_fargate(self) -> Self:
        sizes = ", ".join(map(str, FARGATE_MEMORY))
        check(
            self.cpu_units in FARGATE_MEMORY,
            key="capacity.cpuUnits",
            value=str(self.cpu_units),
            allowed=f"one of {sizes}",
            fix=f"set it to {min(FARGATE_MEMORY, key=lambda c: abs(c - self.cpu_units))}",
        )
        memory = FARGATE_MEMORY[self.cpu_units]
        step = memory[1] - memory[0]
        check(
            self.memory_mebibytes in memory,
            key="capacity.memoryMebibytes",
            value=str(self.memory_mebibytes),
            allowed=f"{memory[0]} to {memory[-1]} in steps of {step} with {self.cpu_units} CPU units"
            if self.cpu_units != min(FARGATE_MEMORY)
            else f"one of {', '.join(map(str, memory))} with {self.cpu_units} CPU units",
            fix=f"set it to {min(memory, key=lambda m: abs(m - self.memory_mebibytes))}",
        )
        return self

    @model_validator(mode="after")
    def _can_scale(self) -> Self:
        check(
            self.minimum_tasks <= self.maximum_tasks,
            key="capacity.minimumTasks",
            value=str(self.minimum_tasks),
            allowed=f"at most maximumTasks ({self.maximum_tasks})",
            fix="lower it, or raise maximumTasks",
        )
        return self
