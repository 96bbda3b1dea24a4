"""The proxy's program: ``litellm --config FILE --host ADDRESS --port PORT``."""

from __future__ import annotations

import argparse
import contextlib
import hmac
import json
import time
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from . import converse, embed, invoke
from .bedrock import BedrockError, SignedCalls
from .configuration import EMBEDDINGS, OfferedModel, ProxyConfiguration
from .parts import Body, Fragment, InvalidRequestError

APIS: Mapping[str, ModuleType] = {"converse": converse, "invoke": invoke}
_REFUSED = (InvalidRequestError, LookupError, TypeError, ValueError, AttributeError)
"""The errors of a body that is no request of the route."""


@dataclass
class ModelCall:
    """One request for a model. Each callback receives it once."""

    proxy: ProxyConfiguration
    model: OfferedModel
    asked: Body
    started: datetime
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def usage(self) -> dict[str, int]:
        """As Chat Completions states it."""
        known = {"prompt_tokens": self.prompt_tokens, "completion_tokens": self.completion_tokens}
        return {**known, "total_tokens": sum(known.values())}

    async def answered(self) -> None:
        """Tell the callbacks of the answer."""
        known = {"model_group": self.model.name, **self.usage}
        for one in self.proxy.callbacks:
            await one.async_log_success_event({"standard_logging_object": known}, None, self.started, _now())

    async def failed(self, error: BedrockError) -> None:
        """Tell the callbacks of an error."""
        information = {"error_code": str(error.status), "error_class": error.kind}
        known = {"model_group": self.model.name, "error_information": information}
        for one in self.proxy.callbacks:
            await one.async_log_failure_event({"standard_logging_object": known}, None, self.started, _now())


@dataclass
class ChatCall(ModelCall):
    """A chat."""

    @property
    def api(self) -> Any:  # noqa: ANN401 - a module
        """How the model is called."""
        return APIS[self.model.api]

    def request(self) -> tuple[dict[str, Any], dict[str, str]]:
        """Body and headers for Bedrock. A caller's own guardrail replaces the configured one, as in LiteLLM."""
        return self.api.request(self.asked, self.asked.get("guardrailConfig", self.model.guardrail))

    def count(self, fragment: Fragment) -> None:
        """Remember the usage."""
        self.prompt_tokens += fragment.prompt_tokens
        self.completion_tokens += fragment.completion_tokens


