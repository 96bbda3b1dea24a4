"""The presets by name. Every module in ``components/applications/presets/`` is one."""

import importlib
import pkgutil

from components.applications import presets
from components.applications.preset import Preset

DEFAULT = "open-webui"
"""The application of a stack that names none."""


def preset_names() -> list[str]:
    """The names that ``application`` may have, sorted."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(presets.__path__))


def default_preset() -> Preset:
    """The preset of a stack that names none; component arguments that are omitted are this application's."""
    return find_preset(DEFAULT)


def find_preset(name: str) -> Preset:
    """The preset of this name. Raises ``ValueError`` for an unknown one, and for a module whose preset is called
    otherwise."""
    if name not in preset_names():
        raise ValueError(f"there is no application {name!r}: there are {', '.join(preset_names())}")
    module = f"{presets.__name__}.{name.replace('-', '_')}"
    preset = importlib.import_module(module).PRESET
    if not isinstance(preset, Preset) or preset.name != name:
        raise ValueError(f"PRESET in {module} must be a Preset with the name {name!r}")
    return preset
