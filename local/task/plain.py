"""A container as a plain program of this machine: on loopback, without root, where nothing can be isolated.

Its command, variables, secrets, mounts, health check and stop timeout are the graph's. Two kinds of values have to be
others, since all hosts share one file system and one address: the paths of volumes and of the image, and ports.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from local.gateway import Gateway
from local.task.container import Running, logged, specification
from local.task.definition import Container
from local.task.image import APPLICATION, Image
from local.task.surroundings import Surroundings
from local.wiring import LOOPBACK, Node
from policies.guardrails.topology.graph.documents import document

_HOME = str(Path(APPLICATION).parent)
"""The application's folder in its image: the only folder of an image that is assembled here."""
_ENVOY = "static_resources"
"""Marks an argument as a configuration of Envoy."""
_AGENT = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
"""The variable with a port that is this machine's already: the task's agent serves there."""
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - an address in a configuration, replaced before anything listens
_NOT_IN_A_PATH = r"[\w./-]"
_MEMORY = "/dev/shm"  # noqa: S108 - a memory disk of each container, and one folder of this machine
_LISTED_PORT = re.compile(r"""(["']--port["'], ?["'])(\d{1,5})(?=["'])""")
"""The port in a list of arguments that a program in the command starts another program with."""
_OWN = re.compile(r"\b(127\.0\.0\.1|localhost):(\d{1,5})\b")


