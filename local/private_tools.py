"""The answers of private search and tool servers: results about the words of a search, and one tool that repeats its argument.

https://docs.searxng.org/dev/search_api.html and https://modelcontextprotocol.io/specification/2025-06-18/basic/transports
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local.aws.http import Exchange

SEARXNG, EXTERNAL, MCP = "searxng", "external", "mcp"
TOOL = "repeat"
_PAGE = "https://pages.example.com/1"
_OK, _ACCEPTED, _BAD_REQUEST = 200, 202, 400


def serve(exchange: Exchange, kind: str) -> None:
    """Answer one request. The caller has checked host, path and key."""
    request = exchange.request
    try:
        if kind == SEARXNG:
            (words,) = parse_qs(urlsplit(request.target).query)["q"]
            found = {"url": _PAGE, "title": words, "content": f"About {words}", "score": 1}
            exchange.answer_json(_OK, {"query": words, "results": [found]})
        elif kind == EXTERNAL:
            words = str(json.loads(request.body)["query"])
            found = [{"link": _PAGE, "title": words, "snippet": f"About {words}"}]
            exchange.answer(_OK, json.dumps(found).encode(), ("content-type", "application/json"))
        elif request.method == "DELETE":
            exchange.answer(_OK, b"")
        else:
            _message(exchange, json.loads(request.body))
    except (ValueError, LookupError, TypeError) as error:
        exchange.answer_json(_BAD_REQUEST, {"error": f"not a request for {kind}: {type(error).__name__} {error}"})


def _message(exchange: Exchange, message: Mapping[str, Any]) -> None:
    """Answer one message of JSON-RPC; a notification gets no answer."""
    if "id" not in message:
        exchange.answer(_ACCEPTED, b"")
        return
    given: dict[str, Any] = message.get("params") or {}
    arguments: dict[str, Any] = given.get("arguments") or {}
    results: dict[str, Mapping[str, object]] = {
        "initialize": {
            "protocolVersion": given.get("protocolVersion", ""),
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "stand-in", "version": "1"},
        },
        "ping": {},
        "tools/list": {"tools": [_TOOL]},
        "tools/call": {"content": [{"type": "text", "text": str(arguments.get("text"))}]},
    }
    method = str(message["method"])
    content: dict[str, object] = {"jsonrpc": "2.0", "id": message["id"]}
    if method in results:
        content["result"] = results[method]
    else:
        content["error"] = {"code": -32601, "message": f"no method {method}"}
    exchange.answer_json(_OK, content)


_TOOL = {
    "name": TOOL,
    "description": "Repeats a text",
    "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
}
