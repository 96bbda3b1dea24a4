"""Calls of Bedrock: signed with the task's credentials, whole or as a stream of events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote

import botocore.session  # pyright: ignore[reportMissingTypeStubs] - it has none
import httpx
from botocore.auth import SigV4Auth  # pyright: ignore[reportMissingTypeStubs]
from botocore.awsrequest import AWSRequest  # pyright: ignore[reportMissingTypeStubs]
from botocore.eventstream import EventStreamBuffer  # pyright: ignore[reportMissingTypeStubs]

from .configuration import OfferedModel

SERVICE = "bedrock"
_ERRORS = 400
_TIMED_OUT, _UNAVAILABLE = 408, 503
_STATUSES = {"throttlingException": 429, "serviceUnavailableException": 503, "validationException": 400}
"""Statuses of the errors that may follow the beginning of a stream; the others are 500."""


class BedrockError(Exception):
    """An error response of Bedrock, or none at all; ``status`` is what the caller gets."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status, self.kind = status, kind


@dataclass
class SignedCalls:
    """The client of every model."""

    client: httpx.AsyncClient
    _session: Any = field(default_factory=lambda: cast("Any", botocore.session).Session())

    async def call(self, model: OfferedModel, operation: str, body: Mapping[str, Any], more: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
        """Return a whole answer. Raises ``BedrockError``."""
        timeout = httpx.Timeout(model.timeout)
        try:
            request = await self._request(model, operation, body, more, timeout)
            answer = await self.client.send(request)
        except httpx.HTTPError as error:
            raise _unreachable(error) from None
        if answer.status_code >= _ERRORS:
            raise _refused(answer, answer.content)
        return answer.json()

    async def stream(
        self, model: OfferedModel, operation: str, body: Mapping[str, Any], more: Mapping[str, str]
    ) -> AsyncGenerator[tuple[str, Mapping[str, Any]]]:
        """Yield kind and content of each event. Raises ``BedrockError``, also after the first event."""
        timeout = httpx.Timeout(model.timeout, read=model.stream_timeout)
        try:
            request = await self._request(model, operation, body, more, timeout)
            answer = await self.client.send(request, stream=True)
        except httpx.HTTPError as error:
            raise _unreachable(error) from None
        try:
            if answer.status_code >= _ERRORS:
                raise _refused(answer, await answer.aread())
            async for one in _events(answer):
                yield one
        except httpx.HTTPError as error:
            raise _unreachable(error) from None
        finally:
            await answer.aclose()

    async def _request(
        self,
        model: OfferedModel,
        operation: str,
        body: Mapping[str, Any],
        more: Mapping[str, str],
        timeout: httpx.Timeout,
    ) -> httpx.Request:
        url = f"{model.endpoint}/model/{quote(model.id, safe='')}/{operation}"
        content = json.dumps(body)
        request = AWSRequest("POST", url, {"Content-Type": "application/json", **more}, content)
        credentials = await asyncio.to_thread(self._credentials)
        cast("Any", SigV4Auth(credentials, SERVICE, model.region)).add_auth(request)
        headers = dict(cast("Any", request.headers).items())
        return self.client.build_request("POST", url, content=content, headers=headers, timeout=timeout)

    def _credentials(self) -> Any:  # noqa: ANN401 - botocore has no types
        found = self._session.get_credentials()
        if found is None:
            raise BedrockError(401, "AuthenticationError", "the task has no credentials")
        return found.get_frozen_credentials()


async def _events(answer: httpx.Response) -> AsyncGenerator[tuple[str, Mapping[str, Any]]]:
    buffer: Any = EventStreamBuffer()
    async for data in answer.aiter_raw():
        buffer.add_data(data)
        for event in buffer:
            headers: Mapping[str, str] = event.headers
            content: Mapping[str, Any] = json.loads(event.payload or b"{}")
            if headers[":message-type"] != "event":
                kind = headers.get(":exception-type", "internalServerException")
                raise BedrockError(_STATUSES.get(kind, 500), kind, str(content.get("message")))
            yield headers[":event-type"], content


def _refused(answer: httpx.Response, body: bytes) -> BedrockError:
    kind = answer.headers.get("x-amzn-errortype", "BedrockException").partition(":")[0]
    return BedrockError(answer.status_code, kind, f"BedrockException - {body.decode(errors='replace')}")


def _unreachable(error: httpx.HTTPError) -> BedrockError:
    if isinstance(error, httpx.TimeoutException):
        return BedrockError(_TIMED_OUT, "Timeout", "Bedrock sent nothing in time")
    return BedrockError(_UNAVAILABLE, "APIConnectionError", f"Bedrock is not reachable: {type(error).__name__}")
