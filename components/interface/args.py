"""Arguments of ``AIInterface``: names, login, users, model groups, limits, sizes and retention."""

from dataclasses import dataclass
from typing import Self

import pulumi
from pydantic import Field, field_validator, model_validator

from components.applications.application import SchemaArgs
from components.applications.catalogue import DEFAULT, find_preset
from components.applications.preset import Preset
from components.args import Args, Input
from components.common.aws_limits import (
    ACCESS_LOG_DAYS,
    BACKUP_VAULT_ARN,
    EPHEMERAL_GIBIBYTES,
    KMS_KEY_ARN,
    LEAST_BACKUP_DAYS,
    LOG_RETENTION_DAYS,
    MOST_OFFICE_BLOCKS,
)
from components.data.args import DataCacheArgs, DataDatabaseArgs, DataUploadsArgs
from components.edge.args import OidcArgs
from components.interface.options import (
    InterfaceEdgeArgs,
    InterfaceGatewayArgs,
    InterfaceMachineClientsArgs,
    InterfaceObjectivesArgs,
    InterfacePromptRecordsArgs,
    InterfaceTimeoutsArgs,
)
from components.models.component import GuardrailArgs
from components.models.iam_documents import ModelGroupArgs, ModelUpstreamArgs, UpstreamKind
from components.monitoring.operations import AlertSubscriptionArgs
from components.network.args import ExistingNetworkArgs
from components.proxy.args import PeopleArgs, ProxyLimitsArgs
from components.service.tools import ToolsArgs
from components.service.upstreams import kinds
from components.synthetic.settings import SyntheticScheduleArgs
from components.waf.args import FirewallLimitsArgs


class InterfaceImagesArgs(Args):
    """The running version: its images by digest, and the schemas of its database."""

    release: str
    """The running version, as a tag of the task definition and the service."""
    interface: str
    """The application's image by digest."""
    proxy: str
    """Envoy's image by digest."""
    repository_arns: Input[list[str]]
    """The ECR repositories of both images. The execution role can pull only from these."""
    schemas: list[SchemaArgs] = Field(min_length=1)
    """The database schemas of all known releases, among them the running one's."""
    version: str = ""
    """The publisher's version of the application's image. Empty: unknown."""
    stop_before_start: bool = False
    """True: a deployment stops every task before it starts new ones, for a version that must not run at the same time as the one
    before. Omitted: new tasks start first."""
    egress_repository_arns: Input[list[str]] | None = None
    """The ECR repository of the proxy's image, from which the egress proxy's execution role can pull. Omitted:
    ``repository_arns``."""


class InterfaceSizeArgs(Args):
    """The size of the service."""

    cpu_units: int = 1024
    """A task's CPU, in units of 1/1024 vCPU. Must be a size that Fargate offers."""
    memory_mebibytes: int = 4096
    """A task's memory. Must be a size that Fargate offers for this CPU."""
    ephemeral_gibibytes: int = Field(default=30, ge=EPHEMERAL_GIBIBYTES[0], le=EPHEMERAL_GIBIBYTES[1])
    """A task's ephemeral storage."""
    architecture: str = "X86_64"
    """``X86_64`` or ``ARM64``; both images must exist for it."""
    minimum_tasks: int = Field(default=2, ge=1)
    """The minimum number of running tasks."""
    maximum_tasks: int = Field(default=4, ge=1)
    """The maximum number of tasks."""
    database_connections: int = Field(default=30, ge=1)
    """The maximum number of database connections of one task."""


