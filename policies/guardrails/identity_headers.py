"""The headers in which a load balancer sends a user's identity to its targets, and whether a stack uses them."""

from __future__ import annotations

from .topology.graph.resources import Graph, Unknown

HEADERS = ("x-amzn-oidc-accesstoken", "x-amzn-oidc-data", "x-amzn-oidc-identity")


def logs_in(graph: Graph) -> bool:
    """Whether a listener or a rule of the stack authenticates users."""
    for resource, path in [(rule, "actions") for rule in graph.of_type("lb.ListenerRule")] + [
        (listener, "defaultActions") for listener in graph.of_type("lb.Listener")
    ]:
        actions = resource.items(path)
        if isinstance(actions, Unknown):
            return True
        if any(str(resource.value(f"{path}[{i}].type")).startswith("authenticate-") for i in range(len(actions))):
            return True
    return False
