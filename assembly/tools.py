"""The search server and the tool servers: for the proxy, which calls them, and for the application, which calls the proxy."""

from collections.abc import Iterable, Iterator, Mapping

from assembly.model_keys import tool_key_variable
from components.applications import Search, ToolServer
from components.proxy import ProxySettings, ProxyTool, ProxyUpstream
from components.service.tools import METHODS
from settings import StackSettings
from settings.models import ModelGroup
from settings.tools import SearchServer
from settings.tools import ToolServer as DeclaredToolServer
from settings.upstreams import PrivateServer, PrivateUpstream


def private_servers(settings: StackSettings) -> Iterator[PrivateServer]:
    """Every declared server of another team: model, search and tool servers."""
    yield from model_servers(settings.models.groups)
    for _, server in settings.tools.located():
        yield server


def model_servers(groups: Iterable[ModelGroup]) -> Iterator[PrivateServer]:
    """The model servers of another team that these groups call."""
    for group in groups:
        for upstream in group.upstreams:
            if isinstance(upstream, PrivateUpstream):
                yield upstream


def proxy_tools(settings: StackSettings, service_names: Mapping[str, str]) -> tuple[ProxyTool, ...]:
    """The servers as the proxy calls them; ``service_names`` is endpoint service → name of its endpoint."""
    return tuple(
        ProxyTool(
            path=_path(server),
            methods=METHODS[server.kind],
            upstream=ProxyUpstream(
                name=_name(server),
                host_name=server.host_name,
                port=server.port,
                address="" if server.endpoint_service is None else service_names[server.endpoint_service],
                path_prefix=server.path,
                ca_certificate=server.ca_certificate or "",
                api_key_variable=tool_key_variable(server),
            ),
        )
        for _, server in settings.tools.located()
    )


def search(settings: StackSettings) -> Search | None:
    """The search server as the application calls it."""
    declared = settings.tools.search
    return None if declared is None else Search(kind=declared.kind, url=_url(declared))


def tool_servers(settings: StackSettings) -> list[ToolServer]:
    """The tool servers as the application calls them."""
    return [ToolServer(name=one.name, url=_url(one)) for one in settings.tools.servers]


def _name(server: SearchServer | DeclaredToolServer) -> str:
    """The cluster's name. No name of a model's upstream looks like it: their last part is a port."""
    return "search" if isinstance(server, SearchServer) else f"tools:{server.name}"


def _path(server: SearchServer | DeclaredToolServer) -> str:
    """The path on the proxy's loopback listener, of one or two segments. Those of models have at least three."""
    return "/search" if isinstance(server, SearchServer) else f"/tools/{server.name}"


def _url(server: SearchServer | DeclaredToolServer) -> str:
    return f"http://127.0.0.1:{ProxySettings.model_port}{_path(server)}"
