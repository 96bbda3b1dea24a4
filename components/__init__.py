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
    from components.interface.args import (
        AIInterfaceArgs,
        InterfaceImagesArgs,
        InterfaceRetentionArgs,
        InterfaceSizeArgs,
    )
    from components.interface.component import AIInterface
    from components.interface.options import (
        InterfaceEdgeArgs,
        InterfaceGatewayArgs,
        InterfaceMachineClientsArgs,
        InterfaceObjectivesArgs,
        InterfacePathsArgs,
        InterfacePromptRecordsArgs,
        InterfaceTimeoutsArgs,
    )
    from components.models.component import GuardrailArgs, ModelAccess, ModelAccessArgs
    from components.models.iam_documents import ModelGroupArgs, ModelKeyArgs, ModelUpstreamArgs
    from components.models.recording import PromptRecording, PromptRecordingArgs
    from components.monitoring.changes import ChangeEvents, ChangeEventsArgs
    from components.monitoring.channels import SlackChannelArgs
    from components.monitoring.dashboard import (
        Dashboard,
        DashboardArgs,
        DashboardGraphArgs,
        DashboardMetricArgs,
        DashboardPartArgs,
    )
    from components.monitoring.data import DataAlarms, DataAlarmsArgs
    from components.monitoring.edge_and_service import EdgeAlarms, EdgeAlarmsArgs, ServiceAlarms, ServiceAlarmsArgs
    from components.monitoring.egress import EgressAlarms, EgressAlarmsArgs
    from components.monitoring.gateway import GatewayAlarms, GatewayAlarmsArgs
    from components.monitoring.log_protection import LogProtection, LogProtectionArgs
    from components.monitoring.models import ModelAlarms, ModelAlarmsArgs
    from components.monitoring.objectives import ObjectiveAlarms, ObjectiveAlarmsArgs
    from components.monitoring.operations import AlertSubscriptionArgs, Operations, OperationsArgs
    from components.monitoring.pages import Pages, PagesArgs
    from components.monitoring.proxy_log import ProxyLogAlarms, ProxyLogAlarmsArgs
    from components.monitoring.queries import SavedQueries, SavedQueriesArgs
    from components.monitoring.synthetic import SyntheticAlarms, SyntheticAlarmsArgs
    from components.network.args import ExistingNetworkArgs, PrivateNetworkArgs
    from components.network.component import PrivateNetwork
    from components.network.endpoints import PrivateEndpoints, PrivateEndpointsArgs
    from components.network.private_services import PrivateServiceArgs
    from components.proxy.args import AccessArgs, PeopleArgs, ProxyLimitsArgs
    from components.service.component import InterfaceService, InterfaceServiceArgs
    from components.service.preset import PresetArgs
    from components.service.task_identity import WorkloadIdentity, WorkloadIdentityArgs
    from components.service.tools import SearchServerArgs, ToolsArgs, ToolServerArgs
    from components.synthetic.component import SyntheticChat, SyntheticChatArgs
    from components.synthetic.identity import SyntheticIdentity, SyntheticIdentityArgs, SyntheticServerArgs
    from components.synthetic.settings import SyntheticGroupArgs, SyntheticScheduleArgs
    from components.waf.args import FirewallArgs, FirewallLimitsArgs
    from components.waf.component import Firewall

