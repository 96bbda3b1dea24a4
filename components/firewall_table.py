"""What a row of the firewall's table is, and the checks on the table as a whole."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from components.firewall_statements import Statement, capacity

CAPACITY_IN_BASE_PRICE = 1500
HIGHEST_CAPACITY = 5000
LOWEST_RATE = 10


class Action(StrEnum):
    """What a rule does with a request that it matches."""

    BLOCK = "block"
    """Answer it, with the rule's status and body."""
    COUNT = "count"
    """Count it, put the rule's labels on it, go on."""
    GROUP = "group"
    """Whatever the managed group's own rule says."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row."""

    key: str
    priority: int
    statement: Statement
    action: Action
    status: int = 403
    body: str = "Forbidden"
    labels: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    reason: str = ""


def observe(rules: Iterable[Rule], count_only: Collection[str]) -> tuple[Rule, ...]:
    """The same rules, the named ones counting instead of blocking. A name that no rule has is an error."""
    rules = tuple(rules)
    known = {rule.key for rule in rules}
    if unknown := sorted(set(count_only) - known):
        raise ValueError(
            f"count_only_rules names {', '.join(unknown)}, which no rule has; the rules are {', '.join(sorted(known))}"
        )
    return tuple(replace(rule, action=Action.COUNT) if rule.key in count_only else rule for rule in rules)


def check_table(rules: Iterable[Rule], capacity_limit: int) -> int:
    """The table's capacity, after checking that priorities and keys are distinct and that AWS would take it."""
    rules = tuple(rules)
    for what, values in (("priority", [r.priority for r in rules]), ("key", [r.key for r in rules])):
        if len(set(values)) != len(values):
            raise ValueError(f"two firewall rules have the same {what}")
    total = sum(capacity(rule.statement) for rule in rules)
    if total > capacity_limit:
        raise ValueError(
            f"the firewall's rules need {total} capacity units and {capacity_limit} are allowed "
            f"({CAPACITY_IN_BASE_PRICE} are in the base price, {HIGHEST_CAPACITY} is AWS's limit): "
            "shorten the path lists or raise capacity_limit"
        )
    return total
