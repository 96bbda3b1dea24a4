"""The models of the declared base URLs, and their streamed answers."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from . import env
from .auth import User, verified
from .retrieval.vector.factory import VECTORS

TEMPLATE = (
    "### Task:\nRespond to the user query using the provided context.\n\n<context>\n{context}\n</context>\n\n{query}"
)
"""A template in the form of the application's ``RAG_TEMPLATE``."""


@dataclass(frozen=True)
class Model:
    """A model and its base URL."""

    id: str
    url: str
    headers: dict[str, str]
    """Headers of its calls, which may contain the template ``{{USER_AGENT}}``."""


async def available(user: User) -> list[Model]:
    """Return every model of every base URL; none for a user other than an administrator while access control is on."""
    if not env.ENABLE_OPENAI_API or (user.role != "admin" and not env.BYPASS_MODEL_ACCESS_CONTROL):
        return []
    found: list[Model] = []
    async with httpx.AsyncClient(trust_env=False, timeout=env.MODEL_LIST_TIMEOUT) as client:
        for number, url in enumerate(env.OPENAI_API_BASE_URLS):
            headers: dict[str, str] = env.OPENAI_API_CONFIGS.get(str(number), {}).get("headers") or {}
            try:
                answer = await client.get(f"{url}/models")
                answer.raise_for_status()
                found += [Model(str(one["id"]), url, headers) for one in answer.json()["data"]]
            except (httpx.HTTPError, ValueError, KeyError):
                # As in the application, a base URL that does not answer has no models.
                continue
    return found


async def listed(request: Request) -> Response:
    """Return the models for the page."""
    models = await available(await verified(request))
    return JSONResponse(
        {"data": [{"id": one.id, "name": one.id, "object": "model", "owned_by": "openai"} for one in models]}
    )


async def sources(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the chunks of the request's documents that are nearest to its last question."""
    files: list[dict[str, Any]] = body.get("files") or []
    wanted = [str(one["id"]) for one in files if one.get("id")]
    if not wanted:
        return []
    names = [f"file-{one}" for one in wanted]
    found = await run_in_threadpool(VECTORS.search, names, question(body), env.RAG_TOP_K)
    return [{"document": [one["text"]], "metadata": [one["vmetadata"]]} for one in found]


def question(body: dict[str, Any]) -> str:
    """Return the text of the last message."""
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else "\n".join(str(one.get("text", "")) for one in content)


async def stream(user: User, body: dict[str, Any], user_agent: str) -> AsyncGenerator[bytes]:
    """Yield the lines of a server-sent stream as the base URL sends them, preceded by the sources. ``user_agent``: of the request
    that asks for it."""
    model = next((one for one in await available(user) if one.id == body.get("model")), None)
    if model is None:
        raise HTTPException(404, "Model not found")
    found = await sources(body)
    messages = list(body["messages"])
    if found:
        context = "\n".join(f"<source>{one['document'][0]}</source>" for one in found)
        messages[-1] = {"role": "user", "content": TEMPLATE.format(context=context, query=question(body))}
    payload = {**env.MODEL_PARAMETERS, "model": model.id, "messages": messages, "stream": True}
    if env.MODEL_CAPABILITIES.get("usage"):
        payload["stream_options"] = {"include_usage": True}
    headers = {name: value.replace("{{USER_AGENT}}", user_agent) for name, value in model.headers.items()}
    async with (
        httpx.AsyncClient(trust_env=False, timeout=env.CLIENT_TIMEOUT) as client,
        client.stream("POST", f"{model.url}/chat/completions", json=payload, headers=headers) as answer,
    ):
        if answer.is_error:
            text = (await answer.aread()).decode(errors="replace")
            raise HTTPException(answer.status_code, text)
        if found:
            yield f"data: {json.dumps({'sources': found})}\n\n".encode()
        async for part in answer.aiter_raw():
            yield part


def said(line: str) -> str:
    """Return the text in one line of a stream."""
    if not line.startswith("data: {"):
        return ""
    choices: list[dict[str, Any]] = json.loads(line[6:]).get("choices") or [{}]
    delta: dict[str, Any] = choices[0].get("delta") or {}
    return str(delta.get("content") or "")
