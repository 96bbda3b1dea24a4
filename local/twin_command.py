"""``python -m local twin --stack prod``: run a stack's environment on this machine until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from local import open_webui
from local.gateway import Gateway
from local.network.namespaces import UnavailableError
from local.network.plan import USER
from local.refusals import Refused
from local.stack import ROOT, recorded
from local.task.replaced import REPLACED
from local.twin import START_SECONDS, DidNotStartError, Twin, running
from preflight.errors import PreflightError
from preflight.pulumi.project import Project
from releases.manifest import load_release, versions

APPLICATIONS = ("stand-in", "open-webui")
GATEWAY_PORT = 8888
POLL_SECONDS = 1.0
_REAL_APPLICATION_SECONDS = 900
_LARGEST_PORT = 65_535


def main(arguments: list[str] | None = None) -> int:
    """Run until interrupted. Returns 0 after Ctrl-C, 1 if the environment did not start, 2 if this machine cannot run
    it."""
    options = _options(arguments)
    if options.app == "open-webui" and not open_webui.interpreter():
        _say("Open WebUI is not installed: run make twin APP=open-webui, which installs it below build/ (about 8 GB)")
        return 2
    for ends in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ends, _interrupt)
    began = time.monotonic()

    def progress(text: str) -> None:
        _say(f"{time.monotonic() - began:6.1f} s  {text}")

    try:
        progress(f"{options.stack}: running the program and recording its graph")
        stack = recorded(options.stack)
        with running(stack, pythons=_pythons(options.app), progress=progress) as twin:
            twin.wait(_REAL_APPLICATION_SECONDS if options.app == "open-webui" else START_SECONDS)
            progress("every task is healthy at the load balancer")
            with Gateway(twin.wiring, USER.name, twin.public, options.port) as gateway:
                _serve(twin, gateway, list_all=options.not_emulated)
    except KeyboardInterrupt:
        _say("stopped: every program has ended and the network is removed")
        return 0
    except DidNotStartError as error:
        _say(f"{options.stack} did not start:\n" + "\n".join(f"  {line}" for line in str(error).splitlines()))
        return 1
    except (UnavailableError, PreflightError) as error:
        _say(str(error))
        return 2
    except OSError as error:
        _say(f"port {options.port} cannot be used ({os.strerror(error.errno or 0)}): choose another with --port")
        return 2
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local twin", description=__doc__)
    parser.add_argument("--stack", choices=Project.load(ROOT).stacks(), default="prod")
    parser.add_argument("--app", choices=APPLICATIONS, default=APPLICATIONS[0])
    parser.add_argument(
        "--port",
        type=_port,
        default=GATEWAY_PORT,
        help="the port of the HTTP proxy through which clients reach the twin",
    )
    parser.add_argument(
        "--not-emulated", action="store_true", help="list every property of the graph that the twin does not emulate"
    )
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= _LARGEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: write a number from 1 to {_LARGEST_PORT}")
    return int(text)


def _pythons(app: str) -> Mapping[str, str]:
    """The real application for every release that has the installed version."""
    if app != "open-webui":
        return {}
    found = {load_release(one).images["interface"].version for one in versions()}
    return dict.fromkeys(found, open_webui.interpreter())


def _serve(twin: Twin, gateway: Gateway, *, list_all: bool) -> None:
    """Say what to try, then show what is refused as it happens."""
    with tempfile.TemporaryDirectory(prefix="ai-interface-twin-") as folder:
        Path(folder).chmod(0o755)
        bundle = twin.authority.write(Path(folder))
        _say(_lines(twin, gateway, bundle))
        if list_all:
            _say(_not_emulated(twin))
        shown = len(twin.refusals.entries)
        while True:
            time.sleep(POLL_SECONDS)
            entries = twin.refusals.entries[shown:]
            shown += len(entries)
            for one in entries:
                _say(_refusal(one))


def _refusal(one: Refused) -> str:
    return f"  refused  {one}"


def _lines(twin: Twin, gateway: Gateway, bundle: Path) -> str:
    people = twin.people
    curl = f"curl -s --proxy {gateway.url} --cacert {bundle}"
    profile = bundle.parent / "profile"
    not_emulated = sum(len(one) for one in twin.stack.not_emulated().values()) + len(twin.not_emulated)
    return f"""
  {twin.url}  ({twin.stack.name}, {len(twin.service.tasks)} tasks, {len(twin.plan.nodes)} network interfaces)

  in a browser    chromium --proxy-server={gateway.url} --ignore-certificate-errors --user-data-dir={profile} {twin.url}
  log in as       {people.member.subject} (member), {people.administrator.subject} (administrator), {people.stranger.subject} (403 by the proxy)

  not logged in   {curl} -i {twin.url}/
  an API path     {curl} -i {twin.url}/api/models
  not declared    {curl} -i {twin.url}/metrics
  wrong host      {curl} -ik {twin.url}/ -H 'host: elsewhere.example'
  too large       head -c 300000000 /dev/zero | {curl} -i {twin.url}/api/v1/files/ --data-binary @-

  In place of AWS: {"; ".join(REPLACED)}. Not emulated: {not_emulated} properties and settings
  (--not-emulated lists them).
  Refused requests are shown below, with their causes. Ctrl-C stops everything.
"""


def _not_emulated(twin: Twin) -> str:
    lines = [f"  {type_}: {', '.join(sorted(names))}" for type_, names in twin.stack.not_emulated().items()]
    return "\n".join(["  not emulated:", *lines, *(f"  {one}" for one in twin.not_emulated), ""])


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    for ends in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ends, signal.SIG_IGN)  # a second Ctrl-C must not break off what stops the others
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this is a program that prints


if __name__ == "__main__":
    sys.exit(main())
