"""What the components are as a package that programs in any of Pulumi's languages consume."""

import pulumi

from components.alarms import EdgeAlarms, ServiceAlarms
from components.compute import InterfaceService
from components.edge import Edge
from components.endpoints import PrivateEndpoints
from components.firewall import Firewall
from components.model_alarms import ModelAlarms
from components.model_records import PromptRecording
from components.models import ModelAccess
from components.network import PrivateNetwork
from components.operations import Operations
from components.state import State
from components.state_alarms import StateAlarms
from components.state_uploads import UploadsAccess
from components.workload import WorkloadIdentity

NAME = "ai-interface"
"""The package's name, and the first part of every component's type token."""
VERSION = "0.1.0"
"""The project's version, as in ``pyproject.toml``."""
COMPONENTS: list[type[pulumi.ComponentResource]] = [
    Edge,
    EdgeAlarms,
    Firewall,
    InterfaceService,
    ModelAccess,
    ModelAlarms,
    Operations,
    PrivateEndpoints,
    PrivateNetwork,
    PromptRecording,
    ServiceAlarms,
    State,
    StateAlarms,
    UploadsAccess,
    WorkloadIdentity,
]
"""Every component that is offered, in the order of their names."""
