"""The environment: settings and a release in, components in the order in which they need each other, exports out."""

import pulumi
import pulumi_aws as aws

import assembly
from components.data import Data, UploadsAccess
from components.edge import Edge
from components.gateway import GatewayIdentity, GatewayService
from components.models import ModelAccess, PromptRecording
from components.monitoring import DataAlarms, EdgeAlarms, GatewayAlarms, ModelAlarms, Operations, ServiceAlarms
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
models = ModelAccess("models", assembly.models(settings, prompts, workload, gateway))
data = Data("state", assembly.data(settings, network, operations, workload))
endpoints = PrivateEndpoints(
    "endpoints",
    assembly.endpoints(
        settings, network=network, operations=operations, workload=workload, models=models, data=data, gateway=gateway
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
        data=data,
        edge=edge,
        gateway=gateway,
        rollback_alarm_names=edge_alarms.rollback_alarm_names,
    ),
    # A task that starts before its egress rules, permissions and WAF exist fails or is exposed.
    pulumi.ResourceOptions(
        depends_on=[endpoints, models, workload, data, uploads, edge, firewall, *([gateway] if gateway else [])]
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
