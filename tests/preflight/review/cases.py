"""Three pull requests as edits of this project's files: one opens a hole, one only renames, one replaces the database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

Edits = Mapping[str, tuple[tuple[str, str], ...]]
"""File → texts that occur once in it, with their replacements."""

HOLE: Edits = {
    "components/edge/component.py": (
        (
            "        for rule in edge_rules(\n",
            """\
        aws.lb.ListenerRule(
            f"{self._name}-office",
            listener_arn=listener.arn,
            priority=500,
            conditions=[
                {"host_header": {"values": list(args.host_names)}},
                {"path_pattern": {"values": ["/v1/*"]}},
                {"source_ip": {"values": ["203.0.113.0/24"]}},
            ],
            actions=[{"type": "forward", "order": 1, "target_group_arn": targets.arn}],
            tags=self._tags("office"),
            opts=self._child,
        )
        for rule in edge_rules(
""",
        ),
    ),
}
"""The edge forwards a path from an office's network without a log-in."""

RENAME: Edits = {
    "components/edge/component.py": (
        ('            f"{self._name}-balancer",\n', '            f"{self._name}-load-balancer",\n'),
        (
            "opts=pulumi.ResourceOptions(parent=self, depends_on=[writable], protect=not args.allow_deletion),\n",
            "opts=pulumi.ResourceOptions(\n"
            "                parent=self,\n"
            "                depends_on=[writable],\n"
            "                protect=not args.allow_deletion,\n"
            '                aliases=[pulumi.Alias(name=f"{self._name}-balancer")],\n'
            "            ),\n",
        ),
    ),
}
"""The load balancer gets another name in the program, with an alias for the earlier one."""

REPLACEMENT: Edits = {
    "Pulumi.staging.yaml": (
        (
            "  ai-interface:data:\n    database:\n",
            "  ai-interface:data:\n    database:\n      snapshotIdentifier: restore-20261125\n",
        ),
    ),
}
"""The database is restored from a snapshot."""


def apply(folder: Path, edits: Edits) -> None:
    """Make the edits in a copy of the project."""
    for name, pairs in edits.items():
        path = folder / name
        text = path.read_text(encoding="utf-8")
        for old, new in pairs:
            assert text.count(old) == 1, f"{name}: {old!r}"
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
