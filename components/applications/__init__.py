"""The definition of an application behind the proxy, and the presets that describe applications."""

from typing import TYPE_CHECKING

from components.lazy import loader

if TYPE_CHECKING:
    from components.applications.application import ApplicationArgs
    from components.applications.catalogue import default_preset, find_preset, preset_names
    from components.applications.preset import (
        Arrival,
        Deployment,
        Embeddings,
        Paths,
        Preset,
        Search,
        ToolServer,
        TrustedHeaders,
    )

__all__ = [
    "ApplicationArgs",
    "Arrival",
    "Deployment",
    "Embeddings",
    "Paths",
    "Preset",
    "Search",
    "ToolServer",
    "TrustedHeaders",
    "default_preset",
    "find_preset",
    "preset_names",
]

__getattr__ = loader(
    __name__,
    {
        "application": ("ApplicationArgs",),
        "catalogue": ("default_preset", "find_preset", "preset_names"),
        "preset": ("Arrival", "Deployment", "Embeddings", "Paths", "Preset", "Search", "ToolServer", "TrustedHeaders"),
    },
)
