"""The presets by name. Every module in ``components/applications/presets/`` defines one."""

import importlib
import pkgutil

from components.applications import presets
from components.applications.preset import Preset

DEFAULT = "open-webui"
"""The default application of a stack."""


def preset_names() -> list[str]:
    """The allowed values of ``application``, sorted."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(presets.__path__))


def default_preset() -> Preset:
    """The default preset. Omitted component arguments default to this application's values."""
    return find_preset(DEFAULT)


def find_preset(name: str) -> Preset:
    """The preset with this name. Raises ``ValueError`` for an unknown name, and for a module whose preset has a
    different name."""
    if name not in preset_names():
        raise ValueError(f"unknown application {name!r}: use one of {', '.join(preset_names())}")
    module = f"{presets.__name__}.{name.replace('-', '_')}"
    preset = importlib.import_module(module).PRESET
    if not isinstance(preset, Preset) or preset.name != name:
        raise ValueError(f"PRESET in {module} must be a Preset with the name {name!r}")
    return preset
