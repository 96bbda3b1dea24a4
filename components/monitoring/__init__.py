"""Alarms on all parts, the dashboard that shows them, and the shared key, topics and log groups."""

from typing import TYPE_CHECKING

from components.lazy import loader

if TYPE_CHECKING:
    from components.monitoring.changes import ChangeEvents, ChangeEventsArgs
    from components.monitoring.dashboard import Dashboard, DashboardArgs
    from components.monitoring.data import DataAlarms, DataAlarmsArgs
    from components.monitoring.edge_and_service import EdgeAlarms, EdgeAlarmsArgs, ServiceAlarms, ServiceAlarmsArgs
    from components.monitoring.egress import EgressAlarms, EgressAlarmsArgs
    from components.monitoring.gateway import GatewayAlarms, GatewayAlarmsArgs
    from components.monitoring.log_protection import LogProtection, LogProtectionArgs
    from components.monitoring.models import ModelAlarms, ModelAlarmsArgs
    from components.monitoring.objectives import ObjectiveAlarms, ObjectiveAlarmsArgs
    from components.monitoring.operations import Operations, OperationsArgs
    from components.monitoring.pages import Pages, PagesArgs
    from components.monitoring.proxy_log import ProxyLogAlarms, ProxyLogAlarmsArgs
    from components.monitoring.queries import SavedQueries, SavedQueriesArgs
    from components.monitoring.synthetic import SyntheticAlarms, SyntheticAlarmsArgs

__all__ = [
    "ChangeEvents",
    "ChangeEventsArgs",
    "Dashboard",
    "DashboardArgs",
    "DataAlarms",
    "DataAlarmsArgs",
    "EdgeAlarms",
    "EdgeAlarmsArgs",
    "EgressAlarms",
    "EgressAlarmsArgs",
    "GatewayAlarms",
    "GatewayAlarmsArgs",
    "LogProtection",
    "LogProtectionArgs",
    "ModelAlarms",
    "ModelAlarmsArgs",
    "ObjectiveAlarms",
    "ObjectiveAlarmsArgs",
    "Operations",
    "OperationsArgs",
    "Pages",
    "PagesArgs",
    "ProxyLogAlarms",
    "ProxyLogAlarmsArgs",
    "SavedQueries",
    "SavedQueriesArgs",
    "ServiceAlarms",
    "ServiceAlarmsArgs",
    "SyntheticAlarms",
    "SyntheticAlarmsArgs",
]

__getattr__ = loader(
    __name__,
    {
        "changes": (
            "ChangeEvents",
            "ChangeEventsArgs",
        ),
        "dashboard": (
            "Dashboard",
            "DashboardArgs",
        ),
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
        "log_protection": (
            "LogProtection",
            "LogProtectionArgs",
        ),
        "models": (
            "ModelAlarms",
            "ModelAlarmsArgs",
        ),
        "operations": (
            "Operations",
            "OperationsArgs",
        ),
        "objectives": (
            "ObjectiveAlarms",
            "ObjectiveAlarmsArgs",
        ),
        "pages": (
            "Pages",
            "PagesArgs",
        ),
        "proxy_log": (
            "ProxyLogAlarms",
            "ProxyLogAlarmsArgs",
        ),
        "queries": (
            "SavedQueries",
            "SavedQueriesArgs",
        ),
        "synthetic": (
            "SyntheticAlarms",
            "SyntheticAlarmsArgs",
        ),
    },
)
