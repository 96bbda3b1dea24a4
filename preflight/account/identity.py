"""The account of a command's credentials."""

from __future__ import annotations

from preflight.account.lines import CannotTellError
from preflight.account.session import Account, AccountError, RefusedError


def caller(account: Account) -> str:
    """Return the account of the credentials. Raises ``AccountError`` (exit code 2) if AWS does not return it."""
    try:
        return str(account.ask("sts", "get_caller_identity")["Account"])
    except CannotTellError as error:
        raise AccountError(
            f"cannot determine the account of these credentials: {error.reason}\nfix: {error.fix}"
        ) from None
    except RefusedError as error:
        raise AccountError(f"cannot determine the account of these credentials: {error}\nfix: log in again") from None
