"""Alarms on what users feel and on each part, the pages that they send together, saved queries and the dashboard."""

import assembly
from assembly.layers.foundation import Foundation
from assembly.layers.model_services import ModelServices
from assembly.layers.request_path import RequestPath
from components.monitoring import (
    ChangeEvents,
    Dashboard,
    DataAlarms,
    ModelAlarms,
    ObjectiveAlarms,
    Pages,
    ProxyLogAlarms,
    SavedQueries,
    ServiceAlarms,
)
from settings import StackSettings


def monitoring(settings: StackSettings, below: Foundation, path: RequestPath, services: ModelServices) -> Dashboard:
    """Create it; the dashboard shows every alarm."""
    operations = below.operations
    objectives = ObjectiveAlarms("objectives", assembly.objective_alarms(settings, path.edge, operations))
    alarms = {
        "Edge": path.edge_alarms,
        "Proxy": ProxyLogAlarms("proxy-log", assembly.proxy_log_alarms(settings, operations)),
        "Interface": ServiceAlarms("service-alarms", assembly.service_alarms(settings, path.service, operations)),
        "Models": ModelAlarms("model-alarms", assembly.model_alarms(settings, operations)),
        "Data": DataAlarms("state-alarms", assembly.data_alarms(settings, below.data, path.service, operations)),
        **services.alarms,
    }
    shown = {heading: one.alarm_arns for heading, one in alarms.items()}
    shown["Changes"] = ChangeEvents("changes", assembly.change_events(settings, below.data, operations)).alarm_arns
    if path.log_protection:
        shown["Logs"] = path.log_protection.alarm_arns
    SavedQueries(
        "queries",
        assembly.saved_queries(
            settings,
            network=below.network,
            operations=operations,
            data=below.data,
            firewall=path.firewall,
            gateway=below.gateway,
            egress=below.egress,
            synthetic=below.synthetic,
        ),
    )
    paging = [objectives.alarm_names, *(one.alarm_names for one in alarms.values())]
    pages = Pages("pages", assembly.pages(settings, operations, paging))
    return Dashboard(
        "dashboard",
        assembly.dashboard(
            settings, edge=path.edge, firewall=path.firewall, objectives=objectives, pages=pages, alarms=shown
        ),
    )
