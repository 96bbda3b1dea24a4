"""The private network's only egress: interface endpoints and the S3 gateway, each with its own policy.

They allow only the tasks' security group. Only endpoints that are used are created.
"""

from typing import Any, Self

import pulumi
import pulumi_aws as aws
from pydantic import Field, model_validator

from components.args import Args
from components.component import Component
from components.network.endpoint_services import (
    BEDROCK,
    FARGATE_SERVICES,
    MANTLE,
    S3,
    Access,
    check_region,
    check_services,
    endpoint_policy,
    s3_gateway_policy,
    service_name,
)
from components.network.private_services import PrivateServiceArgs, make_private_service

HTTPS = 443


class SyntheticClientArgs(Args):
    """The synthetic chat, as a client of the endpoints."""

    security_group_id: pulumi.Output[str]
    """Its security group."""
    execution_role_arn: pulumi.Output[str]
    """The role with which Fargate starts its task."""
    task_role_arn: pulumi.Output[str]
    """The role with which it calls models."""
    repository_arns: pulumi.Output[list[str]]
    """The repositories of its images."""
    secret_arns: pulumi.Output[list[str]] = Field(default_factory=lambda: pulumi.Output.from_input(list[str]()))
    """The secrets that its task reads when it starts. Omitted: none."""
    log_group_arns: pulumi.Output[list[str]]
    """Its log groups."""
    model_statements: pulumi.Output[list[dict[str, Any]]] = Field(
        default_factory=lambda: pulumi.Output.from_input(list[dict[str, Any]]())
    )
    """IAM statements for its calls of Bedrock. Omitted: no call is allowed."""
    mantle_statements: pulumi.Output[list[dict[str, Any]]] = Field(
        default_factory=lambda: pulumi.Output.from_input(list[dict[str, Any]]())
    )
    """IAM statements for ``bedrock-mantle``. Omitted: no call is allowed."""
    private_services: list[PrivateServiceArgs] = Field(default_factory=list[PrivateServiceArgs])
    """The endpoint services that it calls, of those that the tasks call. Omitted: none."""


