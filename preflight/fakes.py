"""Computed values shaped like AWS's: unique, deterministic, and never ``None`` by accident."""

from __future__ import annotations

import hashlib
from typing import Any


class Fakes:
    def __init__(self, stack: str) -> None:
        self._stack = stack

    def resource(self, type_: str, name: str, inputs: dict[str, Any], urn: str, *, preview: bool) -> tuple[str, dict[str, Any]]:
        digest = hashlib.sha256(urn.encode()).hexdigest()
        if preview:
            return "", dict(inputs)
        return f"{name}-{digest[:8]}", {"arn": f"arn:aws:fake:eu-west-1:111122223333:{name}-{digest[:8]}", **inputs}

    def call(self, args: Any) -> dict[str, Any]:
        return dict(args.args)
