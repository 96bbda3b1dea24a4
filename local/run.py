"""The path of a request on this machine, until Ctrl-C.

A stand-in for the load balancer adds a signed-in user, the real Envoy runs the configuration of a task, and stand-ins
replace the application and the model. ``--app open-webui`` runs the real application if it is installed.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import signal
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import FrameType

from components.proxy import (
    ProxyApplication,
    ProxyIdentity,
    ProxyModelGroup,
    ProxyPeople,
    ProxySettings,
    ProxyUpstream,
    envoy_arguments,
)
from local import envoy, open_webui
from local.application import application
from local.application import curl_lines as stand_in_curl_lines
from local.certificate import Certificate, self_signed
from local.claims import HEADER, token
from local.model import model_server
from local.ports import held_ports
from local.signed_in import edge_arguments

HOST, MODEL_HOST = "localhost", "model.localhost"
MEMBER = {"sub": "1", "email": "ann@example.com", "name": "Ann Lee"}
ADMINISTRATOR = {"sub": "2", "email": "root@example.com", "name": "Root"}
STRANGER = {"sub": "3", "email": "eve@outside.test", "name": "Eve"}
SIGNED_IN_SECONDS = 86_400
_LARGEST_PORT = 65_535


def main(arguments: list[str] | None = None) -> int:
    """Run until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m local", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--app", choices=["stand-in", "open-webui"], default="stand-in")
    parser.add_argument(
        "--port", type=_port, default=8443, help="the proxy's port; the two signed-in pages are on 8000 and 8001"
    )
    parser.add_argument(
        "--page-port",
        type=_port,
        default=8000,
        help="the port of the page signed in as a member; the administrator's page is on the next port",
    )
    options = parser.parse_args(arguments)
    if options.port in (options.page_port, options.page_port + 1):
        _say(f"port {options.port} is used by a page (--page-port and the port after it): choose another with --port")
        return 2
    if options.app == "open-webui" and not open_webui.interpreter():
        _say(
            "Open WebUI is not installed: run make local APP=open-webui, which installs it below build/ (about 8 GB), "
            "or set OPEN_WEBUI_PYTHON to a Python that has it"
        )
        return 2
    with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as stack:
        for option, port in (
            ("--port", options.port),
            ("--page-port", options.page_port),
            ("--page-port", options.page_port + 1),
        ):
            try:
                # Envoy would share a port with another Envoy, request by request, and say nothing.
                stack.enter_context(held_ports(port))
            except OSError as error:
                _say(_unusable(port, option, error))
                return 2
        for ends in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ends, _interrupt)  # a shell's background job starts with SIGINT ignored, and would never stop
        _start(stack, options.app, options.port, options.page_port)
        while True:
            time.sleep(3600)
    _say("stopped")
    return 0


def _unusable(port: int, option: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use, perhaps by another make local: stop it, or choose another port with {option}"
    return f"port {port} cannot be used ({os.strerror(error.errno or 0)}): choose another with {option}"


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) < _LARGEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: write a number from 1 to {_LARGEST_PORT - 1}")
    return int(text)


def _start(stack: contextlib.ExitStack, app: str, port: int, page_port: int) -> None:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ai-interface-")))
    certificate = self_signed(HOST, MODEL_HOST)
    model = stack.enter_context(model_server(certificate))
    application_port, model_port = stack.enter_context(held_ports(0, 0))
    settings = _settings(
        certificate, port=port, application_port=application_port, model_port=model_port, server_port=model.port
    )
    if app == "open-webui":
        chosen = open_webui.application(f"http://localhost:{page_port}", settings.model_port, ["general"])
        settings = replace(settings, application=replace(open_webui.PRESET.proxy, port=settings.application.port))
        _say("starting Open WebUI, which can take minutes; unlike the image, it has no embedding model")
        stack.enter_context(open_webui.running(chosen, settings, folder))
        curl_lines = open_webui.curl_lines
    else:
        stack.enter_context(application(settings))
        curl_lines = stand_in_curl_lines
    stack.enter_context(
        envoy.running(envoy_arguments(settings), port=port, env=envoy.environment(settings, certificate))
    )
    people = {page_port: MEMBER, page_port + 1: ADMINISTRATOR}
    expires_at = int(time.time()) + SIGNED_IN_SECONDS
    stack.enter_context(envoy.running(edge_arguments(settings, people, expires_at), port=page_port, env={}))
    stranger = folder / "stranger.txt"
    stranger.write_text(f"{HEADER}: {token(settings.identity, STRANGER, exp=expires_at)}\n", encoding="utf-8")
    _say(_lines(settings, page_port, stranger, curl_lines(f"http://localhost:{page_port}")))


def _settings(
    certificate: Certificate, *, port: int, application_port: int, model_port: int, server_port: int
) -> ProxySettings:
    upstream = ProxyUpstream(
        name="stand-in",
        host_name=MODEL_HOST,
        address="127.0.0.1",
        port=server_port,
        ca_certificate=certificate.certificate,
    )
    return ProxySettings(
        host_names=(HOST, f"{HOST}:{port}"),
        identity=ProxyIdentity(
            signer_arn="arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/local/50dc6c495c0c9188",
            client_id="local",
            issuer="https://login.example.com",
            allowed=ProxyPeople(email_domains=("example.com",)),
            administrators=ProxyPeople(emails=(ADMINISTRATOR["email"],)),
            contact="ai-platform@example.com",
        ),
        application=ProxyApplication(
            port=application_port,
            keep_alive_seconds=75,
            upload_path_prefixes=("/api/v1/files/",),
            websocket_path_prefixes=("/ws/",),
        ),
        model_groups=(ProxyModelGroup(name="general", models=("stand-in",), upstreams=(upstream,)),),
        listen_address="127.0.0.1",
        port=port,
        model_port=model_port,
    )


def _lines(settings: ProxySettings, page_port: int, stranger: Path, curl_lines: tuple[str, str]) -> str:
    page, proxy, models = f"http://localhost:{page_port}", f"https://localhost:{settings.port}", settings.model_port
    name, stream = curl_lines
    return f"""
  in a browser   {page}  (signed in as {MEMBER["email"]})
                 http://localhost:{page_port + 1}  (as the administrator {ADMINISTRATOR["email"]})

  who am I       {name}
  a stream       {stream}
  spoofing       {name} -H '{settings.identity.email_header}: {ADMINISTRATOR["email"]}'
  not signed in  curl -sk {proxy}/
  not allowed    curl -sk {proxy}/ -H @{stranger}
  too large      head -c 3000000 /dev/zero | curl -s {page}/ --data-binary @-
  an upload      head -c 3000000 /dev/zero | curl -s {page}/api/v1/files/ --data-binary @-
  no length      curl -s {page}/ -H 'transfer-encoding: chunked' -d x
  sign out       curl -si {page}/logout
  health         curl -sk {proxy}/health -H 'host: 10.0.0.1'
  the models     curl -s http://127.0.0.1:{models}/general/v1/models
  not declared   curl -s http://127.0.0.1:{models}/elsewhere

  The proxy's access log follows. Ctrl-C stops everything.
"""


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    for ends in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ends, signal.SIG_IGN)  # a second Ctrl-C must not break off what stops the others
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this is a program that prints
