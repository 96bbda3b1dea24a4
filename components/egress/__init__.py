"""The egress proxy: an Envoy in separate subnets, which opens tunnels to declared model providers on the internet."""

from typing import TYPE_CHECKING

from components.lazy import loader

if TYPE_CHECKING:
    from components.egress.component import EgressProxy, EgressProxyArgs
    from components.egress.identity import EgressIdentity, EgressIdentityArgs
    from components.egress.network import EgressNetwork, EgressNetworkArgs

__all__ = [
    "EgressIdentity",
    "EgressIdentityArgs",
    "EgressNetwork",
    "EgressNetworkArgs",
    "EgressProxy",
    "EgressProxyArgs",
]

__getattr__ = loader(
    __name__,
    {
        "component": (
            "EgressProxy",
            "EgressProxyArgs",
        ),
        "identity": (
            "EgressIdentity",
            "EgressIdentityArgs",
        ),
        "network": (
            "EgressNetwork",
            "EgressNetworkArgs",
        ),
    },
)
