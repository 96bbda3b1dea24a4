"""The KMS key that signs an environment's entries in the record: its public key, and its signatures."""

from __future__ import annotations

import base64
from textwrap import wrap

from preflight.account.actions import declared
from preflight.account.identity import caller
from preflight.account.lines import CannotTellError
from preflight.account.session import Account, AccountError, RefusedError
from releases.attestation import ALGORITHM, alias

CALLS = declared({"kms": ("get_public_key", "sign"), "sts": ("get_caller_identity",)}, {})
_LINE = 64
"""Characters in a line of PEM (RFC 7468)."""


def sign(environment: str, region: str, message: bytes) -> bytes:
    """The signature of a message of at most 4,096 bytes, DER-encoded. Raises ``AccountError`` if KMS does not sign."""
    account = Account(region, CALLS)
    try:
        return account.ask(
            "kms", "sign", KeyId=alias(environment), Message=message, MessageType="RAW", SigningAlgorithm=ALGORITHM
        )["Signature"]
    except (CannotTellError, RefusedError) as error:
        raise AccountError(
            f"KMS does not sign with {alias(environment)}: {_reason(error)}\nfix: run the job in the GitHub environment "
            f"{environment}-record, whose role alone may sign; bootstrap/ creates key and role"
        ) from None


def public_key(environment: str, region: str, expected_account: str) -> str:
    """The public key as PEM. Raises ``AccountError`` if the credentials are not of the account, or there is no key."""
    account = Account(region, CALLS)
    if (found := caller(account)) != expected_account:
        raise AccountError(
            f"the credentials are for account {found}, and {environment} is in {expected_account}.\nfix: use credentials of "
            f"account {expected_account}"
        )
    try:
        answer = account.ask("kms", "get_public_key", KeyId=alias(environment))
    except (CannotTellError, RefusedError) as error:
        raise AccountError(
            f"KMS does not return the public key of {alias(environment)}: {_reason(error)}\nfix: run pulumi up in bootstrap/ "
            "for this account, which creates the key, and use credentials with kms:GetPublicKey"
        ) from None
    encoded = wrap(base64.b64encode(answer["PublicKey"]).decode(), _LINE)
    return "\n".join(["-----BEGIN PUBLIC KEY-----", *encoded, "-----END PUBLIC KEY-----", ""])


def _reason(error: CannotTellError | RefusedError) -> str:
    return error.reason if isinstance(error, CannotTellError) else str(error)
