"""The input of every part of the check."""

from __future__ import annotations

from dataclasses import dataclass

from preflight.account import parts
from preflight.account.session import Account
from preflight.ready.outside import Dns, Https
from preflight.ready.wanted import Wanted


@dataclass(frozen=True)
class ReadyContext:
    """The stack's needs, and the clients that query the account, DNS and the identity provider."""

    wanted: Wanted
    account: Account
    dns: Dns
    https: Https
    call_models: bool = True
    """Whether one billed request may be sent to each model."""


Part = parts.Part[ReadyContext]
"""A group of checks of this command."""