@dataclass
class TranslatingProxy:
    """The routes."""

    configuration: ProxyConfiguration
    calls: SignedCalls

    async def alive(self, _request: Request) -> Response:
        """Return 200 while the process responds."""
        return JSONResponse("I'm alive!")

    async def complete(self, request: Request) -> Response:
        """Answer a chat."""
        try:
            call = ChatCall(self.configuration, *await self._asked(request, embeddings=False), _now())
            body, headers = call.request()
        except _RefusedError as refusal:
            return _error(refusal.status, refusal.kind, str(refusal))
        except _REFUSED as problem:
            return _error(400, "invalid_request_error", f"not a chat completion request: {type(problem).__name__}")
        try:
            if call.asked.get("stream"):
                return await self._streamed(call, body, headers)
            return JSONResponse(await self._whole(call, body, headers))
        except BedrockError as error:
            await call.failed(error)
            return _error(error.status, error.kind, f"litellm: {error}")

    async def embed(self, request: Request) -> Response:
        """Return the vector of each text."""
        try:
            call = ModelCall(self.configuration, *await self._asked(request, embeddings=True), _now())
            provider, texts = embed.provider_of(call.model.id), embed.texts_of(call.asked)
        except _RefusedError as refusal:
            return _error(refusal.status, refusal.kind, str(refusal))
        except _REFUSED as problem:
            return _error(400, "invalid_request_error", f"not a request for embeddings: {type(problem).__name__}")
        vectors: list[Sequence[float]] = []
        try:
            for body in provider.bodies(texts):
                answer = provider.read(await self.calls.call(call.model, embed.OPERATION, body, {}))
                vectors += answer.vectors
                call.prompt_tokens += answer.tokens or 0
        except BedrockError as error:
            await call.failed(error)
            return _error(error.status, error.kind, f"litellm: {error}")
        await call.answered()
        data = [{"object": "embedding", "index": at, "embedding": one} for at, one in enumerate(vectors)]
        return JSONResponse({"object": "list", "model": call.model.name, "data": data, "usage": call.usage})

    async def _asked(self, request: Request, *, embeddings: bool) -> tuple[OfferedModel, Body]:
        """The model of a request, and the request. Raises ``_RefusedError``, or an error of ``_REFUSED``."""
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given, self.configuration.key):
            raise _RefusedError(401, "auth_error", "the key is not the proxy's")
        asked: Body = json.loads(await request.body())
        model = self.configuration.models.get(str(asked["model"]))
        if model is None:
            raise _RefusedError(400, "invalid_request_error", "Invalid model name: call /v1/models")
        if (model.api == EMBEDDINGS) is not embeddings:
            raise _RefusedError(400, "invalid_request_error", "the model does not have this operation")
        return model, asked

    async def _whole(self, call: ChatCall, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        answer = await self.calls.call(call.model, call.api.WHOLE, body, headers)
        found: list[Fragment] = call.api.whole(answer)
        for one in found:
            call.count(one)
        tools = [one.tool for one in found if one.tool]
        message: dict[str, Any] = {"role": "assistant", "content": "".join(one.text for one in found) or None}
        if tools:
            message["tool_calls"] = [_tool(one.id, one.name, one.arguments, at) for at, one in enumerate(tools)]
        finish = next(one.finish for one in found if one.finish)
        choice = {"index": 0, "message": message, "finish_reason": finish}
        await call.answered()
        return {**_head("chat.completion", call.model.name), "choices": [choice], "usage": call.usage}

    async def _streamed(self, call: ChatCall, body: dict[str, Any], headers: dict[str, str]) -> Response:
        events = self.calls.stream(call.model, call.api.STREAM, body, headers)
        # The status depends on the first event; without one the answer is an error.
        first = await anext(events, None)
        if first is None:
            raise BedrockError(500, "APIConnectionError", "Bedrock sent an empty stream")
        return StreamingResponse(_lines(call, first, events), media_type="text/event-stream")


async def _lines(
    call: ChatCall, first: tuple[str, Body], events: AsyncGenerator[tuple[str, Body]]
) -> AsyncGenerator[bytes]:
    head, tools, begun = _head("chat.completion.chunk", call.model.name), -1, False

    def delta(content: dict[str, Any], finish: str | None = None) -> bytes:
        role = {} if begun else {"role": "assistant"}
        return _line({**head, "choices": [{"index": 0, "delta": {**role, **content}, "finish_reason": finish}]})

    try:
        async for kind, event in _all(first, events):
            for one in call.api.fragments(kind, event):
                call.count(one)
                if one.text:
                    yield delta({"content": one.text})
                if one.tool:
                    tools += 1
                    yield delta({"tool_calls": [_tool(one.tool.id, one.tool.name, "", tools)]})
                if one.arguments:
                    part = {"index": tools, "function": {"arguments": one.arguments}}
                    yield delta({"tool_calls": [part]})
                if one.finish:
                    yield delta({}, one.finish)
                begun = begun or bool(one.text or one.tool or one.finish)
    except BedrockError as error:
        await call.failed(error)
        yield _line({"error": {"message": f"litellm: {error}", "type": error.kind, "code": str(error.status)}})
        return
    options: Body = call.asked.get("stream_options") or {}
    if options.get("include_usage"):
        yield _line({**head, "choices": [], "usage": call.usage})
    await call.answered()
    yield b"data: [DONE]\n\n"


async def _all(first: tuple[str, Body], events: AsyncGenerator[tuple[str, Body]]) -> AsyncGenerator[tuple[str, Body]]:
    yield first
    async for one in events:
        yield one


def _line(content: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(content)}\n\n".encode()


def _head(kind: str, model: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4()}", "created": int(time.time()), "model": model, "object": kind}


def _tool(identifier: str, name: str, arguments: str, index: int) -> dict[str, Any]:
    return {
        "index": index,
        "id": identifier,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def _error(status: int, kind: str, message: str) -> Response:
    return JSONResponse({"error": {"message": message, "type": kind, "param": None, "code": str(status)}}, status)


class _RefusedError(Exception):
    """A request that is answered without a call of Bedrock."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status, self.kind = status, kind


def _now() -> datetime:
    return datetime.now(UTC)


def application(file: Path) -> Starlette:
    """The routes of a configuration."""
    client = httpx.AsyncClient()
    proxy = TranslatingProxy(ProxyConfiguration.read(file), SignedCalls(client))

    @contextlib.asynccontextmanager
    async def running(_: Starlette) -> AsyncGenerator[None]:
        async with client:
            yield

    return Starlette(
        routes=[
            Route("/health/liveliness", proxy.alive),
            Route("/v1/chat/completions", proxy.complete, methods=["POST"]),
            Route("/v1/embeddings", proxy.embed, methods=["POST"]),
        ],
        lifespan=running,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM, and finish the open answers."""
    parser = argparse.ArgumentParser(prog="litellm")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104 - LiteLLM's default
    parser.add_argument("--port", type=int, default=4000)
    given = parser.parse_args(arguments)
    uvicorn.run(application(given.config), host=given.host, port=given.port, log_level="warning", access_log=False)
