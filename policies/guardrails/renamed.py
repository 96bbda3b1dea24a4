"""Former names of policies, so that an exception or a configuration that was written for one still applies.

``data/renamed.tsv`` holds the former and the present name, separated by a tab. A name that never changed, or that does
not exist, is returned as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import cast

from .data_files import FOLDER


@cache
def renamed() -> Mapping[str, str]:
    """Former name → present name."""
    lines = (FOLDER / "renamed.tsv").read_text(encoding="utf-8").splitlines()
    return dict(cast("tuple[str, str]", tuple(line.split("\t"))) for line in lines if line)


def present_name(name: str) -> str:
    """The name under which the policy is known today."""
    return renamed().get(name, name)


def former_names(name: str) -> list[str]:
    """The former names of a policy, sorted."""
    return sorted(former for former, present in renamed().items() if present == name)