@dataclass
class PlainRunning(Running):
    """One container that is only a process."""

    place: PlainPlace = field(kw_only=True)

    @property
    def leader(self) -> int | None:
        """The process itself."""
        return self.process.pid

    def execute(self, command: Sequence[str], seconds: float) -> tuple[int, str]:
        """Run a command with the container's variables, in its directory."""
        done = subprocess.run(  # noqa: S603 - the graph's command
            self.place.command(command, self.spec["environment"]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.place.environment(self.spec["environment"]),
            cwd=self.place.directory(self.spec["directory"]),
            timeout=seconds,
            check=False,
        )
        return done.returncode, done.stdout.decode(errors="replace").strip()


@dataclass(frozen=True)
class PlainPlace:
    """Where this machine has what a container names."""

    node: Node
    around: Surroundings
    paths: Mapping[str, str]
    """Path in the container → path here."""
    root: Path
    """Has the working directories."""

    def text(self, text: str) -> str:
        """A value with the paths and ports of this machine."""
        if self.paths:
            known = "|".join(re.escape(one) for one in sorted(self.paths, key=len, reverse=True))
            found = re.compile(rf"(?<!{_NOT_IN_A_PATH})(?:{known})(?!{_NOT_IN_A_PATH.replace('/', '')})")
            text = found.sub(lambda one: self.paths[one[0]], text)
        text = _LISTED_PORT.sub(lambda one: f"{one[1]}{self.port(int(one[2]))}", text)
        return _OWN.sub(lambda one: f"{LOOPBACK}:{self.port(int(one[2]))}", text)

    def port(self, port: int) -> int:
        """The port of this machine for one that the task's containers reach each other at."""
        return self.around.wiring.target(self.node.host, LOOPBACK, port)[1]

    def command(self, command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        """A command: its program by its path here."""
        known = [self._argument(before, one) for before, one in zip(["", *command], command, strict=False)]
        found = shutil.which(known[0], path=self.text(environment.get("PATH", "")))
        return [found or known[0], *known[1:]]

    def environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The container's variables."""
        return {key: value if key == _AGENT else self.text(value) for key, value in environment.items()}

    def directory(self, directory: str) -> Path:
        """A working directory, which exists."""
        found = Path(self.text(directory)) if directory.startswith(_HOME) else self.root
        found.mkdir(parents=True, exist_ok=True)
        return found

    def _argument(self, before: str, argument: str) -> str:
        if before == "--port" and argument.isdigit():
            return str(self.port(int(argument)))
        text = self.text(argument)
        return self._envoy(text) if _ENVOY in text else text

    def _envoy(self, text: str) -> str:
        """Envoy's configuration with listeners on loopback, and clusters at the addresses that the names have here."""
        # Aliases make one object appear in several places: a copy has none.
        made: dict[str, Any] = json.loads(json.dumps(document(text)))
        for listener in made[_ENVOY]["listeners"]:
            for one in _sockets(listener.get("address")):
                port = int(one["port_value"])
                host = self.node.address if one["address"] == _EVERYWHERE else one["address"]
                one["address"], one["port_value"] = self.around.wiring.target(self.node.host, host, port)
        for cluster in made[_ENVOY]["clusters"]:
            for one in _sockets(cluster.get("load_assignment")):
                address = self._address(str(one["address"]))
                one["address"], one["port_value"] = self.around.wiring.target(
                    self.node.host, address, int(one["port_value"])
                )
                cluster["type"] = "STATIC"
                cluster.pop("dns_lookup_family", None)
        return json.dumps(made)

    def _address(self, name: str) -> str:
        if re.fullmatch(r"[\d.]+", name) or self.around.resolve is None:
            return name
        try:
            return self.around.resolve(name, self.node.address)
        except LookupError:
            return NOWHERE  # the resolver has said why; nothing listens there, and the internet is not asked


NOWHERE = "192.0.2.1"
"""Returned for an unknown name: an address for documentation (RFC 5737), which no host has."""


def _sockets(value: object) -> Iterator[dict[str, Any]]:
    """Every ``socket_address`` below a value."""
    if isinstance(value, dict):
        for key, one in cast("dict[str, Any]", value).items():
            if key == "socket_address":
                yield one
            else:
                yield from _sockets(one)
    elif isinstance(value, list):
        for one in cast("list[Any]", value):
            yield from _sockets(one)


@contextlib.contextmanager
def started(  # noqa: PLR0917 - as ``container.started``
    container: Container,
    image: Image,
    environment: Mapping[str, str],
    node: Node,
    around: Surroundings,
    folder: Path,
    write: Callable[[str], None],
) -> Generator[Running]:
    """Run a container as ``container.started`` does, as a plain program."""
    spec = specification(container, image, environment, node, around, folder)
    place = PlainPlace(node, around, _paths(spec, folder), Path(spec["root"]))
    _assemble(spec)
    command, variables = place.command(spec["command"], spec["environment"]), place.environment(spec["environment"])
    directory = place.directory(spec["directory"])
    with contextlib.ExitStack() as held:
        if image.looks_names_up:
            variables |= held.enter_context(_connected(node, around, folder))
        process, last = held.enter_context(logged(container, node, around, command, variables, write, directory))
        yield PlainRunning(container, process, spec, folder, last=last, place=place)


@contextlib.contextmanager
def _connected(node: Node, around: Surroundings, folder: Path) -> Generator[dict[str, str]]:
    """The variables by which a program finds the network's names: there is no DNS server on loopback, so an HTTP proxy of
    the task does."""

    def resolve(name: str) -> list[str]:
        return [around.resolve(name, node.address)] if around.resolve else []

    with Gateway(around.wiring, node.host, resolve) as proxy:
        yield {
            "HTTPS_PROXY": proxy.url,
            "NO_PROXY": LOOPBACK,
            "AIOHTTP_TRUST_ENV": "True",
            "SSL_CERT_FILE": str(folder / "authorities.pem"),
        }


def _paths(spec: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Volumes, the application's folder, programs and libraries that lie elsewhere here, and the trust bundle."""
    memory = folder / f"memory-{Path(spec['root']).name}"
    memory.mkdir(exist_ok=True)
    found = {_HOME: spec["root"] + _HOME, _MEMORY: str(memory)}
    found |= {target: source for source, target in spec["binds"] if source != target and not _ours(target)}
    found |= {one: str(folder / "authorities.pem") for _, one in spec["over"]}
    found |= {one: str(folder / "authorities.pem") for one in spec["files"] if one.endswith("/ca-certificates.crt")}
    return {**found, **{one["target"]: one["source"] for one in spec["volumes"]}}


def _ours(path: str) -> bool:
    return path.startswith(f"{_HOME}/")


def _assemble(spec: Mapping[str, Any]) -> None:
    """The application's folder, with links to what the image has there."""
    for source, target in spec["binds"]:
        if _ours(target):
            link = Path(spec["root"] + target)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(source)
