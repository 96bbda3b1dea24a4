"""The reason why a command made no change, and the fix."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818 - a refusal is a result, not an error
    """The command made no change (exit code 1)."""

    def __init__(self, reason: str, do: str) -> None:
        super().__init__(f"{reason}\n\n{do}")
