"""The outcome of a web ACL for one request: its rules by priority, as AWS evaluates them for a load balancer.

A statement matches, does not match, or cannot be evaluated for a sample request (``None``): then the outcome is not
proven. Managed rule groups match only the attacks that the sample request is marked as resembling.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..graph.resources import Graph, Resource
from ..graph.values import Unknown, as_list, as_mapping
from ..http.requests import Outcome, Request, Result, Trail
from ..network.addresses import parse
from .match_fields import Part, parts, transformed

Match = bool | None
_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "EQ": lambda left, right: left == right,
    "NE": lambda left, right: left != right,
    "LE": lambda left, right: left <= right,
    "LT": lambda left, right: left < right,
    "GE": lambda left, right: left >= right,
    "GT": lambda left, right: left > right,
}
_CHALLENGES = {"captcha": 405, "challenge": 202}


def holds_client(request: Request, blocks: Iterable[str]) -> Match:
    """Whether the client's address is in one of the blocks; unknown if an entry is not a block."""
    client = parse(request.client)
    found = [parse(block) for block in blocks]
    return None if client is None or None in found else any(block & client for block in found if block is not None)


def every(matches: Iterable[Match]) -> Match:
    """True if all are true, false if one is false, otherwise unknown."""
    found = list(matches)
    return False if False in found else None if None in found else True


def either(matches: Iterable[Match]) -> Match:
    """True if one is true, unknown if one is unknown."""
    found = list(matches)
    return True if True in found else None if None in found else False


