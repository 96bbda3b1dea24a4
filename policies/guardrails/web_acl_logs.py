"""What the log of a web ACL and its sampled requests leave out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .checks import listed
from .topology.graph.resources import Resource, Unknown
from .topology.graph.values import as_mapping


def redacted(found: list[Any]) -> set[str]:
    """What a list of redacted fields takes out of the log."""
    return {field for item in found for field in _fields(as_mapping(item) or {})}


def _fields(item: Mapping[str, Any]) -> set[str]:
    header = as_mapping(item.get("singleHeader"))
    named = {f"header:{str(header.get('name')).lower()}"} if header is not None else set[str]()
    return named | {key for key in ("queryString", "uriPath", "method") if item.get(key) is not None}


def protected(acl: Resource) -> set[str]:
    """What data protection takes out of logs and samples alike."""
    found: set[str] = set()
    items = acl.items("dataProtectionConfig.dataProtections")
    if isinstance(items, Unknown):
        return found
    for item in items:
        for value in listed((as_mapping(item) or {}).get("field")):
            field = as_mapping(value) or {}
            kind, keys = field.get("fieldType"), listed(field.get("fieldKeys"))
            if kind == "SINGLE_HEADER":
                found |= {f"header:{str(key).lower()}" for key in keys}
            elif kind == "SINGLE_COOKIE" and keys:
                found.add("header:cookie")
            elif kind == "QUERY_STRING":
                found.add("queryString")
    return found
