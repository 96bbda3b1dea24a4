"""The application's way to private search and tool servers: one path of its loopback listener for each.

A server is another team's, and what it returns is text for a model. It gets neither the application's credentials nor the
user's identity, and it cannot send the application elsewhere: followed from inside the task, a redirect would reach the task's
own ports and its credentials.
"""

from typing import Any

from components.proxy.common import json_answer
from components.proxy.model_calls import NEVER_SENT
from components.proxy.settings import ProxySettings, ProxyTool

_REDIRECTS = ("location", "refresh", "uri")
"""Headers by which a client finds the target of a redirect; aiohttp also reads ``URI``."""


def tool_routes(settings: ProxySettings) -> list[dict[str, Any]]:
    """Return each server's route, and 405 for the methods that are not declared."""
    return [route for tool in settings.tools for route in (_route(tool, settings), _refusal(tool))]


def _route(tool: ProxyTool, settings: ProxySettings) -> dict[str, Any]:
    upstream = tool.upstream
    methods = {"name": ":method", "string_match": {"safe_regex": {"regex": "|".join(tool.methods)}}}
    removed = {
        "authorization",
        "cookie",
        *NEVER_SENT,
        *(name.lower() for name in settings.identity.trusted_headers),
        *(name.lower() for name in settings.application.user_headers),
    }
    return {
        "name": upstream.name,
        "match": {"path": tool.path, "headers": [methods]},
        "request_headers_to_remove": sorted(removed),
        "response_headers_to_remove": ["set-cookie", *_REDIRECTS],
        # No retry: a call may have had an effect.
        "route": {
            "cluster": f"server-{upstream.name}",
            "prefix_rewrite": upstream.path_prefix,
            "host_rewrite_literal": upstream.authority,
            "timeout": f"{settings.limits.tool_seconds}s",
        },
    }


def _refusal(tool: ProxyTool) -> dict[str, Any]:
    message = f"Only {' and '.join(tool.methods)} is declared for this server."
    return json_answer("tool-method", {"path": tool.path}, 405, message)