class WebAcl:
    """A web ACL with its inline rules and separately declared ones."""

    def __init__(self, graph: Graph, acl: Resource) -> None:
        self.graph = graph
        self.acl = acl
        self.unreadable = isinstance(acl.items("rules"), Unknown)
        self.rules = sorted(self._rules(), key=lambda item: item[0])
        self._holder = (acl, "rules")
        self._evaluators = self._by_kind()

    def _rules(self) -> list[tuple[float, str, Resource, str, dict[str, Any]]]:
        found: list[tuple[float, str, Resource, str, dict[str, Any]]] = []
        declared = self.acl.items("rules")
        for index, item in enumerate([] if isinstance(declared, Unknown) else declared):
            if (rule := as_mapping(item)) is not None:
                found.append((_number(rule.get("priority")), str(rule.get("name")), self.acl, f"rules[{index}]", rule))
        for resource in self.graph.of_type("wafv2.WebAclRule"):
            if self.acl in self.graph.referenced(resource, "webAclArn", types=("wafv2.WebAcl",)).resources:
                rule = {key: resource.value(key) for key in resource.properties}
                found.append(
                    (_number(rule.get("priority")), str(rule.get("name") or resource.name), resource, "", rule)
                )
        return found

    def evaluate(self, trail: Trail) -> Outcome | None:
        """The outcome if the web ACL responds itself; ``None`` if it lets the request pass."""
        if self.unreadable:
            trail.unknowns.append(f"{self.acl.label}.rules")
        for _, name, resource, path, rule in self.rules:
            self._holder = (resource, "rules" if resource is self.acl else "statement")
            matched, ended = self._apply(trail, name, rule)
            if matched is None:
                trail.unknowns.append(f"{resource.label}.{path or 'statement'} ({name})")
            if ended is not None:
                status, what = ended
                trail.note(resource, path, f"{name} {what}")
                if status:
                    return trail.end(Result.ANSWERED, status, name)
                return None
        if self.acl.value("defaultAction.block") is not None:
            trail.note(self.acl, "defaultAction", "blocks by default")
            status = self.acl.value("defaultAction.block.customResponse.responseCode")
            return trail.end(Result.ANSWERED, int(status) if isinstance(status, int | float) else 403, "default action")
        trail.note(self.acl, "defaultAction", "no rule blocks")
        return None

    def _apply(self, trail: Trail, name: str, rule: dict[str, Any]) -> tuple[Match, tuple[int, str] | None]:
        """Whether a rule matches, and how it ends the request (status 0: it is allowed immediately)."""
        statement = as_mapping(rule.get("statement")) or {}
        group = as_mapping(statement.get("managedRuleGroupStatement"))
        if group is not None:
            return self._managed(trail, rule, group)
        matched = self.matches(trail, name, statement)
        if matched is not True:
            return matched, None
        trail.labels.update(
            str((as_mapping(label) or {}).get("name")) for label in as_list(rule.get("ruleLabels")) or []
        )
        return True, _ended(as_mapping(rule.get("action")) or {})

    def _managed(
        self, trail: Trail, rule: dict[str, Any], group: dict[str, Any]
    ) -> tuple[Match, tuple[int, str] | None]:
        counted = {
            str(override.get("name"))
            for item in as_list(group.get("ruleActionOverrides")) or []
            if (override := as_mapping(item)) is not None and "count" in (as_mapping(override.get("actionToUse")) or {})
        }
        wholly = (as_mapping(rule.get("overrideAction")) or {}).get("count") is not None
        named = str(group.get("name"))
        for threat in sorted(trail.request.threats):
            owner, _, threat_rule = threat.rpartition(":")
            if owner and owner != named:
                continue
            trail.labels.add(managed_label(named, threat_rule))
            if threat_rule not in counted and not wholly:
                return True, (403, f"blocks: {named} {threat_rule}")
        return False, None

    def matches(self, trail: Trail, name: str, statement: dict[str, Any]) -> Match:
        """Whether a statement matches the request."""
        kinds = [key for key, value in sorted(statement.items()) if value is not None]
        if len(kinds) != 1:
            return None
        body = as_mapping(statement[kinds[0]])
        evaluate = self._evaluators.get(kinds[0])
        return evaluate(trail, name, body) if evaluate is not None and body is not None else None

    def _by_kind(self) -> dict[str, Callable[[Trail, str, dict[str, Any]], Match]]:
        return {
            "andStatement": lambda trail, name, body: every(self._parts(trail, name, body)),
            "orStatement": lambda trail, name, body: either(self._parts(trail, name, body)),
            "notStatement": self._not,
            "byteMatchStatement": lambda trail, _, body: _on_fields(trail.request, body, _byte_match),
            "regexMatchStatement": lambda trail, _, body: _on_fields(trail.request, body, _regex_match),
            "sizeConstraintStatement": lambda trail, _, body: _on_fields(trail.request, body, _size_match, sizes=True),
            "labelMatchStatement": lambda trail, _, body: _label_match(trail, body),
            "rateBasedStatement": self._rate,
            "ipSetReferenceStatement": lambda trail, _, body: self._ip_set(trail.request, body),
            "regexPatternSetReferenceStatement": lambda trail, _, body: self._pattern_set(trail.request, body),
        }

    def _parts(self, trail: Trail, name: str, body: dict[str, Any]) -> list[Match]:
        items = as_list(body.get("statements"))
        return [self.matches(trail, name, as_mapping(item) or {}) for item in items] if items else [None]

    def _not(self, trail: Trail, name: str, body: dict[str, Any]) -> Match:
        inner = body.get("statement")
        matched = self.matches(trail, name, as_mapping((as_list(inner) or [inner])[0]) or {})
        return None if matched is None else not matched

    def _rate(self, trail: Trail, name: str, body: dict[str, Any]) -> Match:
        if name not in trail.request.exceeds or not _has_keys(trail.request, as_list(body.get("customKeys")) or ()):
            return False
        scope = as_mapping(body.get("scopeDownStatement"))
        return True if scope is None else self.matches(trail, name, scope)

    def _named(self, body: dict[str, Any], kind: str) -> Resource | None:
        """The set that a statement refers to, when it is of this stack."""
        holder, path = self._holder
        found = self.graph.referenced(holder, path, types=(kind,), value=body.get("arn"))
        return found.resources[0] if len(found.resources) == 1 else None

    def _ip_set(self, request: Request, body: dict[str, Any]) -> Match:
        ip_set = self._named(body, "wafv2.IpSet")
        addresses = ip_set.items("addresses") if ip_set is not None else Unknown()
        if isinstance(addresses, Unknown) or any(not isinstance(item, str) for item in addresses):
            return None
        return holds_client(request, addresses)

    def _pattern_set(self, request: Request, body: dict[str, Any]) -> Match:
        pattern_set = self._named(body, "wafv2.RegexPatternSet")
        patterns = pattern_set.items("regularExpressions") if pattern_set is not None else Unknown()
        if isinstance(patterns, Unknown):
            return None
        texts = [(as_mapping(item) or {}).get("regexString") for item in patterns]
        return either(_on_fields(request, {**body, "regexString": text}, _regex_match) for text in texts)


