"""The configuration file: the offered models, the key, and the callback."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .integrations.custom_logger import CustomLogger

EMBEDDINGS = "embeddings"
APIS = ("converse", "invoke", EMBEDDINGS)
_VARIABLE = "os.environ/"
"""Marks a value that is a variable's name."""


@dataclass(frozen=True)
class OfferedModel:
    """One entry of ``model_list``."""

    name: str
    api: str
    """``converse`` or ``invoke``, the route in the name of the model, or ``embeddings``."""
    id: str
    """Bedrock's id."""
    region: str
    endpoint: str
    guardrail: Mapping[str, str] | None
    timeout: float
    stream_timeout: float
    """How long Bedrock may be silent in a stream, in seconds."""


@dataclass(frozen=True)
class ProxyConfiguration:
    """The whole file."""

    models: Mapping[str, OfferedModel]
    key: str
    callbacks: tuple[CustomLogger, ...]

    @classmethod
    def read(cls, file: Path) -> ProxyConfiguration:
        """Read the file. Raises ``LookupError`` or ``ValueError`` for one that does not start the proxy."""
        content: Mapping[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
        models = [_model(one) for one in content["model_list"]]
        named: list[str] = content["litellm_settings"].get("callbacks") or []
        return cls(
            {one.name: one for one in models},
            _value(str(content["general_settings"]["master_key"])),
            tuple(_callback(file.parent, one) for one in named),
        )


def _model(entry: Mapping[str, Any]) -> OfferedModel:
    given: Mapping[str, Any] = entry["litellm_params"]
    provider, _, rest = str(given["model"]).partition("/")
    if entry.get("model_info", {}).get("mode") == "embedding":
        api, identifier = EMBEDDINGS, rest
    else:
        api, _, identifier = rest.partition("/")
    if provider != "bedrock" or api not in APIS or not identifier:
        raise ValueError(
            f"{given['model']}: the stand-in supports bedrock/converse and bedrock/invoke, and models of mode embedding"
        )
    return OfferedModel(
        name=str(entry["model_name"]),
        api=api,
        id=identifier,
        region=_value(str(given["aws_region_name"])),
        endpoint=str(given["aws_bedrock_runtime_endpoint"]),
        guardrail=given.get("guardrailConfig"),
        timeout=float(given["timeout"]),
        stream_timeout=float(given.get("stream_timeout", given["timeout"])),
    )


def _value(text: str) -> str:
    return os.environ[text.removeprefix(_VARIABLE)] if text.startswith(_VARIABLE) else text


def _callback(folder: Path, name: str) -> CustomLogger:
    """``module.object``: a file in the folder of the configuration, and a name in it."""
    module, _, attribute = name.rpartition(".")
    spec = importlib.util.spec_from_file_location(module, folder / f"{module}.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"callback {name}: there is no module {module} in {folder}")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    found = getattr(loaded, attribute)
    if not isinstance(found, CustomLogger):
        raise TypeError(f"callback {name} is not a CustomLogger")
    return found
