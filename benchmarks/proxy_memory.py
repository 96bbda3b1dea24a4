"""``python -m benchmarks.proxy_memory``: accepted prompts that together exceed the proxy's memory.

Compares the generated configuration with the same one without its overload manager, in one run. First every request is
accepted, then all bodies arrive at once, for a model that does not respond. Only anonymous memory is counted (Linux),
because a container that exceeds its limit is killed, while pages of Envoy's executable can be dropped.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.proxy import settings_for
from benchmarks.proxy_load import HOST
from components.proxy import ProxyModelGroup, ProxySettings, ProxyUpstream, envoy_configuration
from local import envoy
from local.certificate import Certificate, self_signed
from local.ports import LOOPBACK, held_ports
from tests.proxy import client
from tests.proxy.models import SILENT, model

if TYPE_CHECKING:
    import socket

MODEL_HOST = "llm.example.internal"
CHAT = "/general/v1/chat/completions"
SETTLING_SECONDS = 1


def main() -> int:
    """Measure both and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=160, help="under way at the same time")
    parser.add_argument("--mebibytes", type=int, default=2, help="of each prompt")
    options = parser.parse_args()
    if not Path("/proc/self/status").exists():
        _print("memory is read from /proc, which only Linux has")
        return 2
    certificate = self_signed(HOST, MODEL_HOST)
    size = options.mebibytes * 1024 * 1024
    limit = ProxySettings.memory_bytes / 1e6
    _print(f"{options.prompts} prompts of {options.mebibytes} MiB at once; the container has {limit:.0f} MB")
    _print(f"  {'':22}{'MB, idle':>12}{'MB, then':>12}{'of it':>8}{'refused':>9}")
    for name, limited in (("generated", True), ("without its limits", False)):
        idle, then, refused = _measure(certificate, options.prompts, size, limited=limited)
        _print(f"  {name:22}{idle:12.0f}{then:12.0f}{then / limit:8.2f}{refused:9}")
    return 0


def _measure(certificate: Certificate, count: int, size: int, *, limited: bool) -> tuple[float, float, int]:
    """Return megabytes before and after, and how many prompts were answered (with 503) instead of held."""
    with contextlib.ExitStack() as stack:
        port, model_port, application_port = stack.enter_context(held_ports(0, 0, 0))
        silent = stack.enter_context(model(SILENT, certificate))
        silent.behaviour = SILENT
        settings = settings_for(port, application_port)
        limits = replace(settings.limits, prompt_bytes=size, upload_bytes=max(size, settings.limits.upload_bytes))
        settings = replace(
            settings, limits=limits, model_port=model_port, model_groups=(_group(certificate, silent.server.port),)
        )
        configuration: dict[str, Any] = envoy_configuration(settings)
        if not limited:
            del configuration["overload_manager"]
        process = stack.enter_context(
            envoy.running(
                envoy.plain_arguments(configuration),
                port=port,
                env=envoy.environment(settings, certificate),
                output=stack.enter_context(Path(os.devnull).open("wb")),
            )
        )
        idle = _anonymous_megabytes(process.pid)
        prompts = [stack.enter_context(client.opened(model_port, tls=False, timeout=60)) for _ in range(count)]
        for prompt in prompts:
            prompt.sendall(client.head("POST", CHAT, {"content-length": str(size)}))
        time.sleep(SETTLING_SECONDS)
        body = b"x" * size
        for prompt in prompts:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                prompt.sendall(body)
        time.sleep(SETTLING_SECONDS)
        return idle, _anonymous_megabytes(process.pid), _answered(prompts)


def _answered(prompts: list[socket.socket]) -> int:
    readable, _, _ = select.select(prompts, [], [], 0)
    return len(readable)


def _group(certificate: Certificate, port: int) -> ProxyModelGroup:
    upstream = ProxyUpstream(
        name=SILENT, host_name=MODEL_HOST, address=LOOPBACK, port=port, ca_certificate=certificate.certificate
    )
    return ProxyModelGroup(name="general", models=("m",), upstreams=(upstream,))


def _anonymous_megabytes(pid: int) -> float:
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines())
    return int(lines["RssAnon"].split()[0]) * 1024 / 1e6


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this is a program that prints


if __name__ == "__main__":
    sys.exit(main())