def _has_keys(request: Request, keys: Sequence[Any]) -> bool:
    """Whether the request has the key that a rate rule counts by: a request without it is never counted."""
    cookies = {name for name, _ in request.cookies}
    session = request.identity is not None and not request.identity.token
    for item in keys:
        key = as_mapping(item) or {}
        cookie, header = as_mapping(key.get("cookie")), as_mapping(key.get("header"))
        # A logged-in user sends the load balancer's session, shard by shard.
        if cookie is not None and cookie.get("name") not in cookies and not (session and _is_shard(cookie)):
            return False
        if header is not None and request.header(str(header.get("name"))) is None:
            return False
    return True


def _is_shard(cookie: Mapping[str, Any]) -> bool:
    return str(cookie.get("name")).endswith("-0")


def _number(value: Any) -> float:  # noqa: ANN401 (a property of any type)
    return float(value) if isinstance(value, int | float) else 0.0


def _ended(action: dict[str, Any]) -> tuple[int, str] | None:
    if action.get("allow") is not None:
        return 0, "allows it"
    if (block := as_mapping(action.get("block"))) is not None:
        custom = as_mapping(block.get("customResponse")) or {}
        code = custom.get("responseCode")
        return (int(code) if isinstance(code, int | float) else 403), "blocks"
    for name, status in _CHALLENGES.items():
        if action.get(name) is not None:
            return status, f"presents a {name}"
    return None


_SPELLED = {"QUERYARGUMENTS": "QueryArguments", "QUERYSTRING": "QueryString", "URIPATH": "URIPath"}
"""The part of a request in the name of a managed rule → in its label. Comparisons of labels are case-sensitive."""


def managed_label(group: str, rule: str) -> str:
    """The label that a rule of an AWS-managed group sets, in AWS's spelling."""
    known = {
        "AWSManagedRulesCommonRuleSet": "core-rule-set",
        "AWSManagedRulesKnownBadInputsRuleSet": "known-bad-inputs",
        "AWSManagedRulesAmazonIpReputationList": "amazon-ip-list",
        "AWSManagedRulesAnonymousIpList": "anonymous-ip-list",
    }
    name, separator, suffix = rule.rpartition("_")
    spelled = f"{name}_{_SPELLED.get(suffix, suffix.capitalize())}" if separator and suffix.isupper() else rule
    return f"awswaf:managed:aws:{known.get(group, group)}:{spelled}"


def _label_match(trail: Trail, body: dict[str, Any]) -> Match:
    key = body.get("key")
    if not isinstance(key, str):
        return None
    if body.get("scope") == "NAMESPACE":
        return any(label.startswith(key) for label in trail.labels)
    return any(label == key or label.endswith(f":{key}") for label in trail.labels)


def _on_fields(
    request: Request,
    body: dict[str, Any],
    evaluate: Callable[[dict[str, Any], str, int], Match],
    *,
    sizes: bool = False,
) -> Match:
    """Evaluate the parts of the request that the statement names; a missing part does not match."""
    field = as_mapping(body.get("fieldToMatch"))
    found = parts(request, field) if field is not None else None
    if found is None:
        return None
    if isinstance(found, bool):
        return found
    results: list[Match] = []
    for part in found:
        text = part.text if sizes and part.size != len(part.text.encode()) else transformed(part.text, body)
        if text is None:
            return None
        results.append(evaluate(body, text, _size(part, text, sizes=sizes)))
    return either(results)


def _size(part: Part, text: str, *, sizes: bool) -> int:
    return part.size if sizes and part.size != len(part.text.encode()) else len(text.encode())


def _byte_match(body: dict[str, Any], text: str, _: int) -> Match:
    wanted, how = body.get("searchString"), body.get("positionalConstraint")
    if not isinstance(wanted, str) or not isinstance(how, str):
        return None
    if how == "CONTAINS_WORD":
        return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", text) is not None
    return {
        "EXACTLY": text == wanted,
        "STARTS_WITH": text.startswith(wanted),
        "ENDS_WITH": text.endswith(wanted),
        "CONTAINS": wanted in text,
    }.get(how)


def _regex_match(body: dict[str, Any], text: str, _: int) -> Match:
    pattern = body.get("regexString")
    if not isinstance(pattern, str):
        return None
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return None


def _size_match(body: dict[str, Any], _: str, size: int) -> Match:
    compare, limit = _COMPARISONS.get(str(body.get("comparisonOperator"))), body.get("size")
    return compare(size, int(limit)) if compare is not None and isinstance(limit, int | float) else None
