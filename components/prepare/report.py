"""The log of prepare: one line of JSON for each step, without secrets."""

from __future__ import annotations

import json
import sys
from typing import Any
from urllib.parse import quote, quote_plus

_SECRETS: set[str] = set()


class PrepareError(Exception):
    """The application must not start; the message states the reason and the fix."""


def conceal(secret: str) -> None:
    """Remove this value from everything reported from now on, including its quoted and URL-encoded forms."""
    forms = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]}
    _SECRETS.update(forms, {json.dumps(form)[1:-1] for form in forms})
    _SECRETS.discard("")


def concealed(text: str) -> str:
    """The text without any secret."""
    for secret in sorted(_SECRETS, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def report(event: str, **details: Any) -> None:  # noqa: ANN401 - any JSON value
    """One line of JSON for the container's log."""
    sys.stdout.write(concealed(json.dumps({"event": event, **details}, sort_keys=True)) + "\n")
    sys.stdout.flush()
