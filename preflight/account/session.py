"""A session on one account that can make only the calls that its command declares.

A call that is not in the command's list is refused before it is sent. So the documented permissions are complete, and
no run changes anything. Calls have a timeout, and a service that has timed out once is not called again.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from preflight.account.lines import CannotTellError
from preflight.errors import PreflightError

CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 4, 20, 3
DENIED = frozenset(
    {"403", "AccessDenied", "AccessDeniedException", "AuthorizationError", "NotAuthorized", "UnauthorizedOperation"}
)
"""Error codes for a missing permission. Services use different codes; a response to HEAD has only a status."""
BAD_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_Found = TypeVar("_Found")
Calls = Mapping[tuple[str, str], tuple[str, ...]]
"""Service and method of boto3 → the IAM actions that the call needs."""


class AccountError(PreflightError):
    """The account cannot be queried (exit code 2)."""


class RefusedError(Exception):
    """AWS returned an error that is not about permissions."""

    def __init__(self, service: str, operation: str, code: str, message: str) -> None:
        super().__init__(f"{service} {operation} returned {code}: {message}")
        self.code = code


def sdk() -> Any:  # noqa: ANN401 - boto3 has no types
    """The boto3 package; ``AccountError`` with the fix if it is not installed."""
    try:
        return importlib.import_module("boto3")
    except ImportError:
        raise AccountError(
            "boto3 is not installed; this command requires it to call AWS.\n"
            "fix: run make setup, or install both optional dependencies: pip install boto3 dnspython"
        ) from None


class Account:
    """Read access to one account in one region."""

    def __init__(self, region: str, calls: Calls, *, endpoint_url: str | None = None, session: Any = None) -> None:  # noqa: ANN401
        self.region = region
        self.made: set[tuple[str, str]] = set()
        """Service and method of every call that was made."""
        self._calls = calls
        self._endpoint_url = endpoint_url
        self._session: Any = session if session is not None else sdk().Session()
        self._clients: dict[tuple[str, str], Any] = {}
        self._silent: dict[tuple[str, str], str] = {}

    def client(self, service: str, region: str = "") -> Any:  # noqa: ANN401
        """The boto3 client of a service. Call it through ``ask``, ``find`` or ``every``."""
        key = (service, region or self.region)
        if key not in self._clients:
            config = importlib.import_module("botocore.config").Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "max_attempts": ATTEMPTS},
            )
            self._clients[key] = self._session.client(
                service, region_name=key[1], endpoint_url=self._endpoint_url, config=config
            )
            if service == "s3control" and (self._endpoint_url or os.environ.get("AWS_ENDPOINT_URL")):
                self._clients[key].meta.events.register("before-sign.s3-control", _one_host)
        return self._clients[key]

    def credentials(self) -> Any:  # noqa: ANN401
        """Frozen credentials, for a request that boto3 has no method for."""
        found = self._session.get_credentials()
        if found is None:
            raise no_credentials()
        return found.get_frozen_credentials()

    def ask(self, service: str, operation: str, region: str = "", **parameters: object) -> dict[str, Any]:
        """Raises ``CannotTellError`` if permission or response is missing, ``RefusedError`` for other errors."""
        return self._sent(service, operation, region, lambda client: getattr(client, operation)(**parameters))

    def find(
        self, service: str, operation: str, absent: tuple[str, ...], region: str = "", **parameters: object
    ) -> dict[str, Any] | None:
        """Make one call. Returns ``None`` if AWS responds with one of the error codes in ``absent``."""
        try:
            return self.ask(service, operation, region, **parameters)
        except RefusedError as error:
            if error.code in absent:
                return None
            raise

    def every(self, service: str, operation: str, key: str, region: str = "", **parameters: object) -> list[Any]:
        """The elements under ``key`` of all pages."""

        def pages(client: Any) -> list[Any]:  # noqa: ANN401
            if not client.can_paginate(operation):
                return list(getattr(client, operation)(**parameters).get(key, []))
            return [
                item for page in client.get_paginator(operation).paginate(**parameters) for item in page.get(key, [])
            ]

        return self._sent(service, operation, region, pages)

    def _sent(self, service: str, operation: str, region: str, send: Callable[[Any], _Found]) -> _Found:
        self.permitted(service, operation)
        exceptions = importlib.import_module("botocore.exceptions")
        place = (service, region or self.region)
        if place in self._silent:
            raise _unanswered(service, self._silent[place])
        self.made.add((service, operation))
        try:
            return send(self.client(service, region))
        except exceptions.ClientError as error:
            raise self.explained(service, operation, error.response.get("Error", {})) from None
        except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.CredentialRetrievalError):
            raise no_credentials() from None
        except exceptions.ParamValidationError as error:
            raise RefusedError(service, operation, "ParamValidation", " ".join(str(error).split())) from None
        except exceptions.BotoCoreError as error:
            reason = " ".join(str(error).split())
            self._silent[place] = reason
            raise _unanswered(service, reason) from None

    def permitted(self, service: str, operation: str) -> tuple[str, ...]:
        """The IAM actions of a declared call; an undeclared call is a bug in this program."""
        if (service, operation) not in self._calls:
            raise AssertionError(f"{service}.{operation} is not among the calls that this command declares")
        return self._calls[service, operation]

    def explained(self, service: str, operation: str, error: Mapping[str, str]) -> Exception:
        """The exception for an error that AWS returned."""
        code, message = str(error.get("Code", "")), " ".join(str(error.get("Message", "")).split())
        if code in DENIED:
            actions = ", ".join(self.permitted(service, operation))
            return CannotTellError(
                f"the credentials are not allowed to make this call ({code})",
                f"grant {actions} to the identity that runs this command",
            )
        if code in BAD_CREDENTIALS:
            return AccountError(
                f"AWS does not accept the credentials ({code}).\nfix: log in again, for example aws sso login"
            )
        return RefusedError(service, operation, code, message)


def _one_host(request: Any, **_: object) -> None:  # noqa: ANN401
    """S3 Control's host names begin with the account id; a given endpoint has one name."""
    request.url = re.sub(r"://\d{12}\.", "://", request.url)


def _unanswered(service: str, reason: str) -> CannotTellError:
    return CannotTellError(
        f"{service} did not answer: {reason}", "run the command from a network that can reach the service's endpoint"
    )


def no_credentials() -> AccountError:
    """The error for missing credentials."""
    return AccountError(
        "no AWS credentials were found.\n"
        "fix: log in to the stack's account, for example aws sso login and AWS_PROFILE; read access is enough"
    )
