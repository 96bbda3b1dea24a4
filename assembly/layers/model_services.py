"""The optional services: gateway to models, egress proxy and synthetic chat, each with its alarms, and recorded prompts."""

from dataclasses import dataclass, field

import pulumi

import assembly
from assembly.layers.foundation import Foundation
from assembly.layers.request_path import RequestPath
from assembly.outputs import Outputs
from components.egress import EgressProxy
from components.gateway import GatewayService
from components.models import PromptRecording
from components.monitoring import EgressAlarms, GatewayAlarms, SyntheticAlarms
from components.synthetic import SyntheticChat
from releases.manifest import Release
from settings import StackSettings


@dataclass(frozen=True, kw_only=True)
class ModelServices:
    """The alarms and outputs of the services that exist."""

    alarms: dict[str, GatewayAlarms | EgressAlarms | SyntheticAlarms] = field(default_factory=dict)
    """Heading on the dashboard → alarms."""
    outputs: Outputs = field(default_factory=dict)


def model_services(settings: StackSettings, release: Release, below: Foundation, path: RequestPath) -> ModelServices:
    """Create those that the settings need."""
    made = ModelServices()
    _gateway(settings, release, below, path, made)
    _egress_proxy(settings, release, below, path, made)
    _synthetic_chat(settings, release, below, path, made)
    if recording := assembly.prompt_recording(settings):
        PromptRecording("prompts", recording)
    return made


def _gateway(
    settings: StackSettings, release: Release, below: Foundation, path: RequestPath, made: ModelServices
) -> None:
    gateway = below.gateway
    if not gateway or not (args := assembly.gateway_alarms(settings, gateway, path.service, below.operations)):
        return
    alarms = GatewayAlarms("gateway-alarms", args)
    service = GatewayService(
        "gateway-service",
        assembly.gateway_service(
            settings,
            release,
            network=below.network,
            models=below.models,
            gateway=gateway,
            service=path.service,
            alarms=alarms,
        ),
        pulumi.ResourceOptions(depends_on=[below.endpoints, below.models, gateway]),
    )
    made.alarms["Gateway to models"] = alarms
    made.outputs.update(assembly.gateway_outputs(gateway, service))


def _egress_proxy(
    settings: StackSettings, release: Release, below: Foundation, path: RequestPath, made: ModelServices
) -> None:
    egress, network = below.egress, below.egress_network
    if not egress or not network:
        return
    if not (args := assembly.egress_alarms(settings, egress, path.service, below.operations)):
        return
    alarms = EgressAlarms("egress-alarms", args)
    proxy = EgressProxy(
        "egress-proxy",
        assembly.egress_proxy(settings, release, network=network, egress=egress, service=path.service, alarms=alarms),
        pulumi.ResourceOptions(depends_on=[below.endpoints, egress, network]),
    )
    made.alarms["Egress proxy"] = alarms
    made.outputs.update(assembly.egress_outputs(egress, proxy))


def _synthetic_chat(
    settings: StackSettings, release: Release, below: Foundation, path: RequestPath, made: ModelServices
) -> None:
    synthetic = below.synthetic
    if not synthetic or not (args := assembly.synthetic_alarms(settings, synthetic, below.operations)):
        return
    chat = SyntheticChat(
        "synthetic-chat",
        assembly.synthetic_chat(
            settings,
            release,
            network=below.network,
            models=below.models,
            endpoints=below.endpoints,
            edge=path.edge,
            gateway=below.gateway,
            egress=below.egress,
            service=path.service,
            synthetic=synthetic,
        ),
        pulumi.ResourceOptions(depends_on=[below.endpoints, below.models, synthetic]),
    )
    made.alarms["Synthetic chat"] = SyntheticAlarms("synthetic-alarms", args)
    made.outputs.update(assembly.synthetic_outputs(synthetic, chat))
