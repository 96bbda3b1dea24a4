"""What an application behind the proxy is, and the presets that describe one."""

from typing import TYPE_CHECKING

from components.lazy import loader

if TYPE_CHECKING:
    from components.applications.application import ApplicationArgs
    from components.applications.presets import OpenWebuiSettings, Preset, TrustedHeaders, open_webui

__all__ = [
    "ApplicationArgs",
    "OpenWebuiSettings",
    "Preset",
    "TrustedHeaders",
    "open_webui",
]

__getattr__ = loader(
    __name__,
    {
        "application": ("ApplicationArgs",),
        "presets": (
            "OpenWebuiSettings",
            "Preset",
            "TrustedHeaders",
            "open_webui",
        ),
    },
)