__all__ = [
    "AIInterface",
    "AIInterfaceArgs",
    "AccessArgs",
    "AlertSubscriptionArgs",
    "ApplicationArgs",
    "ChangeEvents",
    "ChangeEventsArgs",
    "ClaimFormat",
    "Dashboard",
    "DashboardArgs",
    "DashboardGraphArgs",
    "DashboardMetricArgs",
    "DashboardPartArgs",
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
    "InterfaceEdgeArgs",
    "InterfaceGatewayArgs",
    "InterfaceImagesArgs",
    "InterfaceMachineClientsArgs",
    "InterfaceObjectivesArgs",
    "InterfacePathsArgs",
    "InterfacePromptRecordsArgs",
    "InterfaceRetentionArgs",
    "InterfaceService",
    "InterfaceServiceArgs",
    "InterfaceSizeArgs",
    "InterfaceTimeoutsArgs",
    "LogProtection",
    "LogProtectionArgs",
    "MachineClientsArgs",
    "ModelAccess",
    "ModelAccessArgs",
    "ModelAlarms",
    "ModelAlarmsArgs",
    "ModelGroupArgs",
    "ModelKeyArgs",
    "ModelUpstreamArgs",
    "ObjectiveAlarms",
    "ObjectiveAlarmsArgs",
    "OidcArgs",
    "Operations",
    "OperationsArgs",
    "Pages",
    "PagesArgs",
    "PathsArgs",
    "PeopleArgs",
    "PresetArgs",
    "PrivateEndpoints",
    "PrivateEndpointsArgs",
    "PrivateNetwork",
    "PrivateNetworkArgs",
    "PrivateServiceArgs",
    "PromptRecording",
    "PromptRecordingArgs",
    "ProxyLimitsArgs",
    "ProxyLogAlarms",
    "ProxyLogAlarmsArgs",
    "SavedQueries",
    "SavedQueriesArgs",
    "SearchServerArgs",
    "ServiceAlarms",
    "ServiceAlarmsArgs",
    "SlackChannelArgs",
    "SyntheticAlarms",
    "SyntheticAlarmsArgs",
    "SyntheticChat",
    "SyntheticChatArgs",
    "SyntheticGroupArgs",
    "SyntheticIdentity",
    "SyntheticIdentityArgs",
    "SyntheticScheduleArgs",
    "SyntheticServerArgs",
    "TlsPolicy",
    "TokenClaimArgs",
    "ToolServerArgs",
    "ToolsArgs",
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
        "interface.args": (
            "AIInterfaceArgs",
            "InterfaceImagesArgs",
            "InterfaceRetentionArgs",
            "InterfaceSizeArgs",
        ),
        "interface.component": ("AIInterface",),
        "interface.options": (
            "InterfaceEdgeArgs",
            "InterfaceGatewayArgs",
            "InterfaceMachineClientsArgs",
            "InterfaceObjectivesArgs",
            "InterfacePathsArgs",
            "InterfacePromptRecordsArgs",
            "InterfaceTimeoutsArgs",
        ),
        "service.tools": ("SearchServerArgs", "ToolServerArgs", "ToolsArgs"),
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
        "monitoring.changes": (
            "ChangeEvents",
            "ChangeEventsArgs",
        ),
        "monitoring.dashboard": (
            "Dashboard",
            "DashboardArgs",
            "DashboardGraphArgs",
            "DashboardMetricArgs",
            "DashboardPartArgs",
        ),
        "monitoring.queries": (
            "SavedQueries",
            "SavedQueriesArgs",
        ),
        "monitoring.channels": ("SlackChannelArgs",),
        "monitoring.synthetic": (
            "SyntheticAlarms",
            "SyntheticAlarmsArgs",
        ),
        "synthetic.component": (
            "SyntheticChat",
            "SyntheticChatArgs",
        ),
        "synthetic.identity": (
            "SyntheticIdentity",
            "SyntheticIdentityArgs",
            "SyntheticServerArgs",
        ),
        "synthetic.settings": (
            "SyntheticGroupArgs",
            "SyntheticScheduleArgs",
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
        "monitoring.log_protection": (
            "LogProtection",
            "LogProtectionArgs",
        ),
        "monitoring.models": (
            "ModelAlarms",
            "ModelAlarmsArgs",
        ),
        "monitoring.objectives": (
            "ObjectiveAlarms",
            "ObjectiveAlarmsArgs",
        ),
        "monitoring.pages": (
            "Pages",
            "PagesArgs",
        ),
        "monitoring.proxy_log": (
            "ProxyLogAlarms",
            "ProxyLogAlarmsArgs",
        ),
        "monitoring.operations": (
            "AlertSubscriptionArgs",
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
        "proxy.args": (
            "AccessArgs",
            "PeopleArgs",
            "ProxyLimitsArgs",
        ),
        "service.preset": ("PresetArgs",),
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
