"""Settings of a stack file that are not in the graph: the application, and the number of users behind one address."""

from __future__ import annotations

from pathlib import Path

import yaml

from components.applications import Preset, default_preset, find_preset, preset_names
from policies.guardrails.topology.graph.values import as_mapping

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "ai-interface:"


def declared(stack: str, *path: str) -> object:
    """The value of a key of the stack file, by its path without the namespace; ``None`` if file or key is absent."""
    file = ROOT / f"Pulumi.{stack}.yaml"
    if not file.is_file():
        return None
    content = as_mapping(yaml.safe_load(file.read_text(encoding="utf-8"))) or {}
    value: object = (as_mapping(content.get("config")) or {}).get(PREFIX + path[0])
    for name in path[1:]:
        value = (as_mapping(value) or {}).get(name)
    return value


def preset_of(stack: str) -> Preset:
    """The preset that the stack file selects; the program itself refuses an unknown one."""
    name = declared(stack, "application")
    return find_preset(name) if isinstance(name, str) and name in preset_names() else default_preset()