class PrivateEndpointsArgs(Args):
    """Arguments of ``PrivateEndpoints``."""

    vpc_id: pulumi.Output[str]
    """The network's VPC."""
    subnet_ids: pulumi.Output[list[str]]
    """Private subnets, at most one in each zone. Each interface endpoint has an address in every one of them. Tasks in
    other zones reach them too; with one subnet, the loss of its zone stops every call of AWS."""
    route_table_ids: pulumi.Output[list[str]]
    """The private route tables, to which the S3 gateway endpoint is added."""
    client_security_group_id: pulumi.Output[str]
    """The tasks' security group, the only one that the endpoints allow."""
    region: str
    """The stack's region."""
    account_id: str
    """The stack's account. Principals and resources of other accounts are denied."""
    execution_role_arn: pulumi.Output[str]
    """The role with which Fargate pulls images, reads secrets and writes logs."""
    task_role_arn: pulumi.Output[str]
    """The role with which the containers call models and store files."""
    services: list[str] = Field(default_factory=lambda: list(FARGATE_SERVICES))
    """Interface services by their short name. Omitted: the services that Fargate needs to start a task."""
    model_regions: list[str] = Field(default_factory=list[str])
    """Regions whose Bedrock runtime is called. Only the stack's region is allowed, because no endpoint can reach
    Bedrock in another region. Omitted: none."""
    model_statements: pulumi.Output[list[dict[str, Any]]] = Field(
        default_factory=lambda: pulumi.Output.from_input(list[dict[str, Any]]())
    )
    """IAM statements (Effect, Action, Resource, Condition) for Bedrock. Omitted: no call is allowed."""
    mantle_regions: list[str] = Field(default_factory=list[str])
    """Regions whose ``bedrock-mantle`` is called, likewise. Omitted: none."""
    mantle_statements: pulumi.Output[list[dict[str, Any]]] = Field(
        default_factory=lambda: pulumi.Output.from_input(list[dict[str, Any]]())
    )
    """IAM statements for ``bedrock-mantle``. Omitted: no call is allowed."""
    gateway_security_group_id: pulumi.Output[str] | None = None
    """The gateway's security group. Omitted: there is no gateway to models."""
    gateway_execution_role_arn: pulumi.Output[str] | None = None
    """The role with which Fargate starts the gateway's tasks. Required with a gateway. Omitted: there is none."""
    gateway_task_role_arn: pulumi.Output[str] | None = None
    """The role with which the gateway calls models. Required with a gateway. Omitted: there is none."""
    gateway_repository_arns: pulumi.Output[list[str]] = Field(
        default_factory=lambda: pulumi.Output.from_input(list[str]())
    )
    """The repositories of the gateway's images. Omitted: there is none."""
    gateway_secret_arns: pulumi.Output[list[str]] = Field(default_factory=lambda: pulumi.Output.from_input(list[str]()))
    """The secrets that the gateway's tasks read when they start. Omitted: there is none."""
    gateway_log_group_arns: pulumi.Output[list[str]] = Field(
        default_factory=lambda: pulumi.Output.from_input(list[str]())
    )
    """The log groups of the gateway's tasks. Omitted: there is none."""
    gateway_model_statements: pulumi.Output[list[dict[str, Any]]] = Field(
        default_factory=lambda: pulumi.Output.from_input(list[dict[str, Any]]())
    )
    """IAM statements for the gateway's calls of Bedrock. Omitted: no call is allowed."""
    egress_security_group_id: pulumi.Output[str] | None = None
    """The egress proxy's security group. Omitted: there is no egress proxy."""
    egress_execution_role_arn: pulumi.Output[str] | None = None
    """The role with which Fargate starts the egress proxy's tasks. Required with an egress proxy. Omitted: there is
    none."""
    egress_repository_arns: pulumi.Output[list[str]] = Field(
        default_factory=lambda: pulumi.Output.from_input(list[str]())
    )
    """The repositories of the egress proxy's image. Omitted: there is none."""
    egress_secret_arns: pulumi.Output[list[str]] = Field(default_factory=lambda: pulumi.Output.from_input(list[str]()))
    """The secrets that the egress proxy's tasks read when they start. Omitted: there is none."""
    egress_log_group_arns: pulumi.Output[list[str]] = Field(
        default_factory=lambda: pulumi.Output.from_input(list[str]())
    )
    """The log groups of the egress proxy's tasks. Omitted: there is none."""
    synthetic: SyntheticClientArgs | None = None
    """The synthetic chat, which calls the same models as the tasks. Omitted: there is none."""
    private_services: list[PrivateServiceArgs] = Field(default_factory=list[PrivateServiceArgs])
    """Endpoint services of other VPCs that the tasks call, without duplicates. Omitted: none."""
    repository_arns: pulumi.Output[list[str]]
    """The image repositories."""
    secret_arns: pulumi.Output[list[str]]
    """The secrets that tasks read when they start."""
    log_group_arns: pulumi.Output[list[str]]
    """The tasks' log groups."""
    bucket_arns: pulumi.Output[list[str]] = Field(default_factory=lambda: pulumi.Output.from_input(list[str]()))
    """The stack's buckets. Omitted: only the bucket with image layers can be read."""
    tags: dict[str, str]
    """Tags of every resource."""

    @model_validator(mode="after")
    def _policies_are_known(self) -> Self:
        check_services(self.services)
        gateway = (self.gateway_security_group_id, self.gateway_execution_role_arn, self.gateway_task_role_arn)
        if any(gateway) and not all(gateway):
            raise ValueError("a gateway needs its security group, its execution role and its task role: set all three")
        if (self.egress_security_group_id is None) != (self.egress_execution_role_arn is None):
            raise ValueError("an egress proxy needs its security group and its execution role: set both")
        for service, regions in ((BEDROCK, self.model_regions), (MANTLE, self.mantle_regions)):
            for region in regions:
                check_region(service, region, self.region)
        names = [service.service_name for service in self.private_services]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(
                f"private_services has {', '.join(twice)} twice: list each service once, with all of its ports"
            )
        if self.synthetic and (
            lacking := sorted(_ways(self.synthetic.private_services) - _ways(self.private_services))
        ):
            raise ValueError(f"synthetic.private_services has {lacking}, which private_services lacks: add it there")
        return self


