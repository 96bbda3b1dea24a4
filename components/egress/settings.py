"""The egress proxy's settings: the declared hosts, who may call it, and its limits, as plain frozen values.

This module does not depend on Pulumi. The authority is an ``Output`` in the program: build the settings inside one
``apply``.
"""

from dataclasses import dataclass

PORT = 8445
"""The port on which the egress proxy accepts connections from the interface's proxy."""
HTTPS = 443
"""The only port of a provider that can be reached."""
SERVICE = "egress"
"""The ECS service's name, and the container's."""
METRICS_NAMESPACE = "ai-interface/egress"
"""The CloudWatch namespace of refused and failed tunnels, counted in the log."""
CONTAINER_MEMORY_PERCENT = 50
"""The share of the task's memory that the container gets."""
CLIENT_NAME = "proxy.ai-interface.internal"
"""The DNS name in the interface's client certificate, the only one that the egress proxy accepts."""

TUNNEL_SECONDS = 600
"""After this time the interface's proxy starts no further request in a tunnel. A request that is running ends normally."""
TUNNEL_IDLE_SECONDS = 61
"""How much longer than a model a tunnel may be silent, so that the interface's proxy decides first: about a silent model, and
about a connection without a request, which it keeps for 60 seconds."""

NOT_PUBLIC = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/3",
)
"""IPv4 networks that are not the public internet (the IANA IPv4 Special-Purpose Address Registry), multicast and reserved
addresses."""


def host_name(environment: str) -> str:
    """The egress proxy's name in the network. Its domain differs from the gateway's: Cloud Map refuses a second namespace
    with the same name in one VPC."""
    return f"proxy.ai-interface-{environment}-egress.internal"


@dataclass(frozen=True, kw_only=True)
class EgressSettings:
    """All inputs of the egress proxy's configuration."""

    environment: str
    """A field of the log, and so a dimension of the metrics."""
    authorities: tuple[str, ...]
    """The declared destinations, ``host:port``. Every other one is refused."""
    authority: str
    """The certificate (PEM) of the CA that signed the interface's client certificate."""
    refused_networks: tuple[str, ...] = NOT_PUBLIC
    """Addresses to which no tunnel is opened, even if a declared name resolves to one."""
    resolvers: tuple[tuple[str, int], ...] = ()
    """Address and port of DNS servers. Empty: the system's, which is the VPC's resolver with its DNS Firewall."""
    listen_address: str = "0.0.0.0"  # noqa: S104 - the task's own interface; its security group admits one other
    port: int = PORT
    connect_seconds: int = 5
    request_headers_seconds: int = 10
    """The maximum time of a TLS handshake, and of the head of a request."""
    idle_seconds: int = 540 + TUNNEL_IDLE_SECONDS
    """How long a tunnel may be silent in both directions."""
    tunnel_seconds: int = TUNNEL_SECONDS + 600
    """The maximum duration of a tunnel. Must be longer than ``TUNNEL_SECONDS`` plus an answer's deadline; otherwise answers
    are cut."""
    maximum_tunnels: int = 1024
    """The maximum number of concurrent tunnels of one task. A connection above the limit is closed at once."""
    memory_bytes: int = 256 * 1024 * 1024
    """The container's memory."""
