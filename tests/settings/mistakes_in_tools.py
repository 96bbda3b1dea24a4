"""The table of mistakes, continued: the private search server and the tool servers."""

from __future__ import annotations

from typing import Any

from settings.errors import NOT_SET
from tests.settings.mistakes import UNKNOWN, row
from tests.settings.stack_files import Values

GROUP = "sg-0123456789abcdef0"
SEARCH: Values = {"kind": "searxng", "hostName": "search.example.com", "securityGroupId": GROUP}
WIKI: Values = {"name": "wiki", "kind": "mcp", "hostName": "wiki.example.com", "securityGroupId": GROUP}
_PATH_FIX = "write the part of the server's URL between the host and the question mark"


def _search(**changes: object) -> dict[str, Any]:
    return {"tools": {"search": {**SEARCH, **changes}}}


def _servers(*changes: Values) -> dict[str, Any]:
    return {"tools": {"servers": [{**WIKI, **one} for one in changes]}}


TOOL_ROWS = [
    row(
        "an unknown key of tools",
        {"tools": {"server": []}},
        ("tools.server", UNKNOWN, "did you mean servers? Otherwise remove the key"),
    ),
    row(
        "a search server without a way to it",
        _search(securityGroupId=None),
        ("tools.search.securityGroupId", NOT_SET, "set tools.search.securityGroupId or tools.search.endpointService"),
    ),
    row(
        "a public CA for a name of a tool server that is not public",
        _servers({"hostName": "wiki.example.internal"}),
        (
            "tools.servers[0].caCertificate",
            NOT_SET,
            "paste your CA's certificate below the key, after a |",
        ),
    ),
    row(
        "a search engine of another kind",
        _search(kind="brave"),
        ("tools.search.kind", '"brave"', "choose one of these"),
    ),
    row(
        "a tool server by OpenAPI",
        _servers({"kind": "openapi"}),
        ("tools.servers[0].kind", '"openapi"', "choose one of these"),
    ),
    row(
        "a path with a query",
        _search(path="/search?q=<query>"),
        ("tools.search.path", '"/search?q=<query>"', _PATH_FIX),
    ),
    row(
        "two tool servers of one name",
        _servers({}, {"hostName": "other.example.com"}),
        ("tools.servers[1].name", "wiki", "rename one of the two"),
    ),
    row(
        "a tool server that is the interface",
        _servers({"hostName": "chat.staging.example.com"}),
        ("tools.servers[0].hostName", "chat.staging.example.com", "set the host name of the server"),
    ),
    row(
        "the client secret as the key of the search server",
        _search(apiKeySecret="ai-interface/staging/oidc-client-secret"),
        (
            "tools.search.apiKeySecret",
            "ai-interface/staging/oidc-client-secret",
            "write the name of the secret with the server's API key",
        ),
    ),
    row(
        "a tool server on the port of the tasks",
        _servers({"port": 8443}),
        (
            "tools.servers[0].port",
            "8443",
            "have the server, or the endpoint service, listen on another port, for example 443",
        ),
    ),
    row(
        "a tool server on the port of the database",
        _servers({"port": 5432}),
        ("tools.servers[0].port", "5432", "run the server on another port, for example 443"),
    ),
    row(
        "more ports of tool servers than a network ACL has room for",
        _servers(*({"name": f"wiki-{port}", "port": port} for port in range(8001, 8007))),
        (
            "models.groups",
            "servers on the ports 8001, 8002, 8003, 8004, 8005, 8006",
            "run some of the servers on the same port, for example 443",
        ),
    ),
    row(
        "a call that may take longer than the application waits",
        {"tools": {"timeoutSeconds": 301}},
        ("tools.timeoutSeconds", "301", "set it to 300 or less"),
    ),
]