class PrivateEndpoints(Component):
    """Interface endpoints and the S3 gateway, for one security group of tasks."""

    security_group_id: pulumi.Output[str]
    """The interface endpoints' security group."""
    endpoint_ids: pulumi.Output[dict[str, str]]
    """Endpoint ids by service; for Bedrock, by ``bedrock-runtime.<region>`` and ``bedrock-mantle.<region>``."""
    private_service_names: pulumi.Output[dict[str, str]]
    """Endpoint service of another VPC → the DNS name of its endpoint."""
    s3_prefix_list_id: pulumi.Output[str]
    """The prefix list of S3's addresses in this region."""

    def __init__(self, name: str, args: PrivateEndpointsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = PrivateEndpointsArgs.model_validate(args)
        super().__init__("ai-interface:index:PrivateEndpoints", name, args, opts)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)

        self._access = self._describe_access()
        group = self._security_group()
        endpoints = self._interface_endpoints(group)
        gateway = self._s3_gateway()
        self._client_egress(group, gateway)

        services = {
            service.service_name: make_private_service(
                name,
                service,
                vpc_id=args.vpc_id,
                subnet_ids=args.subnet_ids,
                clients=self._clients_of(service),
                tags=args.tags,
                opts=self._child,
            )
            for service in sorted(args.private_services, key=lambda one: one.service_name)
        }
        self.private_service_names = pulumi.Output.all(**services)
        self.security_group_id = group.id
        self.s3_prefix_list_id = gateway.prefix_list_id
        self.endpoint_ids = pulumi.Output.all(
            **{service: endpoint.id for service, endpoint in endpoints.items()}, s3=gateway.id
        )
        self.register_outputs(
            {
                "securityGroupId": self.security_group_id,
                "endpointIds": self.endpoint_ids,
                "privateServiceNames": self.private_service_names,
                "s3PrefixListId": self.s3_prefix_list_id,
            }
        )

    def _tags(self, role: str) -> dict[str, str]:
        return {**self._args.tags, "Name": f"{self._name}-{role}"}

    def _clients_of(self, service: PrivateServiceArgs) -> dict[str, tuple[pulumi.Output[str], list[int]]]:
        """Kind of task → its security group, and the ports of the service that it calls."""
        clients = {"tasks": (self._args.client_security_group_id, service.ports)}
        if (synthetic := self._args.synthetic) is not None:
            called = [port for name, port in _ways(synthetic.private_services) if name == service.service_name]
            clients["synthetic"] = (synthetic.security_group_id, called)
        return clients

    def _describe_access(self) -> pulumi.Output[Access]:
        args, synthetic = self._args, self._args.synthetic

        def describe(values: dict[str, Any]) -> Access:
            return Access(account_id=args.account_id, region=args.region, **values)

        return pulumi.Output.all(
            execution_role_arn=args.execution_role_arn,
            task_role_arn=args.task_role_arn,
            gateway_execution_role_arn=args.gateway_execution_role_arn or "",
            gateway_task_role_arn=args.gateway_task_role_arn or "",
            repository_arns=args.repository_arns,
            secret_arns=args.secret_arns,
            log_group_arns=args.log_group_arns,
            bucket_arns=args.bucket_arns,
            model_statements=args.model_statements,
            gateway_repository_arns=args.gateway_repository_arns,
            gateway_secret_arns=args.gateway_secret_arns,
            gateway_log_group_arns=args.gateway_log_group_arns,
            gateway_model_statements=args.gateway_model_statements,
            mantle_statements=args.mantle_statements,
            egress_execution_role_arn=args.egress_execution_role_arn or "",
            egress_repository_arns=args.egress_repository_arns,
            egress_secret_arns=args.egress_secret_arns,
            egress_log_group_arns=args.egress_log_group_arns,
            synthetic_execution_role_arn=synthetic.execution_role_arn if synthetic else "",
            synthetic_task_role_arn=synthetic.task_role_arn if synthetic else "",
            synthetic_repository_arns=synthetic.repository_arns if synthetic else list[str](),
            synthetic_secret_arns=synthetic.secret_arns if synthetic else list[str](),
            synthetic_log_group_arns=synthetic.log_group_arns if synthetic else list[str](),
            synthetic_model_statements=synthetic.model_statements if synthetic else list[dict[str, Any]](),
            synthetic_mantle_statements=synthetic.mantle_statements if synthetic else list[dict[str, Any]](),
        ).apply(describe)

    def _security_group(self) -> aws.ec2.SecurityGroup:
        group = aws.ec2.SecurityGroup(
            f"{self._name}-group",
            vpc_id=self._args.vpc_id,
            description="Interface endpoints: reached by the tasks only",
            tags=self._tags("endpoints"),
            opts=self._child,
        )
        for role, description, client in self._clients():
            aws.vpc.SecurityGroupIngressRule(
                f"{self._name}-from-{role}",
                security_group_id=group.id,
                referenced_security_group_id=client,
                ip_protocol="tcp",
                from_port=HTTPS,
                to_port=HTTPS,
                description=description,
                tags=self._tags(f"from-{role}"),
                opts=self._child,
            )
        return group

    def _interface_endpoints(self, group: aws.ec2.SecurityGroup) -> dict[str, aws.ec2.VpcEndpoint]:
        args = self._args
        wanted = {service: (service, args.region) for service in sorted(set(args.services) - {BEDROCK, MANTLE, S3})}
        wanted |= {
            f"{service}.{region}": (service, region)
            for service, regions in ((BEDROCK, args.model_regions), (MANTLE, args.mantle_regions))
            for region in sorted(set(regions))
        }
        return {
            key: aws.ec2.VpcEndpoint(
                f"{self._name}-{key.replace('.', '-')}",
                vpc_id=args.vpc_id,
                service_name=service_name(service, region),
                service_region=None if region == args.region else region,
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=args.subnet_ids,
                security_group_ids=[group.id],
                policy=self._policy(service),
                tags=self._tags(key),
                opts=self._child,
            )
            for key, (service, region) in wanted.items()
        }

    def _policy(self, service: str) -> pulumi.Output[str]:
        return self._access.apply(lambda access: endpoint_policy(service, access))

    def _s3_gateway(self) -> aws.ec2.VpcEndpoint:
        args = self._args
        return aws.ec2.VpcEndpoint(
            f"{self._name}-s3",
            vpc_id=args.vpc_id,
            service_name=service_name(S3, args.region),
            vpc_endpoint_type="Gateway",
            route_table_ids=args.route_table_ids,
            policy=self._access.apply(s3_gateway_policy),
            tags=self._tags("s3"),
            opts=self._child,
        )

    def _clients(self) -> list[tuple[str, str, pulumi.Output[str]]]:
        """Role, description and security group of each kind of task."""
        clients = [("tasks", "Tasks call AWS", self._args.client_security_group_id)]
        if self._args.gateway_security_group_id is not None:
            clients.append(("gateway", "The gateway calls AWS", self._args.gateway_security_group_id))
        if self._args.egress_security_group_id is not None:
            clients.append(("egress", "The egress proxy starts", self._args.egress_security_group_id))
        if self._args.synthetic is not None:
            clients.append(("synthetic", "The synthetic chat calls AWS", self._args.synthetic.security_group_id))
        return clients

    def _client_egress(self, group: aws.ec2.SecurityGroup, gateway: aws.ec2.VpcEndpoint) -> None:
        """The tasks' egress rules: to the endpoints and, through the gateway endpoint, to S3, which has the image
        layers."""
        for role, _, client in self._clients():
            for target, description, to_group, to_prefix_list in (
                ("endpoints", "AWS by interface endpoint", group.id, None),
                ("s3", "S3 by gateway endpoint", None, gateway.prefix_list_id),
            ):
                aws.vpc.SecurityGroupEgressRule(
                    f"{self._name}-{role}-to-{target}",
                    security_group_id=client,
                    referenced_security_group_id=to_group,
                    prefix_list_id=to_prefix_list,
                    ip_protocol="tcp",
                    from_port=HTTPS,
                    to_port=HTTPS,
                    description=description,
                    tags=self._tags(f"{role}-to-{target}"),
                    opts=self._child,
                )


def _ways(services: list[PrivateServiceArgs]) -> set[tuple[str, int]]:
    """Endpoint services, each with each of its ports."""
    return {(service.service_name, port) for service in services for port in service.ports}
