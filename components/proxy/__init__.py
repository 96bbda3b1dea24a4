"""Envoy in each task: its configuration, generated from typed settings."""

from typing import TYPE_CHECKING

from components.lazy import loader

if TYPE_CHECKING:
    from components.proxy.configuration import (
        envoy_arguments,
        envoy_configuration,
        model_arguments,
        model_configuration,
    )
    from components.proxy.settings import (
        ProxyApplication,
        ProxyIdentity,
        ProxyModelGroup,
        ProxyPeople,
        ProxySettings,
        ProxyTool,
        ProxyUpstream,
    )

__all__ = [
    "ProxyApplication",
    "ProxyIdentity",
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

__getattr__ = loader(
    __name__,
    {
        "configuration": (
            "envoy_arguments",
            "envoy_configuration",
            "model_arguments",
            "model_configuration",
        ),
        "settings": (
            "ProxyApplication",
            "ProxyIdentity",
            "ProxyModelGroup",
            "ProxyPeople",
            "ProxySettings",
            "ProxyTool",
            "ProxyUpstream",
        ),
    },
)
