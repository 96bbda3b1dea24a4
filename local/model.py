"""A stand-in for a model server: Chat Completions that repeat the question, word by word."""

from __future__ import annotations

import asyncio
import json
import ssl
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.server import Received, Server, answer

if TYPE_CHECKING:
    from local.certificate import Certificate

_SECONDS_A_WORD = 0.1


def model_server(certificate: Certificate) -> Server:
    """Return a model server that uses TLS with this certificate; start it with ``with``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        context.load_cert_chain(*certificate.write(Path(folder)))
    return Server(_answer, tls=context)


async def _answer(request: Received, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        asked: dict[str, Any] = json.loads(request.body)
        question = str(asked["messages"][-1]["content"])
    except (ValueError, LookupError, TypeError):
        writer.write(answer(400, b'{"error":{"message":"not a chat completion request"}}', _JSON))
        return
    words = f"You said: {question}".split()
    if asked.get("stream"):
        await _stream(writer, str(asked.get("model")), words)
    else:
        message = {"role": "assistant", "content": " ".join(words)}
        whole = _object(str(asked.get("model")), "chat.completion", {"message": message, "finish_reason": "stop"})
        writer.write(answer(200, json.dumps(whole).encode(), _JSON))


async def _stream(writer: asyncio.StreamWriter, model: str, words: list[str]) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    for word in words:
        delta = {"delta": {"content": f"{word} "}, "finish_reason": None}
        _event(writer, json.dumps(_object(model, "chat.completion.chunk", delta)))
        await writer.drain()
        await asyncio.sleep(_SECONDS_A_WORD)
    _event(writer, json.dumps(_object(model, "chat.completion.chunk", {"delta": {}, "finish_reason": "stop"})))
    _event(writer, "[DONE]")
    writer.write(b"0\r\n\r\n")


def _event(writer: asyncio.StreamWriter, data: str) -> None:
    event = f"data: {data}\n\n".encode()
    writer.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")


def _object(model: str, kind: str, choice: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "local",
        "object": kind,
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, **choice}],
    }


_JSON = ("content-type", "application/json")
"""The headers of every complete answer."""
