"""The web ACL in front of the load balancer: rules, limits, logging."""

from typing import TYPE_CHECKING

from components.lazy import loader

if TYPE_CHECKING:
    from components.waf.args import FirewallArgs, FirewallLimitsArgs
    from components.waf.component import Firewall

__all__ = [
    "Firewall",
    "FirewallArgs",
    "FirewallLimitsArgs",
]

__getattr__ = loader(
    __name__,
    {
        "args": (
            "FirewallArgs",
            "FirewallLimitsArgs",
        ),
        "component": ("Firewall",),
    },
)
