"""Documents that a property holds as text: JSON, or YAML with its anchors followed.

Almost any text is YAML: whoever asks has to know that a document is meant.
"""

from __future__ import annotations

import json
from functools import lru_cache

import yaml

from .values import Value

# The C reader takes a tenth of the time; PyYAML is built without it on some machines.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@lru_cache(maxsize=64)
def document(text: str) -> Value:
    """What the text holds, or ``None`` where it is neither. It is shared between callers: never change it.

    A value that is named several times by an anchor is one object in several places.
    """
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return yaml.load(text, Loader=_LOADER)  # noqa: S506 - both are safe loaders
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