class InterfaceRetentionArgs(Args):
    """How long logs and backups are kept, in days."""

    application_log_days: int = 90
    """The containers' and the stores' logs. Must be a value that CloudWatch Logs accepts."""
    flow_log_days: int = 90
    """Flow logs and DNS query logs. Must be a value that CloudWatch Logs accepts."""
    firewall_log_days: int = 90
    """The WAF's log. Must be a value that CloudWatch Logs accepts."""
    access_log_days: int = Field(default=30, ge=1, le=ACCESS_LOG_DAYS)
    """The load balancer's logs, which contain full request lines."""
    backup_days: int = Field(default=35, ge=LEAST_BACKUP_DAYS)
    """The daily copies of database and bucket in AWS Backup."""
    unmasked_logs: bool = False
    """True: CloudWatch Logs leaves e-mail addresses, tokens and keys in log lines visible and unreported. Omitted: it masks them,
    and an alarm reports them."""

    @field_validator("application_log_days", "flow_log_days", "firewall_log_days")
    @classmethod
    def _is_offered(cls, value: int) -> int:
        if value not in LOG_RETENTION_DAYS:
            nearest = min(LOG_RETENTION_DAYS, key=lambda one: (abs(one - value), one))
            raise ValueError(f"one of {', '.join(map(str, LOG_RETENTION_DAYS))}: use {nearest}, the nearest")
        return value


