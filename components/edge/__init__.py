"""The load balancer that terminates TLS, requires a login and forwards only declared paths."""

from typing import TYPE_CHECKING

from components.lazy import loader

if TYPE_CHECKING:
    from components.edge.args import (
        ClaimFormat,
        EdgeArgs,
        MachineClientsArgs,
        OidcArgs,
        PathsArgs,
        TlsPolicy,
        TokenClaimArgs,
    )
    from components.edge.component import Edge

__all__ = [
    "ClaimFormat",
    "Edge",
    "EdgeArgs",
    "MachineClientsArgs",
    "OidcArgs",
    "PathsArgs",
    "TlsPolicy",
    "TokenClaimArgs",
]

__getattr__ = loader(
    __name__,
    {
        "args": (
            "ClaimFormat",
            "EdgeArgs",
            "MachineClientsArgs",
            "OidcArgs",
            "PathsArgs",
            "TlsPolicy",
            "TokenClaimArgs",
        ),
        "component": ("Edge",),
    },
)
