"""Why a command changed nothing, and what to do."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818 - a refusal is a result, not an error
    """The command changed nothing (exit code 1)."""

    def __init__(self, reason: str, do: str) -> None:
        super().__init__(f"{reason}\n\n{do}")
