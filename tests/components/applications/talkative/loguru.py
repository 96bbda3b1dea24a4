"""As much of loguru as Open WebUI and ``private_log`` use: a patcher, and ``diagnose``, which writes the values of variables.

The real one is in the application's image; ``make test-open-webui`` runs it.
"""

import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

Patcher = Callable[[dict[str, Any]], None]


class RecordException(NamedTuple):
    """loguru's."""

    type: type[BaseException]
    value: BaseException
    traceback: Any


class Logger:
    """Writes to stdout."""

    def __init__(self) -> None:
        self._patcher: Patcher | None = None

    def configure(self, *, patcher: Patcher) -> None:
        """As in loguru."""
        self._patcher = patcher

    def log(self, level: str, message: object, exception: BaseException | None = None) -> None:
        """As ``opt(exception=…).log``."""
        raised = exception and RecordException(type(exception), exception, exception.__traceback__)
        record: dict[str, Any] = {"level": level, "message": str(message), "exception": raised}
        if self._patcher:
            self._patcher(record)
        sys.stdout.write(f"{level} | {record['message']}\n")
        if record["exception"]:
            lines = traceback.format_exception(record["exception"].value)
            sys.stdout.write("".join(lines))
            if os.environ.get("LOGURU_DIAGNOSE", "true").lower() == "true":
                for frame, _ in traceback.walk_tb(record["exception"].traceback):
                    sys.stdout.write(f"{frame.f_locals}\n")


logger = Logger()
