"""``preflight due STACK``: record the stack, query the account, print one line for each date that matters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from preflight.account.identity import caller
from preflight.account.lines import Answer, Group, Line
from preflight.account.session import Account
from preflight.due import restores, secrets
from preflight.due.calls import CALLS
from preflight.verify.command import stack_of
from preflight.verify.context import VerifyContext

PARTS = (secrets.PART, restores.PART)


def due(
    root: Path, name: str, *, endpoint_url: str | None = None, strict: bool = False, progress: Callable[[str], None]
) -> Answer:
    """Run the command. Raises ``PreflightError`` if the check could not run."""
    stack = stack_of(root, name)
    account = Account(stack.region, CALLS, endpoint_url=endpoint_url)
    context = VerifyContext(stack, account, dt.datetime.now(dt.UTC))
    return Answer("due", stack.name, stack.account, stack.region, tuple(lines(context, progress)), strict)


def lines(context: VerifyContext, progress: Callable[[str], None] = lambda _: None) -> list[Line]:
    """The lines of every part. If the credentials are for another account, nothing else is asked."""
    found, wanted = caller(context.account), context.stack.account
    said = f"the credentials are those of account {found}"
    said_by = Group("account").holds(
        "account", found == wanted, said, f"log in to account {wanted}; nothing else was checked"
    )
    result = [said_by]
    if said_by.fix:
        return result
    for part in PARTS:
        progress(f"checking {part.name}")
        result += part.lines(context)
    return result
