"""Documents in a property's text: JSON, or YAML with its anchors resolved.

Almost any text is valid YAML, so call this only where a document is expected.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

import yaml

from .resources import Resource
from .values import Unknown, Value, unknowns_in

# The C reader takes a tenth of the time; PyYAML is built without it on some machines.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@lru_cache(maxsize=64)
def document(text: str) -> Value:
    """The parsed text, or ``None`` if it is neither. The result is shared between callers: do not change it.

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


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON document in a property: parsed, not known yet, or unreadable."""

    value: Value = None
    unknown: Unknown | None = None
    """The unknown values: the document, or a value inside a document that is given as an object."""
    unreadable: bool = False

    @property
    def known(self) -> bool:
        """Whether there is a document to check."""
        return self.unknown is None and not self.unreadable and self.value is not None


def document_at(resource: Resource, path: str) -> Document:
    """The JSON document at ``path``, whether it is given as text or as an object, secrets revealed."""
    found = resource.value(path)
    if (unknown := next(unknowns_in(found), None)) is not None:
        return Document(unknown=unknown)
    if isinstance(found, str):
        try:
            return Document(json.loads(found)) if found.strip() else Document()
        except ValueError:
            return Document(unreadable=True)
    return Document(found)
