"""Builds the arguments of each component from the settings and a release.

Names and units are translated only here, because components do not import settings. Every function returns arguments;
none creates a resource. Decisions (which paths are offered, which services have an endpoint) are made in the presets
and in the components' tables.
"""

from assembly.common import tags
from assembly.egress import egress_alarms, egress_identity, egress_network, egress_proxy
from assembly.gateway import gateway_alarms, gateway_identity, gateway_service
from assembly.keys import serve_the_deployment
from assembly.private import (
    data,
    data_alarms,
    endpoints,
    model_alarms,
    models,
    network,
    operations,
    prompt_recording,
    uploads_access,
    workload,
)
from assembly.public import edge, edge_alarms, firewall
from assembly.roles import bound_roles
from assembly.task import preset, proxy, service, service_alarms
from assembly.task_size import check_task_size
from assembly.unknown_models import warn_about_unknown_models

__all__ = [
    "bound_roles",
    "check_task_size",
    "data",
    "data_alarms",
    "edge",
    "edge_alarms",
    "egress_alarms",
    "egress_identity",
    "egress_network",
    "egress_proxy",
    "endpoints",
    "firewall",
    "gateway_alarms",
    "gateway_identity",
    "gateway_service",
    "model_alarms",
    "models",
    "network",
    "operations",
    "preset",
    "prompt_recording",
    "proxy",
    "serve_the_deployment",
    "service",
    "service_alarms",
    "tags",
    "uploads_access",
    "warn_about_unknown_models",
    "workload",
]
