"""The environment: settings and a release in, components in the order in which they need each other, exports out."""

import pulumi
import pulumi_aws as aws

import assembly
from components.data import Data, UploadsAccess
from components.edge import Edge
from components.egress import EgressIdentity, EgressNetwork, EgressProxy
from components.gateway import GatewayIdentity, GatewayService
from components.models import ModelAccess, PromptRecording
from components.monitoring import (
    DataAlarms,
    EdgeAlarms,
    EgressAlarms,
    GatewayAlarms,
    ModelAlarms,
    Operations,
    ServiceAlarms,
)
from components.network import PrivateEndpoints, PrivateNetwork
from components.service import InterfaceService, WorkloadIdentity
from components.waf import Firewall
from releases.acceptance import accepted
from settings import StackSettings

settings = StackSettings.load()
release, prompts = accepted(settings)
assembly.check_task_size(settings, release, prompts)
assembly.warn_about_unknown_models(settings)
assembly.bound_roles(settings)
assembly.serve_the_deployment(settings)

# Looked up by name, so that the value is in no file; Output.secret keeps it encrypted in state and plan.
client_secret = pulumi.Output.secret(
    aws.secretsmanager.get_secret_version_output(secret_id=settings.identity.client_secret_name).secret_string
)

operations = Operations("operations", assembly.operations(settings))
network = PrivateNetwork("network", assembly.network(settings, operations))
workload = WorkloadIdentity("workload", assembly.workload(settings, network, operations))
gateway_args = assembly.gateway_identity(settings, release, network=network, operations=operations, workload=workload)
gateway = GatewayIdentity("gateway", gateway_args) if gateway_args else None
egress_args = assembly.egress_identity(settings, network=network, operations=operations, workload=workload)
egress = EgressIdentity("egress", egress_args) if egress_args else None
egress_subnets = assembly.egress_network(settings, network)
# The subnets depend on the VPC's default network ACL, which the network locks first.
egress_network = (
    EgressNetwork("egress-network", egress_subnets, pulumi.ResourceOptions(depends_on=[network]))
    if egress_subnets
    else None
)
models = ModelAccess("models", assembly.models(settings, prompts, workload, gateway))
data = Data("state", assembly.data(settings, network, operations, workload))
endpoints = PrivateEndpoints(
    "endpoints",
    assembly.endpoints(
        settings,
        network=network,
        operations=operations,
        workload=workload,
        models=models,
        data=data,
        gateway=gateway,
        egress=egress,
        egress_network=egress_network,
    ),
)
uploads = UploadsAccess("uploads", assembly.uploads_access(data, endpoints))
edge = Edge("edge", assembly.edge(settings, network, workload, client_secret))
firewall = Firewall("firewall", assembly.firewall(settings, edge, operations))
edge_alarms = EdgeAlarms("edge-alarms", assembly.edge_alarms(settings, edge, firewall, operations))
service = InterfaceService(
    "service",
    assembly.service(
        settings,
        release,
        prompts,
        network=network,
        operations=operations,
        workload=workload,
        models=models,
        endpoints=endpoints,
        data=data,
        edge=edge,
        gateway=gateway,
        egress=egress,
        rollback_alarm_names=edge_alarms.rollback_alarm_names,
    ),
    # A task that starts before its egress rules, permissions and WAF exist fails or is exposed.
    pulumi.ResourceOptions(
        depends_on=[
            endpoints,
            models,
            workload,
            data,
            uploads,
            edge,
            firewall,
            *([one for one in (gateway, egress) if one]),
        ]
    ),
)
if gateway and (alarm_args := assembly.gateway_alarms(settings, gateway, service, operations)):
    alarms = GatewayAlarms("gateway-alarms", alarm_args)
    GatewayService(
        "gateway-service",
        assembly.gateway_service(
            settings, release, network=network, models=models, gateway=gateway, service=service, alarms=alarms
        ),
        pulumi.ResourceOptions(depends_on=[endpoints, models, gateway]),
    )
if egress and egress_network and (watched := assembly.egress_alarms(settings, egress, service, operations)):
    EgressProxy(
        "egress-proxy",
        assembly.egress_proxy(
            settings,
            release,
            network=egress_network,
            egress=egress,
            service=service,
            alarms=EgressAlarms("egress-alarms", watched),
        ),
        pulumi.ResourceOptions(depends_on=[endpoints, egress, egress_network]),
    )
ServiceAlarms("service-alarms", assembly.service_alarms(settings, service, operations))
ModelAlarms("model-alarms", assembly.model_alarms(settings, operations))
if recording := assembly.prompt_recording(settings):
    PromptRecording("prompts", recording)
DataAlarms("state-alarms", assembly.data_alarms(settings, data, operations))

pulumi.export("url", f"https://{settings.domain.host_name}")
pulumi.export("environment", settings.environment)
pulumi.export("release", release.version)
pulumi.export("owner", settings.owner.model_dump(by_alias=True))
pulumi.export("loadBalancerDnsName", edge.dns_name)
pulumi.export("cluster", service.cluster_name)
pulumi.export("service", service.service_name)
pulumi.export("taskDefinition", service.task_definition_arn)
pulumi.export("alarmTopic", operations.alarm_topic_arn)
