"""Reusable components of a production AI interface on AWS.

Each name is loaded when it is first used, so that importing one component does not import the others.
"""

from typing import TYPE_CHECKING

from components.lazy import loader

if TYPE_CHECKING:
    from components.applications.application import ApplicationArgs
    from components.data.args import DataArgs, DataCacheArgs, DataDatabaseArgs, DataUploadsArgs
    from components.data.component import Data
    from components.data.uploads import UploadsAccess, UploadsAccessArgs
    from components.edge.args import (
        ClaimFormat,
        EdgeArgs,
        MachineClientsArgs,
        OidcArgs,
        PathsArgs,
        TlsPolicy,
        TokenClaimArgs,
    )
    from components.edge.component import Edge
    from components.egress.component import EgressProxy, EgressProxyArgs
    from components.egress.identity import EgressIdentity, EgressIdentityArgs
    from components.egress.network import EgressNetwork, EgressNetworkArgs
    from components.gateway.component import GatewayModelArgs, GatewayService, GatewayServiceArgs
    from components.gateway.identity import GatewayIdentity, GatewayIdentityArgs
    from components.models.component import GuardrailArgs, ModelAccess, ModelAccessArgs
    from components.models.iam_documents import ModelGroupArgs, ModelKeyArgs, ModelUpstreamArgs
    from components.models.recording import PromptRecording, PromptRecordingArgs
    from components.monitoring.data import DataAlarms, DataAlarmsArgs
    from components.monitoring.edge_and_service import EdgeAlarms, EdgeAlarmsArgs, ServiceAlarms, ServiceAlarmsArgs
    from components.monitoring.egress import EgressAlarms, EgressAlarmsArgs
    from components.monitoring.gateway import GatewayAlarms, GatewayAlarmsArgs
    from components.monitoring.models import ModelAlarms, ModelAlarmsArgs
    from components.monitoring.operations import Operations, OperationsArgs
    from components.network.args import ExistingNetworkArgs, PrivateNetworkArgs
    from components.network.component import PrivateNetwork
    from components.network.endpoints import PrivateEndpoints, PrivateEndpointsArgs
    from components.network.private_services import PrivateServiceArgs
    from components.service.component import InterfaceService, InterfaceServiceArgs
    from components.service.task_identity import WorkloadIdentity, WorkloadIdentityArgs
    from components.waf.args import FirewallArgs, FirewallLimitsArgs
    from components.waf.component import Firewall

__all__ = [
    "ApplicationArgs",
    "ClaimFormat",
    "Data",
    "DataAlarms",
    "DataAlarmsArgs",
    "DataArgs",
    "DataCacheArgs",
    "DataDatabaseArgs",
    "DataUploadsArgs",
    "Edge",
    "EdgeAlarms",
    "EdgeAlarmsArgs",
    "EdgeArgs",
    "EgressAlarms",
    "EgressAlarmsArgs",
    "EgressIdentity",
    "EgressIdentityArgs",
    "EgressNetwork",
    "EgressNetworkArgs",
    "EgressProxy",
    "EgressProxyArgs",
    "ExistingNetworkArgs",
    "Firewall",
    "FirewallArgs",
    "FirewallLimitsArgs",
    "GatewayAlarms",
    "GatewayAlarmsArgs",
    "GatewayIdentity",
    "GatewayIdentityArgs",
    "GatewayModelArgs",
    "GatewayService",
    "GatewayServiceArgs",
    "GuardrailArgs",
    "InterfaceService",
    "InterfaceServiceArgs",
    "MachineClientsArgs",
    "ModelAccess",
    "ModelAccessArgs",
    "ModelAlarms",
    "ModelAlarmsArgs",
    "ModelGroupArgs",
    "ModelKeyArgs",
    "ModelUpstreamArgs",
    "OidcArgs",
    "Operations",
    "OperationsArgs",
    "PathsArgs",
    "PrivateEndpoints",
    "PrivateEndpointsArgs",
    "PrivateNetwork",
    "PrivateNetworkArgs",
    "PrivateServiceArgs",
    "PromptRecording",
    "PromptRecordingArgs",
    "ServiceAlarms",
    "ServiceAlarmsArgs",
    "TlsPolicy",
    "TokenClaimArgs",
    "UploadsAccess",
    "UploadsAccessArgs",
    "WorkloadIdentity",
    "WorkloadIdentityArgs",
]

__getattr__ = loader(
    __name__,
    {
        "applications.application": ("ApplicationArgs",),
        "data.args": (
            "DataArgs",
            "DataCacheArgs",
            "DataDatabaseArgs",
            "DataUploadsArgs",
        ),
        "data.component": ("Data",),
        "data.uploads": (
            "UploadsAccess",
            "UploadsAccessArgs",
        ),
        "edge.args": (
            "ClaimFormat",
            "EdgeArgs",
            "MachineClientsArgs",
            "OidcArgs",
            "PathsArgs",
            "TlsPolicy",
            "TokenClaimArgs",
        ),
        "edge.component": ("Edge",),
        "egress.component": (
            "EgressProxy",
            "EgressProxyArgs",
        ),
        "egress.identity": (
            "EgressIdentity",
            "EgressIdentityArgs",
        ),
        "egress.network": (
            "EgressNetwork",
            "EgressNetworkArgs",
        ),
        "gateway.component": (
            "GatewayModelArgs",
            "GatewayService",
            "GatewayServiceArgs",
        ),
        "gateway.identity": (
            "GatewayIdentity",
            "GatewayIdentityArgs",
        ),
        "models.component": (
            "GuardrailArgs",
            "ModelAccess",
            "ModelAccessArgs",
        ),
        "models.iam_documents": (
            "ModelGroupArgs",
            "ModelKeyArgs",
            "ModelUpstreamArgs",
        ),
        "models.recording": (
            "PromptRecording",
            "PromptRecordingArgs",
        ),
        "monitoring.data": (
            "DataAlarms",
            "DataAlarmsArgs",
        ),
        "monitoring.edge_and_service": (
            "EdgeAlarms",
            "EdgeAlarmsArgs",
            "ServiceAlarms",
            "ServiceAlarmsArgs",
        ),
        "monitoring.egress": (
            "EgressAlarms",
            "EgressAlarmsArgs",
        ),
        "monitoring.gateway": (
            "GatewayAlarms",
            "GatewayAlarmsArgs",
        ),
        "monitoring.models": (
            "ModelAlarms",
            "ModelAlarmsArgs",
        ),
        "monitoring.operations": (
            "Operations",
            "OperationsArgs",
        ),
        "network.args": (
            "ExistingNetworkArgs",
            "PrivateNetworkArgs",
        ),
        "network.component": ("PrivateNetwork",),
        "network.endpoints": (
            "PrivateEndpoints",
            "PrivateEndpointsArgs",
        ),
        "network.private_services": ("PrivateServiceArgs",),
        "service.component": (
            "InterfaceService",
            "InterfaceServiceArgs",
        ),
        "service.task_identity": (
            "WorkloadIdentity",
            "WorkloadIdentityArgs",
        ),
        "waf.args": (
            "FirewallArgs",
            "FirewallLimitsArgs",
        ),
        "waf.component": ("Firewall",),
    },
)