class AIInterfaceArgs(Args):
    """Arguments of ``AIInterface``."""

    environment: str
    """The environment's name, part of names in AWS."""
    account_id: str
    """The account of the stack."""
    region: str
    """The region of the stack."""
    host_name: str
    """The public host name."""
    hosted_zone_id: Input[str] | None = None
    """The public hosted zone in which validation and alias records are created. Omitted: ``certificate_arn`` is required."""
    certificate_arn: Input[str] | None = None
    """An ACM certificate in this region, if no zone is given; you then create the DNS records. Omitted: ``hosted_zone_id`` is
    required."""
    cidr_block: str
    """The VPC's IPv4 block, /16 to /20. With ``existing_network``, that VPC's block."""
    availability_zones: list[str] = Field(min_length=2, max_length=3)
    """Two or three zones by name."""
    existing_network: ExistingNetworkArgs | None = None
    """The existing VPC to deploy into. Omitted: a new one is created."""
    endpoint_zones: int | None = Field(default=None, ge=1, le=3)
    """The number of zones in which VPC endpoints have an address. With one, the loss of its zone stops every call of AWS. Omitted:
    every zone.
    """
    oidc: OidcArgs
    """The login."""
    allowed: PeopleArgs = PeopleArgs()
    """The people who may use the interface. Omitted: no one, unless ``everyone_the_provider_assigns``."""
    everyone_the_provider_assigns: bool = False
    """True: everyone with a session, because the identity provider lets only assigned users log in. The proxy cannot check that.
    """
    administrators: PeopleArgs = PeopleArgs()
    """The people whom the application treats as administrators. Omitted: no one."""
    blocked: PeopleArgs = PeopleArgs()
    """People who are refused although they are allowed. Omitted: no one."""
    blocked_users: list[str] = Field(default_factory=list[str])
    """The same, by the id that the proxy's log has as ``user``. Omitted: no one."""
    required_claim_name: str = ""
    """A claim that everyone must have, whichever rule admits them, such as Google's ``hd``. Empty: none."""
    required_claim_values: list[str] = Field(default_factory=list[str])
    """Its accepted values; one of them is enough. Omitted: no claim is required."""
    email_verified_required: bool = False
    """True: a user-info response without ``email_verified`` is refused like one with ``false``. For providers that always send it.
    """
    machine_clients: InterfaceMachineClientsArgs | None = None
    """Programs that call the models with a signed token. Omitted: no program has access."""
    logout_url: str = ""
    """The identity provider's logout page. Empty: a page states that the session here has ended."""
    contact_email: str
    """The address that receives every alarm, and the contact on the page for people without access."""
    subscriptions: list[AlertSubscriptionArgs] = Field(default_factory=list[AlertSubscriptionArgs])
    """Other recipients of alarms, such as a pager. Omitted: none."""
    runbook_url: str
    """The URL of the runbook. Each alarm links to its section, ``<runbook_url>#<section>``."""
    application: str = DEFAULT
    """The application's name."""
    images: InterfaceImagesArgs
    """The running version."""
    groups: list[ModelGroupArgs] = Field(min_length=1)
    """The model groups. No other model is reachable. An upstream of kind ``gateway`` creates the gateway, and one of kind
    ``external`` the egress proxy with its subnets and NAT gateways."""
    gateway: InterfaceGatewayArgs | None = None
    """The gateway's image and size. Required with an upstream of kind ``gateway``. Omitted: there is none."""
    tools: ToolsArgs = ToolsArgs()
    """The private search and tool servers. Omitted: no web search and no tool servers."""
    record_prompts: InterfacePromptRecordsArgs | None = None
    """Record prompts and answers. Omitted: neither is recorded anywhere."""
    guardrail: GuardrailArgs = GuardrailArgs()
    """The filters of prompts and answers. Omitted: the default filters."""
    limits: FirewallLimitsArgs = Field(default_factory=FirewallLimitsArgs)
    """Sizes and rates of requests, for the WAF, the proxy and the gateway. Omitted: the defaults of each."""
    office_cidr_blocks: list[str] = Field(default_factory=list[str], max_length=MOST_OFFICE_BLOCKS)
    """Networks whose users share few addresses, which have the limits of ``limits.office_*``. Omitted: none."""
    timeouts: InterfaceTimeoutsArgs = InterfaceTimeoutsArgs()
    """The time budget of a request. Omitted: the defaults of each."""
    edge: InterfaceEdgeArgs = Field(default_factory=InterfaceEdgeArgs)
    """TLS policy, additional paths, log readers, and WAF rules that only count. Omitted: the defaults of each."""
    objectives: InterfaceObjectivesArgs = InterfaceObjectivesArgs()
    """The objectives from which alarms are derived. Omitted: the defaults of each."""
    quota_tokens_per_minute: int | None = Field(default=None, ge=1)
    """The account's quota of tokens per minute for one model. An alarm fires at 80 percent of it. Omitted: there is no such alarm.
    """
    tokens_per_hour: int = Field(default=5_000_000, ge=1)
    """An alarm fires above this number of tokens in an hour."""
    monthly_budget_usd: int = Field(default=1000, ge=1)
    """The monthly budget of the models, in US dollars; AWS reports at parts of it."""
    billed_services: list[str] = Field(default_factory=lambda: ["Amazon Bedrock"], min_length=1, max_length=20)
    """The services that the budget tracks, by their names on the bill. Omitted: Amazon Bedrock."""
    size: InterfaceSizeArgs = InterfaceSizeArgs()
    """The size of the service. Omitted: two to four tasks of 1 vCPU and 4 GiB."""
    database: DataDatabaseArgs = DataDatabaseArgs()
    """The database's size. Omitted: two instances of 1 to 4 capacity units."""
    cache: DataCacheArgs = DataCacheArgs()
    """The cache's size. Omitted: a primary and a replica of 1.4 GiB."""
    uploads: DataUploadsArgs = Field(default_factory=DataUploadsArgs)
    """The bucket's lifecycle. Omitted: a deleted file can be restored for 30 days."""
    synthetic_chat: SyntheticScheduleArgs = SyntheticScheduleArgs()
    """The scheduled chat that asks the models as users would. Omitted: one every five minutes."""
    restore_test_months: int = 1
    """AWS Backup restores the newest copy of database and bucket every so many months, and deletes what it restored: 1, 2, 3, 4,
    6 or 12. 0: never."""
    copy_vault_arn: str | None = Field(default=None, pattern=BACKUP_VAULT_ARN)
    """A vault in another region of this account, or in this region of another account, to which each backup is copied. Omitted:
    backups stay in the region and the account."""
    copy_key_arn: str | None = Field(default=None, pattern=KMS_KEY_ARN)
    """The key of that vault, if it is in another region. Omitted: the vault is in another account, or there is none."""
    retention: InterfaceRetentionArgs = InterfaceRetentionArgs()
    """How long logs and backups are kept. Omitted: the defaults of each."""
    prompt_environment: dict[str, str] = Field(default_factory=dict[str, str])
    """Prompt templates and default model parameters, as the application's environment variables."""
    client_cidr_blocks: list[str] = Field(default_factory=lambda: ["0.0.0.0/0"], min_length=1)
    """The client networks that may connect. Omitted: any address."""
    allow_deletion: bool = False
    """True: network, load balancer and data may be deleted or replaced. The guardrails pack reports it."""
    tags: dict[str, str]
    """Tags of every resource."""

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        find_preset(self.application)
        if (self.hosted_zone_id is None) == (self.certificate_arn is None):
            raise ValueError(
                "set exactly one of hosted_zone_id (certificate and records are created) and certificate_arn (you provide both)"
            )
        if self.allowed.people(everyone=self.everyone_the_provider_assigns).empty:
            raise ValueError(
                "allowed admits no one, so every user would get a 403: set a claim, email_domains or emails in it, or "
                "everyone_the_provider_assigns"
            )
        if (UpstreamKind.GATEWAY in self.kinds) != (self.gateway is not None):
            raise ValueError(
                "gateway and an upstream of kind gateway belong together: set gateway with its image, or remove it where no "
                "upstream is of that kind"
            )
        if self.endpoint_zones is not None and self.endpoint_zones > len(self.availability_zones):
            raise ValueError(
                f"endpoint_zones is {self.endpoint_zones}, with {len(self.availability_zones)} availability_zones: lower it"
            )
        return self

    @property
    def kinds(self) -> set[UpstreamKind]:
        """The kinds of the declared upstreams."""
        return kinds(self.groups)

    @property
    def external_hosts(self) -> list[str]:
        """The hosts of the declared providers on the internet, sorted."""
        return sorted({one.host_name for one in self.upstreams if one.kind == UpstreamKind.EXTERNAL})

    @property
    def upstreams(self) -> list[ModelUpstreamArgs]:
        """Every upstream of every group."""
        return [one for group in self.groups for one in group.upstreams]

    @property
    def machine_paths(self) -> list[str]:
        """The prefixes under which machine clients call models; empty if there are no machine clients."""
        return [f"/{group.name}/v1/" for group in self.groups] if self.machine_clients else []

    @property
    def proxy_limits(self) -> ProxyLimitsArgs:
        """The proxy's limits: the sizes of ``limits`` and the times of ``timeouts``, so that WAF, load balancer and proxy agree."""
        times = self.timeouts
        return ProxyLimitsArgs(
            prompt_bytes=self.limits.prompt_bytes,
            upload_bytes=self.limits.upload_bytes,
            header_bytes=self.limits.header_bytes,
            request_headers_seconds=times.request_headers_seconds,
            request_body_seconds=times.request_body_seconds,
            idle_seconds=times.edge_idle_seconds,
            keep_alive_seconds=times.keep_alive_seconds,
            stream_seconds=times.stream_seconds,
            model_deadline_seconds=times.model_deadline_seconds,
            model_idle_seconds=times.silence_seconds(servers=2),
        )

    def silence_seconds(self, kind: UpstreamKind) -> int:
        """How long a server of the groups with an upstream of this kind may be silent."""
        return max(
            self.timeouts.silence_seconds(len(group.upstreams))
            for group in self.groups
            if any(one.kind == kind for one in group.upstreams)
        )


@dataclass(frozen=True)
class Making:
    """Name, arguments and options of every part."""

    name: str
    """The interface's logical name, in front of those of its parts."""
    args: AIInterfaceArgs
    child: pulumi.ResourceOptions

    @property
    def preset(self) -> Preset:
        """The application."""
        return find_preset(self.args.application)


def listed(values: list[str]) -> pulumi.Output[list[str]]:
    """A list as an output."""
    return pulumi.Output.from_input(values)


def together(*lists: pulumi.Output[list[str]]) -> pulumi.Output[list[str]]:
    """Several lists as one, sorted."""
    return pulumi.Output.all(*lists).apply(lambda known: sorted(str(one) for several in known for one in several))


def merged(*maps: pulumi.Output[dict[str, str]]) -> pulumi.Output[dict[str, str]]:
    """Several maps as one."""
    return pulumi.Output.all(*maps).apply(lambda known: {key: one for several in known for key, one in several.items()})
