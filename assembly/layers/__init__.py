"""Creates the components of an environment, in four layers, each from the ones before it.

``foundation`` is private: network, roles, data, endpoints. ``request_path`` puts the load balancer, the firewall and the
application on it. ``model_services`` are what only some settings need: gateway, egress proxy, synthetic chat, recorded prompts.
``monitoring`` watches all of them. The arguments come from the other modules of ``assembly``. Logical names are in these four
modules only: a renamed one replaces resources unless it has an alias.
"""

from assembly.layers.foundation import Foundation, foundation
from assembly.layers.model_services import ModelServices, model_services
from assembly.layers.monitoring import monitoring
from assembly.layers.request_path import RequestPath, request_path

__all__ = [
    "Foundation",
    "ModelServices",
    "RequestPath",
    "foundation",
    "model_services",
    "monitoring",
    "request_path",
]
