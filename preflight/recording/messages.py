"""The messages that a program logs while it is recorded."""

from __future__ import annotations

import logging


class Messages(logging.Handler):
    """Keeps the warnings and errors in a list."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        """Add the message with its level."""
        self._messages.append(f"{record.levelname.lower()}: {record.getMessage()}")
