"""The whole interface: network, login, WAF, application, models, data and alarms, wired as the project's own program does.

It is made of the components that are also offered one by one. Gateway, egress proxy, machine clients, tools and recorded prompts
exist only if the arguments declare them. It registers no stack export and reads no configuration.
"""

import pulumi

from components.component import Component
from components.edge.component import Edge
from components.interface.alarms import WatchedPart, make_alarms_part
from components.interface.args import AIInterfaceArgs, Making
from components.interface.internal import make_internal_services
from components.interface.private import PrivatePart, make_private_part
from components.interface.public import make_edge, make_edge_alarms, make_firewall, make_log_protection, preset_args
from components.interface.synthetic import make_synthetic_chat
from components.models.recording import PromptRecording, PromptRecordingArgs
from components.monitoring.edge_and_service import EdgeAlarms
from components.proxy.settings import ProxySettings
from components.service.component import InterfaceService, InterfaceServiceArgs

MEBIBYTE = 1024 * 1024
LONGEST_NAME = 10
"""AWS limits the names of a load balancer to 32 characters: this name, ``-edge-balancer`` and a random suffix."""


class AIInterface(Component):
    """A private AI interface on AWS: a login in front, models behind, and nothing else reachable."""

    url: pulumi.Output[str]
    """The address for users."""
    load_balancer_dns_name: pulumi.Output[str]
    """The load balancer's DNS name, for a DNS record that you create."""
    load_balancer_zone_id: pulumi.Output[str]
    """The hosted zone of that name, for an alias record that you create."""
    load_balancer_arn: pulumi.Output[str]
    """The load balancer."""
    vpc_id: pulumi.Output[str]
    """The network's VPC."""
    private_subnet_ids: pulumi.Output[list[str]]
    """The private subnets, sorted by zone."""
    task_security_group_id: pulumi.Output[str]
    """The tasks' security group."""
    cluster_name: pulumi.Output[str]
    """The cluster's name."""
    service_name: pulumi.Output[str]
    """The service's name."""
    task_definition_arn: pulumi.Output[str]
    """The task definition's ARN with its revision."""
    alarm_topic_arn: pulumi.Output[str]
    """The topic of pages."""
    ticket_topic_arn: pulumi.Output[str]
    """The topic of tickets."""

    def __init__(self, name: str, args: AIInterfaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = AIInterfaceArgs.model_validate(args)
        if len(name) > LONGEST_NAME:
            raise ValueError(
                f"the name {name!r} has {len(name)} characters, and the load balancer's name is made of it: use at most "
                f"{LONGEST_NAME}"
            )
        super().__init__("ai-interface:index:AIInterface", name, args, opts)
        self._args = args
        child = pulumi.ResourceOptions(parent=self)
        making = Making(name, args, child)
        private = make_private_part(making)
        edge = make_edge(making, private)
        firewall = make_firewall(making, private, edge)
        protection = make_log_protection(making, private, firewall)
        edge_alarms = make_edge_alarms(making, private, edge, firewall)
        service = InterfaceService(
            f"{name}-service",
            self._service(private, edge, edge_alarms),
            # A task that starts before its egress rules, permissions and WAF exist fails or is exposed.
            pulumi.ResourceOptions(
                parent=self,
                depends_on=[
                    private.endpoints,
                    private.models,
                    private.workload,
                    *private.data.used_by_tasks,
                    private.uploads,
                    edge,
                    firewall,
                    *(
                        one
                        for one in (private.gateway, private.egress and private.egress.identity, protection)
                        if one is not None
                    ),
                ],
            ),
        )
        internal = make_internal_services(making, private, service)
        if private.synthetic is not None:
            make_synthetic_chat(making, private, private.synthetic, service, preset_args(args, private, edge))
        if args.record_prompts is not None:
            PromptRecording(
                f"{name}-prompts",
                PromptRecordingArgs(
                    environment=args.environment,
                    region=args.region,
                    account_id=args.account_id,
                    record_prompts_for_days=args.record_prompts.days,
                    reader_arns=args.record_prompts.reader_arns,
                    tags=args.tags,
                ),
                child,
            )
        make_alarms_part(making, WatchedPart(private, edge, edge_alarms, protection, firewall, service, internal))
        self.url = pulumi.Output.from_input(f"https://{args.host_name}")
        self.load_balancer_dns_name = edge.dns_name
        self.load_balancer_zone_id = edge.zone_id
        self.load_balancer_arn = edge.load_balancer_arn
        self.vpc_id = private.network.vpc_id
        self.private_subnet_ids = private.network.private_subnet_ids
        self.task_security_group_id = private.workload.security_group_id
        self.cluster_name = service.cluster_name
        self.service_name = service.service_name
        self.task_definition_arn = service.task_definition_arn
        self.alarm_topic_arn = private.operations.alarm_topic_arn
        self.ticket_topic_arn = private.operations.ticket_topic_arn
        self.register_outputs(
            {
                "url": self.url,
                "loadBalancerDnsName": self.load_balancer_dns_name,
                "loadBalancerZoneId": self.load_balancer_zone_id,
                "loadBalancerArn": self.load_balancer_arn,
                "vpcId": self.vpc_id,
                "privateSubnetIds": self.private_subnet_ids,
                "taskSecurityGroupId": self.task_security_group_id,
                "clusterName": self.cluster_name,
                "serviceName": self.service_name,
                "taskDefinitionArn": self.task_definition_arn,
                "alarmTopicArn": self.alarm_topic_arn,
                "ticketTopicArn": self.ticket_topic_arn,
            }
        )

    def _service(self, private: PrivatePart, edge: Edge, alarms: EdgeAlarms) -> InterfaceServiceArgs:
        args, size = self._args, self._args.size
        return InterfaceServiceArgs(
            environment=args.environment,
            region=args.region,
            release=args.images.release,
            schemas=args.images.schemas,
            preset=preset_args(args, private, edge),
            interface_image=args.images.interface,
            proxy_image=args.images.proxy,
            execution_role_arn=private.workload.execution_role_arn,
            task_role_arn=private.workload.task_role_arn,
            secret_references=private.secret_references,
            data_values=private.data.values,
            log_group_names=private.operations.log_group_names,
            log_retention_days=args.retention.application_log_days,
            key_arn=private.operations.key_arn,
            subnet_ids=private.network.private_subnet_ids,
            security_group_id=private.workload.security_group_id,
            target_group_arn=edge.target_group_arn,
            load_balancer_arn_suffix=edge.load_balancer_arn_suffix,
            target_group_arn_suffix=edge.target_group_arn_suffix,
            rollback_alarm_names=alarms.rollback_alarm_names,
            cpu_units=size.cpu_units,
            memory_mebibytes=size.memory_mebibytes,
            ephemeral_gibibytes=size.ephemeral_gibibytes,
            architecture=size.architecture,
            minimum_tasks=size.minimum_tasks,
            maximum_tasks=size.maximum_tasks,
            availability_zones=len(args.availability_zones),
            deregistration_delay_seconds=args.timeouts.deregistration_delay_seconds,
            stop_seconds=args.timeouts.stop_seconds,
            stop_before_start=args.images.stop_before_start,
            proxy_memory_mebibytes=ProxySettings.memory_bytes // MEBIBYTE,
            tags=args.tags,
        )
