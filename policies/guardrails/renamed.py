"""Old names of policies: an exception or a configuration with an old name still applies.

``data/renamed.tsv`` lists the old and the current name, separated by a tab. A name that never changed, or that does not
exist, is returned unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import cast

from .data_files import FOLDER


@cache
def renamed() -> Mapping[str, str]:
    """Old name → current name."""
    lines = (FOLDER / "renamed.tsv").read_text(encoding="utf-8").splitlines()
    return dict(cast("tuple[str, str]", tuple(line.split("\t"))) for line in lines if line)


def present_name(name: str) -> str:
    """The current name of the policy."""
    return renamed().get(name, name)


def former_names(name: str) -> list[str]:
    """The earlier names of a policy, sorted."""
    return sorted(former for former, present in renamed().items() if present == name)
