"""Outputs that the provider recomputes when an input changes in place, so they are unknown until the update has run.

Without an entry, an output keeps its value through an update. From the provider's ``CustomizeDiff`` functions.
"""

from __future__ import annotations

COMPUTED_AGAIN: dict[str, dict[str, tuple[str, ...]]] = {
    "aws:elasticache/replicationGroup:ReplicationGroup": {"numCacheClusters": ("memberClusters",)},
}
"""Type → input → outputs. Replication group: the nodes' names depend on their number
(github.com/hashicorp/terraform-provider-aws, internal/service/elasticache/replication_group.go)."""


def computed_again(type_: str, changed: list[str]) -> set[str]:
    """The outputs that are unknown before an update of the inputs ``changed``."""
    by_input = COMPUTED_AGAIN.get(type_, {})
    return {output for name in changed for output in by_input.get(name, ())}
