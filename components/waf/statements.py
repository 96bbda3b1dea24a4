"""Statements of WAFv2 rules in AWS's structure, and the cost of each in web ACL capacity units.

Pure data: a statement is a mapping in the structure that ``aws.wafv2.WebAcl`` accepts. Costs follow AWS's tables ("rule
statement basics"). A text transformation is counted each time it is used, although AWS counts a repeated one once, so
the total is never too low.
"""

from collections.abc import Sequence
from typing import Any

Statement = dict[str, Any]
Field = dict[str, Any]

URI_PATH: Field = {"uri_path": {}}
QUERY_STRING: Field = {"query_string": {}}
METHOD: Field = {"method": {}}
BODY_WINDOW: Field = {"body": {"oversize_handling": "MATCH"}}
"""The first 8,192 bytes, which is all that an ALB passes on. A longer body counts as a match."""
HEADER_WINDOW: Field = {"headers": [{"match_pattern": {"all": {}}, "match_scope": "ALL", "oversize_handling": "MATCH"}]}
"""The first 8,192 bytes and 200 headers; more counts as a match."""

NO_TRANSFORMATION = [{"priority": 0, "type": "NONE"}]
LOWERCASE = [{"priority": 0, "type": "LOWERCASE"}]

TRANSFORMATION_CAPACITY = 10
RATE_CAPACITY, RATE_KEY_CAPACITY = 2, 30
MANAGED_GROUP_CAPACITY = {
    "AWSManagedRulesAmazonIpReputationList": 25,
    "AWSManagedRulesKnownBadInputsRuleSet": 200,
    "AWSManagedRulesCommonRuleSet": 700,
}


def header(name: str) -> Field:
    """One whole header, independent of the length of the others."""
    return {"single_header": {"name": name}}


def header_names() -> Field:
    """Every header's name."""
    return {"headers": [{"match_pattern": {"all": {}}, "match_scope": "KEY", "oversize_handling": "CONTINUE"}]}


def headers_but(*excluded: str) -> Field:
    """Each header's value, except the named ones."""
    return {
        "headers": [
            {
                "match_pattern": {"excluded_headers": sorted(excluded)},
                "match_scope": "VALUE",
                "oversize_handling": "CONTINUE",
            }
        ]
    }


def longer_than(what: Field, size: int) -> Statement:
    """The component has more than ``size`` bytes."""
    return _size(what, "GT", size)


def present(what: Field) -> Statement:
    """The component exists, empty or not."""
    return _size(what, "GE", 0)


def _size(what: Field, operator: str, size: int) -> Statement:
    return {
        "size_constraint_statement": {
            "field_to_match": what,
            "comparison_operator": operator,
            "size": size,
            "text_transformations": NO_TRANSFORMATION,
        }
    }


def starts_with(what: Field, text: str, transformations: list[dict[str, Any]] | None = None) -> Statement:
    """The component starts with ``text``."""
    return _bytes(what, "STARTS_WITH", text, transformations or NO_TRANSFORMATION)


def equals(what: Field, text: str) -> Statement:
    """The component equals ``text``."""
    return _bytes(what, "EXACTLY", text, NO_TRANSFORMATION)


def _bytes(what: Field, constraint: str, text: str, transformations: list[dict[str, Any]]) -> Statement:
    return {
        "byte_match_statement": {
            "field_to_match": what,
            "positional_constraint": constraint,
            "search_string": text,
            "text_transformations": transformations,
        }
    }


def matches(what: Field, regex: str) -> Statement:
    """The component matches ``regex`` somewhere."""
    return {
        "regex_match_statement": {
            "field_to_match": what,
            "regex_string": regex,
            "text_transformations": NO_TRANSFORMATION,
        }
    }


def labelled(key: str) -> Statement:
    """An earlier rule added this label to the request."""
    return {"label_match_statement": {"scope": "LABEL", "key": key}}


def from_networks(ip_set_arn: Any) -> Statement:  # noqa: ANN401 - an ARN, or the output that becomes one
    """The client's address is in the IP set."""
    return {"ip_set_reference_statement": {"arn": ip_set_arn}}


def both(*statements: Statement) -> Statement:
    """All of the statements match."""
    return statements[0] if len(statements) == 1 else {"and_statement": {"statements": list(statements)}}


def either(*statements: Statement) -> Statement:
    """At least one of the statements matches."""
    return statements[0] if len(statements) == 1 else {"or_statement": {"statements": list(statements)}}


def negated(statement: Statement) -> Statement:
    """Not that."""
    return {"not_statement": {"statement": statement}}


def more_often_than(
    limit: int, *, window_seconds: int, cookie: str | None = None, of: Statement | None = None
) -> Statement:
    """More requests than ``limit`` in the window, for one client address or, with ``cookie``, for one value of it."""
    rate: dict[str, Any] = {"limit": limit, "evaluation_window_sec": window_seconds}
    if cookie is None:
        rate["aggregate_key_type"] = "IP"
    else:
        rate["aggregate_key_type"] = "CUSTOM_KEYS"
        rate["custom_keys"] = [{"cookie": {"name": cookie, "text_transformations": NO_TRANSFORMATION}}]
    if of is not None:
        rate["scope_down_statement"] = of
    return {"rate_based_statement": rate}


def managed_group(name: str, counted: Sequence[str]) -> Statement:
    """An AWS managed rule group, in which some rules count (and add a label) instead of blocking."""
    group: dict[str, Any] = {"vendor_name": "AWS", "name": name}
    if counted:  # An empty list would show a difference in every preview.
        group["rule_action_overrides"] = [{"name": rule, "action_to_use": {"count": {}}} for rule in sorted(counted)]
    return {"managed_rule_group_statement": group}


def _transformation_capacity(body: dict[str, Any]) -> int:
    return TRANSFORMATION_CAPACITY * sum(1 for t in body.get("text_transformations", ()) if t["type"] != "NONE")


def capacity(statement: Statement) -> int:
    """The cost of the statement, including nested statements. An unknown type is an error."""
    ((kind, body),) = statement.items()
    if kind == "not_statement":
        return capacity(body["statement"])
    if kind in ("and_statement", "or_statement"):
        return sum(capacity(inner) for inner in body["statements"])
    if kind == "rate_based_statement":
        keys = RATE_KEY_CAPACITY * len(body.get("custom_keys", ()))
        return RATE_CAPACITY + keys + (capacity(body["scope_down_statement"]) if "scope_down_statement" in body else 0)
    if kind == "managed_rule_group_statement":
        return MANAGED_GROUP_CAPACITY[body["name"]]
    base = {
        "ip_set_reference_statement": 1,
        "size_constraint_statement": 1,
        "label_match_statement": 1,
        "regex_match_statement": 3,
    }
    if kind == "byte_match_statement":
        return (10 if body["positional_constraint"].startswith("CONTAINS") else 2) + _transformation_capacity(body)
    return base[kind] + _transformation_capacity(body)
