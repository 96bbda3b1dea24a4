"""IAM's wildcards: ``*`` stands for any text, ``?`` for one character, and everything else for itself."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=4096)
def _expression(pattern: str, flags: int) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(char) or re.escape(char) for char in pattern), flags | re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern matches a text such as an ARN, case-sensitively."""
    return _expression(pattern, 0).fullmatch(text) is not None


def matches_action(pattern: str, action: str) -> bool:
    """Whether a pattern covers an action, or all actions of another pattern. IAM ignores the case of actions."""
    return _expression(pattern, re.IGNORECASE).fullmatch(action) is not None
