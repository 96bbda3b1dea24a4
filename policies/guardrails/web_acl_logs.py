"""The fields that are removed from a web ACL's log and its sampled requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .checks import listed
from .topology.graph.resources import Resource, Unknown
from .topology.graph.values import as_mapping


def redacted(found: list[Any]) -> set[str]:
    """The fields that a list of redacted fields removes from the log."""
    return {field for item in found for field in _fields(as_mapping(item) or {})}


def _fields(item: Mapping[str, Any]) -> set[str]:
    header = as_mapping(item.get("singleHeader"))
    named = {f"header:{str(header.get('name')).lower()}"} if header is not None else set[str]()
    return named | {key for key in ("queryString", "uriPath", "method") if item.get(key) is not None}


def protected(acl: Resource) -> set[str]:
    """The fields that data protection removes from both logs and samples."""
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
