"""A stand-in for the chat application: it greets the user whom the proxy names, and streams the model's answer."""

from __future__ import annotations

import asyncio
import html
import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from local.server import Received, Server, answer

if TYPE_CHECKING:
    from components.proxy import ProxySettings

_TEXT = ("content-type", "text/plain; charset=utf-8")


def application(settings: ProxySettings) -> Server:
    """Return the application's server on its port; start it with ``with``."""

    async def handle(request: Received, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool | None:
        url = urlsplit(request.target)
        if url.path == settings.application.health_path:
            writer.write(answer(200, b"ok\n", _TEXT))
        elif url.path == "/chat":
            question = parse_qs(url.query).get("q", [request.body.decode(errors="replace") or "nothing"])[0]
            return await _ask(settings, question, writer)
        elif url.path.startswith("/api/v1/files/"):
            writer.write(answer(200, f"received {len(request.body)} bytes\n".encode(), _TEXT))
        else:
            writer.write(answer(200, _page(settings, request).encode(), ("content-type", "text/html; charset=utf-8")))
        return None

    return Server(handle, port=settings.application.port)


def curl_lines(page: str) -> tuple[str, str]:
    """Return a command line that shows the signed-in user, and one that streams an answer from the stand-in for the
    model."""
    return f"curl -s {page}/", f"curl -sN '{page}/chat?q=tell+me+something+long'"


async def _ask(settings: ProxySettings, question: str, writer: asyncio.StreamWriter) -> bool:
    """Ask the first model by the proxy's loopback port and pass its stream on as it comes."""
    group = settings.model_groups[0]
    body = json.dumps(
        {"model": group.models[0], "stream": True, "messages": [{"role": "user", "content": question}]}
    ).encode()
    lines = [f"POST /{group.name}/v1/chat/completions HTTP/1.1", "host: 127.0.0.1", "content-type: application/json"]
    reader, upstream = await asyncio.open_connection("127.0.0.1", settings.model_port)
    upstream.write("\r\n".join([*lines, "connection: close", f"content-length: {len(body)}", "", ""]).encode() + body)
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    upstream.close()
    return False


def _page(settings: ProxySettings, request: Received) -> str:
    identity = settings.identity
    name = unquote(request.value(identity.name_header) or "")
    told = [f"{key}: {request.value(key)}" for key in identity.trusted_headers]
    return (
        f"<!doctype html><title>Stand-in</title><h1>Hello {html.escape(name)}</h1>"
        f"<pre>{html.escape(chr(10).join(told))}</pre>"
        '<form action="/chat"><input name="q" value="How are you?"><button>Ask</button></form>'
        '<a href="/logout">Sign out</a>\n'
    )
