"""The user of a model call and the tokens that it used, in the access log.

The application forwards user id and request id in one header (``CALLER``); the counts are read in the last part of the answer. The
answer passes unchanged and is not held back. Nothing is counted in an answer without ``usage``: a stream has it only if the
application asks for it (``stream_options.include_usage``).
"""

from functools import cache
from pathlib import Path
from typing import Any

from components.proxy.common import CALLER, USER, overwrite_header
from components.proxy.lua import compact, with_short_names

_FILTER = "model-calls"
_LUA = "type.googleapis.com/envoy.extensions.filters.http.lua.v3"
TOKENS_IN_THE_LOG = {
    "input_tokens": "%DYNAMIC_METADATA(tokens:input)%",
    "output_tokens": "%DYNAMIC_METADATA(tokens:output)%",
}
"""Fields of the access log. ``null``: the answer had no counts."""
NEVER_SENT = (CALLER, USER)
"""Headers that no model server and no tool server gets."""
UNCOMPRESSED = overwrite_header("accept-encoding", "identity")
"""Part of a route to models: the counts can be read only in an answer that is not compressed."""


def calls_filter(*, disabled: bool = False) -> dict[str, Any]:
    """Return the HTTP filter. ``disabled``: it runs only where ``counted`` enables it."""
    lua = {
        "@type": f"{_LUA}.Lua",
        "default_source_code": {"inline_string": _script()},
        "clear_route_cache": False,
    }
    return {"name": _FILTER, "typed_config": lua, **({"disabled": True} if disabled else {})}


def counted() -> dict[str, Any]:
    """Return the per-route setting that enables a disabled filter."""
    return {
        _FILTER: {
            "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
            "config": {"@type": f"{_LUA}.LuaPerRoute"},
        }
    }


@cache
def _script() -> str:
    source = Path(__file__).with_name("files") / "model_calls.lua"
    (text,) = with_short_names([compact(source.read_text(encoding="utf-8"))], keep=())
    return text
