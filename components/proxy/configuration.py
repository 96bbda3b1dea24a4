"""The proxy in front of the application: generates the Envoy configuration from the settings.

``envoy_configuration`` is a pure function whose result is the whole configuration: the task, the tests and ``python -m
local`` run the same one with the same Envoy version. It contains no secret: the listener's certificate and key, and the API
keys of servers come from environment variables, and the credentials for Bedrock from the task role.

The proxy deliberately does not verify the signature of the load balancer's token, because the private subnets cannot
fetch the keys. The policy pack proves on the network graph that only the load balancer can reach it, and only after a
login. The checks of signer, client, issuer and expiry detect a wrong configuration.
"""

from collections import Counter
from typing import Any

from components.proxy.credentials import model_secrets
from components.proxy.inbound import application_cluster, inbound_listener
from components.proxy.outbound import model_clusters, model_listeners
from components.proxy.process import arguments, overload_manager
from components.proxy.settings import (
    ProxyApplication,
    ProxyIdentity,
    ProxyLimits,
    ProxyLogout,
    ProxyModelGroup,
    ProxyPeople,
    ProxySettings,
    ProxyTool,
    ProxyUpstream,
)

__all__ = [
    "ProxyApplication",
    "ProxyIdentity",
    "ProxyLimits",
    "ProxyLogout",
    "ProxyModelGroup",
    "ProxyPeople",
    "ProxySettings",
    "ProxyTool",
    "ProxyUpstream",
    "envoy_arguments",
    "envoy_configuration",
    "model_arguments",
    "model_configuration",
]


def envoy_configuration(settings: ProxySettings) -> dict[str, Any]:
    """Return Envoy's bootstrap configuration as JSON-compatible data. It is deterministic.

    Raises ``ValueError`` if two groups or two upstreams have the same name, because Envoy would not start.
    """
    return _bootstrap(
        settings,
        [inbound_listener(settings), *model_listeners(settings)],
        [application_cluster(settings), *model_clusters(settings)],
    )


def model_configuration(settings: ProxySettings) -> dict[str, Any]:
    """Return the configuration of only the side that calls models, on loopback: for a task that no one connects to.

    Raises ``ValueError`` like ``envoy_configuration``.
    """
    return _bootstrap(settings, model_listeners(settings), model_clusters(settings))


def _bootstrap(
    settings: ProxySettings, listeners: list[dict[str, Any]], clusters: list[dict[str, Any]]
) -> dict[str, Any]:
    secrets = model_secrets(settings)
    _named_once("listener", listeners)
    _named_once("cluster", clusters)
    return {
        "static_resources": {"listeners": listeners, "clusters": clusters, **({"secrets": secrets} if secrets else {})},
        "bootstrap_extensions": [
            {
                "name": "envoy.bootstrap.internal_listener",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener",
                },
            }
        ],
        "overload_manager": overload_manager(settings.limits.maximum_connections, settings.memory_bytes),
        # Without an admin interface, statistics are not used. Limits, ejection and the log do not need them.
        "stats_config": {"stats_matcher": {"reject_all": True}},
    }


def envoy_arguments(settings: ProxySettings) -> list[str]:
    """Return Envoy's arguments: the container's command, because the image's entry point is Envoy."""
    return arguments(envoy_configuration(settings), settings.workers)


def model_arguments(settings: ProxySettings) -> list[str]:
    """Return Envoy's arguments for ``model_configuration``."""
    return arguments(model_configuration(settings), settings.workers)


def _named_once(kind: str, parts: list[dict[str, Any]]) -> None:
    names = Counter(part["name"] for part in parts)
    if repeated := sorted(name for name, times in names.items() if times > 1):
        raise ValueError(
            f"more than one {kind} in the proxy is named {', '.join(repeated)}: give each model group a unique name, and "
            "each upstream a name that no other upstream of any group has"
        )
