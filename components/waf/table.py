"""One row of the table of rules, and the checks on the whole table."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import cast

from components.waf.statements import Statement, capacity

CAPACITY_IN_BASE_PRICE = 1500
HIGHEST_CAPACITY = 5000
LONGEST_REGEX = 200
"""WAF's fixed quota for a pattern. The API's length check (512) accepts longer patterns, but AWS then refuses them."""
LONGEST_SEARCH_STRING = 200
FORBIDDEN = "Forbidden"
COUNT_ONLY = "count-only:"
"""The prefix of labels of count-only rules. The log keeps their matches, but not those of labelling rules."""


class Action(StrEnum):
    """The action for requests that match a rule."""

    BLOCK = "block"
    """Block the request with the rule's status and body."""
    COUNT = "count"
    """Count the request, add the rule's labels, and continue."""
    GROUP = "group"
    """The action of the managed group's rule."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row."""

    key: str
    priority: int
    statement: Statement
    action: Action
    status: int = 403
    body: str = FORBIDDEN
    labels: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    reason: str = ""

    @property
    def is_group(self) -> bool:
        """Whether the rule applies a managed rule group."""
        return "managed_rule_group_statement" in self.statement

    @property
    def body_key(self) -> str:
        """The key of the body among the web ACL's custom response bodies."""
        return "forbidden" if self.body == FORBIDDEN else self.key


def observe(rules: Iterable[Rule], count_only: Collection[str]) -> tuple[Rule, ...]:
    """The rules, with the given keys in count mode. Raises ``ValueError`` for an unknown key."""
    rules = tuple(rules)
    known = {rule.key for rule in rules}
    if unknown := sorted(set(count_only) - known):
        raise ValueError(
            f"count_only_rules contains unknown rules: {', '.join(unknown)}; the rules are {', '.join(sorted(known))}"
        )
    return tuple(_counting(rule) if rule.key in count_only else rule for rule in rules)


def _counting(rule: Rule) -> Rule:
    """The rule in count mode. AWS does not allow labels on a rule that applies a rule group; the group's own labels
    remain."""
    labels = () if rule.is_group else (f"{COUNT_ONLY}{rule.key}",)
    return replace(rule, action=Action.COUNT, labels=(*rule.labels, *labels))


def check_table(rules: Iterable[Rule], capacity_limit: int) -> int:
    """The table's capacity. Raises ``ValueError`` if priorities or keys repeat, or if AWS would refuse the table."""
    rules = tuple(rules)
    for what, values in (("priority", [r.priority for r in rules]), ("key", [r.key for r in rules])):
        if len(set(values)) != len(values):
            raise ValueError(f"two WAF rules have the same {what}")
    for rule in rules:
        _check_texts(rule.key, rule.statement)
    total = sum(capacity(rule.statement) for rule in rules)
    if total > capacity_limit:
        raise ValueError(
            f"the WAF rules need {total} capacity units, but {capacity_limit} are allowed "
            f"({CAPACITY_IN_BASE_PRICE} are in the base price, {HIGHEST_CAPACITY} is AWS's limit): "
            "shorten the path lists or raise capacity_limit"
        )
    return total


def _check_texts(key: str, statement: Statement) -> None:
    """AWS's limits on the text in a statement."""
    for name, limit in (("regex_string", LONGEST_REGEX), ("search_string", LONGEST_SEARCH_STRING)):
        for text in _values(statement, name):
            if not 1 <= len(text) <= limit:
                raise ValueError(
                    f"WAF rule {key} compares with {text!r}, which has {len(text)} characters: "
                    f"AWS accepts 1 to {limit}; shorten the path or the list that it comes from"
                )


def _values(node: object, name: str) -> Iterable[str]:
    """Every text under ``name``, at any depth."""
    if isinstance(node, Mapping):
        for key, value in cast("Mapping[str, object]", node).items():
            if key == name and isinstance(value, str):
                yield value
            else:
                yield from _values(value, name)
    elif isinstance(node, list):
        for item in cast("list[object]", node):
            yield from _values(item, name)
