"""Alarms on all parts, and the shared key, topic and log groups."""

from typing import TYPE_CHECKING

from components.lazy import loader

if TYPE_CHECKING:
    from components.monitoring.data import DataAlarms, DataAlarmsArgs
    from components.monitoring.edge_and_service import EdgeAlarms, EdgeAlarmsArgs, ServiceAlarms, ServiceAlarmsArgs
    from components.monitoring.egress import EgressAlarms, EgressAlarmsArgs
    from components.monitoring.gateway import GatewayAlarms, GatewayAlarmsArgs
    from components.monitoring.models import ModelAlarms, ModelAlarmsArgs
    from components.monitoring.operations import Operations, OperationsArgs

__all__ = [
    "DataAlarms",
    "DataAlarmsArgs",
    "EdgeAlarms",
    "EdgeAlarmsArgs",
    "EgressAlarms",
    "EgressAlarmsArgs",
    "GatewayAlarms",
    "GatewayAlarmsArgs",
    "ModelAlarms",
    "ModelAlarmsArgs",
    "Operations",
    "OperationsArgs",
    "ServiceAlarms",
    "ServiceAlarmsArgs",
]

__getattr__ = loader(
    __name__,
    {
        "data": (
            "DataAlarms",
            "DataAlarmsArgs",
        ),
        "edge_and_service": (
            "EdgeAlarms",
            "EdgeAlarmsArgs",
            "ServiceAlarms",
            "ServiceAlarmsArgs",
        ),
        "egress": (
            "EgressAlarms",
            "EgressAlarmsArgs",
        ),
        "gateway": (
            "GatewayAlarms",
            "GatewayAlarmsArgs",
        ),
        "models": (
            "ModelAlarms",
            "ModelAlarmsArgs",
        ),
        "operations": (
            "Operations",
            "OperationsArgs",
        ),
    },
)
