"""Documents that a property holds as text: JSON, or YAML with its anchors resolved.

Almost any text is valid YAML, so call this only where a document is expected.
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
    """The parsed text, or ``None`` where it is neither. The result is shared between callers: do not change it.

    A value that several aliases refer to is one object in several places.
    """
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return yaml.load(text, Loader=_LOADER)  # noqa: S506 - both are safe loaders
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
