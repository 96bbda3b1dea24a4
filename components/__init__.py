"""Reusable components of a production AI interface on AWS.

Each name below is loaded when it is first used, so that taking one component does not pay for the others.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from components.alarms import EdgeAlarms, EdgeAlarmsArgs, ServiceAlarms, ServiceAlarmsArgs
    from components.application import ApplicationArgs
    from components.compute import InterfaceService, InterfaceServiceArgs
    from components.edge import Edge
    from components.edge_args import (
        ClaimFormat,
        EdgeArgs,
        MachineClientsArgs,
        OidcArgs,
        PathsArgs,
        TlsPolicy,
        TokenClaimArgs,
    )
    from components.endpoints import PrivateEndpoints, PrivateEndpointsArgs
    from components.firewall import Firewall
    from components.firewall_args import FirewallArgs, FirewallLimitsArgs
    from components.model_alarms import ModelAlarms, ModelAlarmsArgs
    from components.model_policies import ModelGroupArgs, ModelUpstreamArgs
    from components.model_records import PromptRecording, PromptRecordingArgs
    from components.models import GuardrailArgs, ModelAccess, ModelAccessArgs
    from components.network import PrivateNetwork
    from components.network_args import ExistingNetworkArgs, PrivateNetworkArgs
    from components.operations import Operations, OperationsArgs
    from components.state import State
    from components.state_alarms import StateAlarms, StateAlarmsArgs
    from components.state_args import StateArgs, StateCacheArgs, StateDatabaseArgs, StateUploadsArgs
    from components.state_uploads import UploadsAccess, UploadsAccessArgs
    from components.workload import WorkloadIdentity, WorkloadIdentityArgs

__all__ = [
    "ApplicationArgs",
    "ClaimFormat",
    "Edge",
    "EdgeAlarms",
    "EdgeAlarmsArgs",
    "EdgeArgs",
    "ExistingNetworkArgs",
    "Firewall",
    "FirewallArgs",
    "FirewallLimitsArgs",
    "GuardrailArgs",
    "InterfaceService",
    "InterfaceServiceArgs",
    "MachineClientsArgs",
    "ModelAccess",
    "ModelAccessArgs",
    "ModelAlarms",
    "ModelAlarmsArgs",
    "ModelGroupArgs",
    "ModelUpstreamArgs",
    "OidcArgs",
    "Operations",
    "OperationsArgs",
    "PathsArgs",
    "PrivateEndpoints",
    "PrivateEndpointsArgs",
    "PrivateNetwork",
    "PrivateNetworkArgs",
    "PromptRecording",
    "PromptRecordingArgs",
    "ServiceAlarms",
    "ServiceAlarmsArgs",
    "State",
    "StateAlarms",
    "StateAlarmsArgs",
    "StateArgs",
    "StateCacheArgs",
    "StateDatabaseArgs",
    "StateUploadsArgs",
    "TlsPolicy",
    "TokenClaimArgs",
    "UploadsAccess",
    "UploadsAccessArgs",
    "WorkloadIdentity",
    "WorkloadIdentityArgs",
]

_MODULES = {
    "alarms": ("EdgeAlarms", "EdgeAlarmsArgs", "ServiceAlarms", "ServiceAlarmsArgs"),
    "application": ("ApplicationArgs",),
    "compute": ("InterfaceService", "InterfaceServiceArgs"),
    "edge": ("Edge",),
    "edge_args": (
        "ClaimFormat",
        "EdgeArgs",
        "MachineClientsArgs",
        "OidcArgs",
        "PathsArgs",
        "TlsPolicy",
        "TokenClaimArgs",
    ),
    "endpoints": ("PrivateEndpoints", "PrivateEndpointsArgs"),
    "firewall": ("Firewall",),
    "firewall_args": ("FirewallArgs", "FirewallLimitsArgs"),
    "model_alarms": ("ModelAlarms", "ModelAlarmsArgs"),
    "model_policies": ("ModelGroupArgs", "ModelUpstreamArgs"),
    "model_records": ("PromptRecording", "PromptRecordingArgs"),
    "models": ("GuardrailArgs", "ModelAccess", "ModelAccessArgs"),
    "network": ("PrivateNetwork",),
    "network_args": ("ExistingNetworkArgs", "PrivateNetworkArgs"),
    "operations": ("Operations", "OperationsArgs"),
    "state": ("State",),
    "state_alarms": ("StateAlarms", "StateAlarmsArgs"),
    "state_args": ("StateArgs", "StateCacheArgs", "StateDatabaseArgs", "StateUploadsArgs"),
    "state_uploads": ("UploadsAccess", "UploadsAccessArgs"),
    "workload": ("WorkloadIdentity", "WorkloadIdentityArgs"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
