"""The private search and tool servers that the application calls for a model, as arguments, and as the proxy calls them."""

from collections.abc import Iterator, Mapping
from typing import Self

from pydantic import Field, model_validator

from components.applications.preset import Search, ToolServer
from components.args import Args
from components.models.iam_documents import ModelKeyArgs, ModelUpstreamArgs, UpstreamKind
from components.proxy.settings import ProxySettings, ProxyTool, ProxyUpstream

METHODS = {"searxng": ("GET",), "external": ("POST",), "mcp": ("POST", "DELETE")}
"""Kind of server → what the application requests. MCP's ``GET`` opens a stream that the application does not read; a server may
refuse it, and so may the proxy (https://modelcontextprotocol.io/specification/2025-06-18/basic/transports)."""
SEARCH_KINDS = ("searxng", "external")
SEARCH = "search"
TOOLS = "tools"


class SearchServerArgs(Args):
    """A private search server. Declaring one turns the web search of the interface on."""

    kind: str
    """``searxng``: a SearXNG with its JSON format. ``external``: a server with Open WebUI's own search API."""
    host_name: str
    """The server's DNS name; its certificate must be valid for it."""
    port: int = Field(default=443, ge=1, le=65_535)
    """The server's TCP port."""
    path: str = Field(default="/search", pattern=r"^(/[A-Za-z0-9._~-]{1,64}){1,8}/?$")
    """The only path that the proxy requests there."""
    security_group_id: str = ""
    """The server's security group. The task may connect to this group on this port only. Empty: ``endpoint_service`` is required."""
    endpoint_service: str = ""
    """The endpoint service of a server in another VPC. Empty: ``security_group_id`` is required."""
    ca_certificate: str = ""
    """The PEM certificate of the CA that signed the server's. Empty: a public CA did."""
    api_key: ModelKeyArgs | None = None
    """The server's API key. Omitted: requests have no key."""

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.kind not in SEARCH_KINDS:
            raise ValueError(f"kind {self.kind!r}: use {' or '.join(SEARCH_KINDS)}")
        _ = as_upstream(self)
        return self


class ToolServerArgs(Args):
    """A private tool server with the Model Context Protocol. Every user may select its tools in a chat."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}[a-z0-9]$")
    """Its name in the interface, and the beginning of the names of its tools."""
    host_name: str
    """The server's DNS name; its certificate must be valid for it."""
    port: int = Field(default=443, ge=1, le=65_535)
    """The server's TCP port."""
    path: str = Field(default="/mcp", pattern=r"^(/[A-Za-z0-9._~-]{1,64}){1,8}/?$")
    """The server's endpoint, and the only path that the proxy requests there."""
    security_group_id: str = ""
    """The server's security group. The task may connect to this group on this port only. Empty: ``endpoint_service`` is required."""
    endpoint_service: str = ""
    """The endpoint service of a server in another VPC. Empty: ``security_group_id`` is required."""
    ca_certificate: str = ""
    """The PEM certificate of the CA that signed the server's. Empty: a public CA did."""
    api_key: ModelKeyArgs | None = None
    """The server's API key. Omitted: requests have no key."""

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        _ = as_upstream(self)
        return self


class ToolsArgs(Args):
    """Private servers that the application calls for a model. What a model passes to a tool leaves the environment to their
    owners."""

    search: SearchServerArgs | None = None
    """The search server. Omitted: web search is off."""
    servers: list[ToolServerArgs] = Field(default_factory=list[ToolServerArgs], max_length=20)
    """The tool servers. Omitted: none."""
    timeout_seconds: int = Field(default=60, ge=1, le=300)
    """The maximum duration of a search or a call of a tool. Nothing is tried again: a call may have had an effect."""

    @model_validator(mode="after")
    def _are_named_once(self) -> Self:
        names = [one.name for one in self.servers]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(
                f"servers has {', '.join(twice)} more than once: rename one, because it identifies the server"
            )
        return self

    def declared(self) -> Iterator[SearchServerArgs | ToolServerArgs]:
        """Each declared server."""
        if self.search is not None:
            yield self.search
        yield from self.servers

    def upstreams(self) -> list[ModelUpstreamArgs]:
        """The servers as ``ModelAccess`` and the network need them."""
        return [as_upstream(one) for one in self.declared()]

    def key_secrets(self) -> dict[str, str]:
        """Variable of the proxy → the API key's name."""
        return {key_variable(one): one.api_key.name for one in self.declared() if one.api_key is not None}

    def proxy_tools(self, service_names: Mapping[str, str]) -> tuple[ProxyTool, ...]:
        """The servers as the proxy calls them. ``service_names``: endpoint service → name of its endpoint."""
        return tuple(
            ProxyTool(
                path=_path(one),
                methods=METHODS[one.kind if isinstance(one, SearchServerArgs) else "mcp"],
                upstream=ProxyUpstream(
                    name=SEARCH if isinstance(one, SearchServerArgs) else f"{TOOLS}:{one.name}",
                    host_name=one.host_name,
                    port=one.port,
                    address=service_names[one.endpoint_service] if one.endpoint_service else "",
                    path_prefix=one.path,
                    ca_certificate=one.ca_certificate,
                    api_key_variable=key_variable(one),
                ),
            )
            for one in self.declared()
        )

    def application_search(self) -> Search | None:
        """The search server as the application calls it."""
        return None if self.search is None else Search(kind=self.search.kind, url=_url(self.search))

    def application_servers(self) -> list[ToolServer]:
        """The tool servers as the application calls them."""
        return [ToolServer(name=one.name, url=_url(one)) for one in self.servers]


def as_upstream(server: SearchServerArgs | ToolServerArgs) -> ModelUpstreamArgs:
    """A server as an upstream of kind ``private``. Raises ``ValueError`` unless exactly one way to it is given."""
    if bool(server.security_group_id) == bool(server.endpoint_service):
        raise ValueError(
            "set exactly one of security_group_id (a server in this VPC or a peered one) and endpoint_service"
        )
    return ModelUpstreamArgs(
        kind=UpstreamKind.PRIVATE,
        host_name=server.host_name,
        port=server.port,
        security_group_id=server.security_group_id,
        endpoint_service=server.endpoint_service,
        api_key=server.api_key,
    )


def key_variable(server: SearchServerArgs | ToolServerArgs) -> str:
    """The proxy's environment variable with the server's API key; empty if it has none."""
    if server.api_key is None:
        return ""
    return tool_key_variable(None if isinstance(server, SearchServerArgs) else server.name)


def tool_key_variable(name: str | None) -> str:
    """The variable with the key of a tool server; ``None``: of the search server."""
    return "SEARCH_KEY" if name is None else f"TOOL_KEY_{name.upper().replace('-', '_')}"


def _path(server: SearchServerArgs | ToolServerArgs) -> str:
    """The path on the proxy's loopback listener, of one or two segments. Those of models have at least three."""
    return f"/{SEARCH}" if isinstance(server, SearchServerArgs) else f"/{TOOLS}/{server.name}"


def _url(server: SearchServerArgs | ToolServerArgs) -> str:
    return f"http://127.0.0.1:{ProxySettings.model_port}{_path(server)}"
