"""The base of callbacks: the proxy calls one of its methods for each call of a model."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any


class CustomLogger:
    """A callback that does nothing."""

    async def async_log_success_event(
        self, kwargs: Mapping[str, Any], response_obj: object, start_time: datetime, end_time: datetime
    ) -> None:
        """After the last byte of an answer."""

    async def async_log_failure_event(
        self, kwargs: Mapping[str, Any], response_obj: object, start_time: datetime, end_time: datetime
    ) -> None:
        """After an error."""
