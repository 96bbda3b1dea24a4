"""The private search and tool servers of the edits."""

from __future__ import annotations

from tests.settings.stack_files import Values

_GROUP = "sg-0123456789abcdef0"
_SERVICE, OTHER_SERVICE = (f"com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef{number}" for number in (0, 1))
SEARCH: Values = {"kind": "searxng", "hostName": "search.example.com", "securityGroupId": _GROUP}
LINKED_SEARCH: Values = {"kind": "searxng", "hostName": "search.example.com", "endpointService": _SERVICE}
OTHER_SEARCH: Values = {
    "kind": "external",
    "hostName": "other.example.com",
    "port": 9443,
    "securityGroupId": "sg-0123456789abcdef1",
    "caCertificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    "apiKeySecret": "ai-interface/staging/model-key-search",
    "path": "/api/search",
}
"""Another value of each key, one at a time."""
TOOL_SERVERS = [{"name": "wiki", "kind": "mcp", "hostName": "wiki.example.com", "securityGroupId": _GROUP}]

OWN_SERVER = {"kind": "private", "hostName": "llm.internal.example.com", "securityGroupId": "sg-0123456789abcdef0"}
"""A model server in the stack's own network."""
