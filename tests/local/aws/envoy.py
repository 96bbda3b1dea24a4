"""The real Envoy with the outbound half of the proxy's recorded configuration, on loopback."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, cast

from local.aws.credentials import TaskCredentials
from local.envoy import running
from local.ports import held_ports
from local.stack import Resource, Stack
from local.task.services import task_definition
from policies.guardrails.topology.graph.documents import document
from tests.local.aws.world import World

Edit = Callable[[str], str]
MODELS = "models"
"""The listener that the application calls."""


def configuration_of(stack: Stack) -> dict[str, Any]:
    """What the proxy's container is started with."""
    return configuration_in(task_definition(stack), "proxy")


def configuration_in(task: Resource, name: str) -> dict[str, Any]:
    """What a container with Envoy is started with."""
    (container,) = [one for one in task.document("containerDefinitions") if one["name"] == name]
    texts = [one for one in container["command"] if "static_resources" in one]
    # Its own copy: aliases make one object appear in several places, and tests share what is parsed.
    return json.loads(json.dumps(document(texts[0])))


@contextlib.contextmanager
def proxy(world: World, credentials: TaskCredentials, edit: Edit = str) -> Generator[tuple[str, Path]]:
    """The URL of the models' listener and Envoy's log. Loopback has other ports, so these alone are replaced.

    ``edit`` puts a fault into the configuration's text.
    """
    made = json.loads(edit(json.dumps(configuration_of(world.stack))))
    with tempfile.TemporaryDirectory() as name, held_ports(0) as (port,):
        folder = Path(name)
        bundle = world.authority.write(folder)
        static = made["static_resources"]
        static["clusters"] = [_placed(one, world, bundle) for one in static["clusters"] if not _of_the_task(one)]
        static["listeners"] = [_listening(one, port) for one in static["listeners"] if _outbound(one)]
        made.pop("admin", None)
        log = folder / "envoy.log"
        arguments = ["--config-yaml", json.dumps(made), "--disable-hot-restart", "--log-level", "warning"]
        with log.open("wb") as output:
            environment = credentials.environment
            with running([*arguments, "--concurrency", "1"], port=port, env=environment, output=output):
                yield f"http://127.0.0.1:{port}", log


def _outbound(listener: Mapping[str, Any]) -> bool:
    return listener["name"] == MODELS or listener["name"].startswith("upstream-")


def _of_the_task(cluster: Mapping[str, Any]) -> bool:
    return not cluster["name"].startswith(("group-", "upstream-", "server-"))


def _listening(listener: dict[str, Any], port: int) -> dict[str, Any]:
    if listener["name"] == MODELS:
        listener["address"]["socket_address"]["port_value"] = port
    return listener


def _placed(cluster: dict[str, Any], world: World, bundle: Path) -> dict[str, Any]:
    for group in cluster.get("load_assignment", {}).get("endpoints", []):
        for one in group["lb_endpoints"]:
            address = one["endpoint"]["address"].get("socket_address")
            if address:
                address["address"], address["port_value"] = world.place(address["address"], address["port_value"])
                cluster["type"] = "STATIC"
                cluster.pop("dns_lookup_family", None)
    tls = cast("dict[str, Any]", cluster.get("transport_socket", {}).get("typed_config"))
    if tls and tls["common_tls_context"]["validation_context"]["trusted_ca"].get("filename"):
        tls["common_tls_context"]["validation_context"]["trusted_ca"] = {"filename": str(bundle)}
    return cluster
