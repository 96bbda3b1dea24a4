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
from components.interface.component import AIInterface
from components.models.component import ModelAccess
from components.models.recording import PromptRecording
from components.monitoring.changes import ChangeEvents
from components.monitoring.dashboard import Dashboard
from components.monitoring.data import DataAlarms
from components.monitoring.edge_and_service import EdgeAlarms, ServiceAlarms
from components.monitoring.egress import EgressAlarms
from components.monitoring.gateway import GatewayAlarms
from components.monitoring.log_protection import LogProtection
from components.monitoring.models import ModelAlarms
from components.monitoring.objectives import ObjectiveAlarms
from components.monitoring.operations import Operations
from components.monitoring.pages import Pages
from components.monitoring.proxy_log import ProxyLogAlarms
from components.monitoring.queries import SavedQueries
from components.monitoring.synthetic import SyntheticAlarms
from components.network.component import PrivateNetwork
from components.network.endpoints import PrivateEndpoints
from components.service.component import InterfaceService
from components.service.task_identity import WorkloadIdentity
from components.synthetic.component import SyntheticChat
from components.synthetic.identity import SyntheticIdentity
from components.waf.component import Firewall

NAME = "ai-interface"
"""The package's name, which is the first part of every component's type token."""
VERSION = "0.1.0"
"""The project's version, as in ``pyproject.toml``."""
COMPONENTS: list[type[pulumi.ComponentResource]] = [
    AIInterface,
    ChangeEvents,
    Dashboard,
    Data,
    DataAlarms,
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
    LogProtection,
    ModelAccess,
    ModelAlarms,
    ObjectiveAlarms,
    Operations,
    Pages,
    PrivateEndpoints,
    PrivateNetwork,
    PromptRecording,
    ProxyLogAlarms,
    SavedQueries,
    ServiceAlarms,
    SyntheticAlarms,
    SyntheticChat,
    SyntheticIdentity,
    UploadsAccess,
    WorkloadIdentity,
]
"""Every component of the package, sorted by name."""
