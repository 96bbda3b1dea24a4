"""The private network, and the VPC endpoints through which it reaches AWS."""

from typing import TYPE_CHECKING

from components.lazy import loader

if TYPE_CHECKING:
    from components.network.args import ExistingNetworkArgs, PrivateNetworkArgs
    from components.network.component import PrivateNetwork
    from components.network.endpoints import PrivateEndpoints, PrivateEndpointsArgs
    from components.network.private_services import PrivateServiceArgs

__all__ = [
    "ExistingNetworkArgs",
    "PrivateEndpoints",
    "PrivateEndpointsArgs",
    "PrivateNetwork",
    "PrivateNetworkArgs",
    "PrivateServiceArgs",
]

__getattr__ = loader(
    __name__,
    {
        "args": (
            "ExistingNetworkArgs",
            "PrivateNetworkArgs",
        ),
        "component": ("PrivateNetwork",),
        "endpoints": (
            "PrivateEndpoints",
            "PrivateEndpointsArgs",
        ),
        "private_services": ("PrivateServiceArgs",),
    },
)
