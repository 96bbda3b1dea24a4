"""The private servers that the application calls on behalf of a model: a web search and tool servers.

They are reached like a private model server, through the proxy in the task. What a model passes to a tool, and what it searches
for, leaves the environment to their owners.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from settings.errors import check, collected
from settings.upstreams import PrivateServer, check_private
from settings.values import Section, Slug, Whole

ToolPath = Annotated[
    str,
    StringConstraints(pattern=r"^(/[A-Za-z0-9._~-]{1,64}){1,8}/?$"),
    Field(
        description="a path without query, for example /mcp",
        json_schema_extra={"fix": "write the part of the server's URL between the host and the question mark"},
    ),
]


class SearchServer(PrivateServer):
    """A private search server. Declaring one turns the web search of the interface on."""

    kind: Literal["searxng", "external"]
    """``searxng``: a SearXNG with its JSON format. ``external``: a server with Open WebUI's own search API (POST with
    ``query`` and ``count``; the answer is a list of ``link``, ``title`` and ``snippet``)."""
    path: ToolPath = "/search"
    """The only path that the proxy requests there."""


class ToolServer(PrivateServer):
    """A private tool server. Every user may select its tools in a chat."""

    name: Slug
    """Its name in the interface, and the beginning of the names of its tools."""
    kind: Literal["mcp"]
    """``mcp``: the Model Context Protocol by streamable HTTP. Open WebUI 0.11.4 gives the tools of OpenAPI servers to models only
    where administrators may also run code in its container (``docs/tools.md``)."""
    path: ToolPath = "/mcp"
    """The server's endpoint, and the only path that the proxy requests there."""


class Tools(Section):
    """Private servers that the interface calls for a model. Omitted: no web search and no tool servers."""

    search: SearchServer | None = None
    """The search server. Omitted: web search is off."""
    servers: tuple[ToolServer, ...] = Field(default=(), max_length=20)
    """The tool servers."""
    timeout_seconds: Whole = Field(default=60, ge=1, le=300)
    """The maximum duration of a search or a call of a tool. Nothing is tried again: a call may have had an effect."""

    def located(self) -> Iterator[tuple[str, SearchServer | ToolServer]]:
        """Each declared server with its key."""
        if self.search is not None:
            yield "tools.search", self.search
        for position, server in enumerate(self.servers):
            yield f"tools.servers[{position}]", server

    @model_validator(mode="after")
    def _complete_and_named_once(self) -> Self:
        names = [one.name for one in self.servers]
        with collected():
            for position, name in enumerate(names):
                check(
                    name not in names[:position],
                    key=f"tools.servers[{position}].name",
                    value=name,
                    allowed="a name that no earlier tool server has: it identifies the server in the interface",
                    fix="rename one of the two",
                )
            for key, server in self.located():
                check_private(server, key)
        return self
