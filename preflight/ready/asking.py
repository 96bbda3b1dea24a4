"""What every part of the check is given."""

from __future__ import annotations

from dataclasses import dataclass

from preflight.account import parts
from preflight.account.session import Account
from preflight.ready.outside import Dns, Https
from preflight.ready.wanted import Wanted


@dataclass(frozen=True)
class Asking:
    """The stack's needs, and whom to ask."""

    wanted: Wanted
    account: Account
    dns: Dns
    https: Https
    call_models: bool = True
    """Whether one billed request may be sent to each model."""


Part = parts.Part[Asking]
"""A group of questions of this command."""
