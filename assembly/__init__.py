"""Builds the arguments of each component from the settings and a release.

Names and units are translated only here, because components do not import settings. Every function returns arguments;
only ``layers`` creates components. Decisions (which paths are offered, which services have an endpoint) are made in the presets
and in the components' tables.
"""

from assembly.alerts import change_events
from assembly.common import tags
from assembly.dashboard import dashboard
from assembly.data import data, data_alarms, uploads_access
from assembly.egress import egress_alarms, egress_identity, egress_network, egress_proxy
from assembly.gateway import gateway_alarms, gateway_identity, gateway_service
from assembly.keys import serve_the_deployment
from assembly.logs import log_protection
from assembly.outputs import egress_outputs, gateway_outputs, outputs, synthetic_outputs
from assembly.private import (
    endpoints,
    model_alarms,
    models,
    network,
    operations,
    prompt_recording,
    workload,
)
from assembly.public import edge, edge_alarms, firewall
from assembly.queries import saved_queries
from assembly.roles import bound_roles
from assembly.signals import objective_alarms, pages, proxy_log_alarms
from assembly.synthetic import (
    synthetic_alarms,
    synthetic_caller,
    synthetic_chat,
    synthetic_client,
    synthetic_identity,
)
from assembly.task import preset, proxy, service, service_alarms
from assembly.task_size import check_task_size
from assembly.unknown_models import warn_about_unknown_models

__all__ = [
    "bound_roles",
    "change_events",
    "check_task_size",
    "dashboard",
    "data",
    "data_alarms",
    "edge",
    "edge_alarms",
    "egress_alarms",
    "egress_identity",
    "egress_network",
    "egress_outputs",
    "egress_proxy",
    "endpoints",
    "firewall",
    "gateway_alarms",
    "gateway_identity",
    "gateway_outputs",
    "gateway_service",
    "log_protection",
    "model_alarms",
    "models",
    "network",
    "objective_alarms",
    "operations",
    "outputs",
    "pages",
    "preset",
    "prompt_recording",
    "proxy",
    "proxy_log_alarms",
    "saved_queries",
    "serve_the_deployment",
    "service",
    "service_alarms",
    "synthetic_alarms",
    "synthetic_caller",
    "synthetic_chat",
    "synthetic_client",
    "synthetic_identity",
    "synthetic_outputs",
    "tags",
    "uploads_access",
    "warn_about_unknown_models",
    "workload",
]
