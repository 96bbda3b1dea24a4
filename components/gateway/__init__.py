"""The gateway: LiteLLM behind its own Envoy, which translates Chat Completions to Bedrock's own APIs."""

from typing import TYPE_CHECKING

from components.lazy import loader

if TYPE_CHECKING:
    from components.gateway.component import GatewayModelArgs, GatewayService, GatewayServiceArgs
    from components.gateway.identity import GatewayIdentity, GatewayIdentityArgs

__all__ = [
    "GatewayIdentity",
    "GatewayIdentityArgs",
    "GatewayModelArgs",
    "GatewayService",
    "GatewayServiceArgs",
]

__getattr__ = loader(
    __name__,
    {
        "component": (
            "GatewayModelArgs",
            "GatewayService",
            "GatewayServiceArgs",
        ),
        "identity": (
            "GatewayIdentity",
            "GatewayIdentityArgs",
        ),
    },
)
