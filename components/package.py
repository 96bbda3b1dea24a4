"""The components as a package for programs in any Pulumi language."""

import pulumi

from components.data.component import Data
from components.data.uploads import UploadsAccess
from components.edge.component import Edge
from components.egress.component import EgressProxy
from components.egress.identity import EgressIdentity
from components.egress.network import EgressNetwork
from components.gateway.component import GatewayService
from components.gateway.identity import GatewayIdentity
from components.models.component import ModelAccess
from components.models.recording import PromptRecording
from components.monitoring.data import DataAlarms
from components.monitoring.edge_and_service import EdgeAlarms, ServiceAlarms
from components.monitoring.egress import EgressAlarms
from components.monitoring.gateway import GatewayAlarms
from components.monitoring.models import ModelAlarms
from components.monitoring.operations import Operations
from components.network.component import PrivateNetwork
from components.network.endpoints import PrivateEndpoints
from components.service.component import InterfaceService
from components.service.task_identity import WorkloadIdentity
from components.waf.component import Firewall

NAME = "ai-interface"
"""The package's name, which is the first part of every component's type token."""
VERSION = "0.1.0"
"""The project's version, as in ``pyproject.toml``."""
COMPONENTS: list[type[pulumi.ComponentResource]] = [
    Edge,
    EdgeAlarms,
    EgressAlarms,
    EgressIdentity,
    EgressNetwork,
    EgressProxy,
    Firewall,
    GatewayAlarms,
    GatewayIdentity,
    GatewayService,
    InterfaceService,
    ModelAccess,
    ModelAlarms,
    Operations,
    PrivateEndpoints,
    PrivateNetwork,
    PromptRecording,
    ServiceAlarms,
    Data,
    DataAlarms,
    UploadsAccess,
    WorkloadIdentity,
]
"""Every component of the package, sorted by name."""
