"""``python -m local`` and ``python -m local twin``: a stack on this machine, until Ctrl-C.

Both emulate the recorded graph with the same parts. ``twin`` needs Linux and root, and has everything in network namespaces;
without it, one task runs on loopback, where nothing is dropped.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from http.cookiejar import MozillaCookieJar
from pathlib import Path

from local import litellm, open_webui, small, twin
from local.environment import START_SECONDS, DidNotStartError, Environment, Installed
from local.gateway import Gateway
from local.interrupts import interruptible
from local.network.namespaces import UnavailableError
from local.network.plan import USER
from local.ports import held_ports
from local.refusals import Refused
from local.stack import ROOT, Resource, Stack, recorded
from local.task.definition import definition
from local.task.replaced import REPLACED
from local.task.services import others
from local.visitor import RequestRefusedError, Visitor
from preflight.conform.stack_file import preset_of
from preflight.errors import PreflightError
from preflight.pulumi.project import Project
from releases.manifest import load_release, versions

TWIN = "twin"
APPLICATIONS = ("stand-in", "open-webui")
OPEN_WEBUI = "open-webui"
"""The preset whose own log-in and chat the printed requests use."""
GATEWAY_PORT = 8888
POLL_SECONDS = 1.0
_REAL_APPLICATION_SECONDS = 900
_LARGEST_PORT = 65_535


def main(arguments: list[str] | None = None) -> int:
    """Run until interrupted. 0 after Ctrl-C, 1 where the environment did not come up, 2 where it cannot run here."""
    given = sys.argv[1:] if arguments is None else arguments
    whole = given[:1] == [TWIN]
    options = _options(given[whole:], whole=whole)
    with interruptible():
        return _run(options, whole=whole)


def _run(options: argparse.Namespace, *, whole: bool) -> int:
    began = time.monotonic()

    def progress(text: str) -> None:
        _say(f"{time.monotonic() - began:6.1f} s  {text}")

    try:
        # Held from the start: everything else takes time, after which another program may have it.
        with _held(options.port):
            python = _python(options.app, TWIN if whole else "local")
            progress(f"{options.stack}: the program runs and its graph is recorded")
            stack = recorded(options.stack)
            running = twin.running if whole else small.running
            with running(stack, installed=_installed(python, stack), progress=progress) as environment:
                environment.wait(_REAL_APPLICATION_SECONDS if options.app == "open-webui" else START_SECONDS)
                progress("every task is healthy at the load balancer")
                with Gateway(environment.wiring, USER.name, environment.public, options.port) as gateway:
                    _serve(environment, gateway, whole=whole, list_all=options.not_emulated)
    except KeyboardInterrupt:
        _say(f"stopped: every program has ended{' and the network is removed' if whole else ''}")
        return 0
    except (DidNotStartError, RequestRefusedError) as error:
        _say(f"{options.stack} did not come up:\n" + "\n".join(f"  {line}" for line in str(error).splitlines()))
        return 1
    except (_NotInstalledError, _PortError, UnavailableError, PreflightError) as error:
        _say(str(error))
        return 2
    return 0


class _NotInstalledError(Exception):
    """The application that the stack runs is not on this machine; the message states what to do."""


class _PortError(Exception):
    """The port is not available; the message contains the reason and the fix."""


@contextlib.contextmanager
def _held(port: int) -> Generator[None]:
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(held_ports(port))
        except OSError as error:
            why = (
                "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({os.strerror(error.errno or 0)})"
            )
            raise _PortError(f"port {port} {why}: choose another with --port") from None
        yield


def _options(given: list[str], *, whole: bool) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"python -m local{' twin' if whole else ''}",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--stack", choices=Project.load(ROOT).stacks(), default="prod" if whole else "staging")
    parser.add_argument("--app", choices=APPLICATIONS, default=APPLICATIONS[0])
    parser.add_argument("--port", type=_port, default=GATEWAY_PORT, help="of the HTTP proxy that leads to the stack")
    parser.add_argument(
        "--not-emulated", action="store_true", help="list every property of the graph that is not emulated"
    )
    return parser.parse_args(given)


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= _LARGEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 1 to {_LARGEST_PORT}")
    return int(text)


def _python(app: str, target: str) -> str:
    """Return the interpreter that has the real application; empty for the stand-in. Raises ``_NotInstalledError``."""
    python = open_webui.interpreter() if app == "open-webui" else ""
    if app == "open-webui" and not python:
        raise _NotInstalledError(
            f"Open WebUI is not installed here: make {target} APP=open-webui installs it below build/ (about 8 GB), and "
            "OPEN_WEBUI_PYTHON names a Python that has it"
        )
    return python


def _installed(python: str, stack: Stack) -> Installed:
    """Return the real programs that run: Open WebUI if it was asked for, LiteLLM if ``LITELLM_PYTHON`` names it. Raises
    ``_NotInstalledError`` if the stack runs another version."""
    return Installed(_pythons(python, stack) if python else {}, _gateways(litellm.interpreter(), stack))


def _gateways(python: str, stack: Stack) -> Mapping[str, str]:
    wanted = {version for one in others(stack) for version in _versions(stack, "gateway", one)}
    if not python or not wanted:
        return {}
    installed = litellm.version(python)
    if wanted != {installed}:
        raise _NotInstalledError(
            f"{stack.name} runs LiteLLM {', '.join(sorted(wanted))}, but {litellm.VARIABLE} ({python}) has {installed}: "
            f"make test-gateway installs the manifest's version; without {litellm.VARIABLE} a stand-in runs"
        )
    return {installed: python}


def _pythons(python: str, stack: Stack) -> Mapping[str, str]:
    installed, wanted = open_webui.version(python), _versions(stack, "interface", None)
    if wanted != {installed}:
        raise _NotInstalledError(
            f"{stack.name} runs Open WebUI {', '.join(sorted(wanted))}, but {python} has {installed}: "
            f"make twin STACK={stack.name} APP=open-webui installs the version that the stack runs"
        )
    return {installed: python}


def _versions(stack: Stack, name: str, service: Resource | None) -> set[str]:
    """Return the version of an image of the manifests that the tasks of a service run, the interface's if none is given."""
    images = [one.image for one in definition(stack, service).containers]
    found = [load_release(one).images.get(name) for one in versions()]
    return {one.version for one in found if one and any(image.endswith(f"@{one.digest}") for image in images)}


def _serve(environment: Environment, gateway: Gateway, *, whole: bool, list_all: bool) -> None:
    """Log people in, say what to try, then show what is refused as it happens."""
    with tempfile.TemporaryDirectory(prefix="ai-interface-") as folder:
        Path(folder).chmod(0o755)
        bundle = environment.authority.write(Path(folder))
        known = len(environment.refusals.entries)
        _say(_lines(environment, gateway, bundle, whole=whole))
        if list_all:
            _say(_not_emulated(environment))
        while True:
            entries = environment.refusals.entries[known:]
            known += len(entries)
            for one in entries:
                _say(_refusal(one))
            time.sleep(POLL_SECONDS)


def _refusal(one: Refused) -> str:
    return f"  refused  {one}"


def _lines(environment: Environment, gateway: Gateway, bundle: Path, *, whole: bool) -> str:
    people, url = environment.people, environment.url
    curl = f"curl -s --proxy {gateway.url} --cacert {bundle}"
    profile = bundle.parent / "profile"
    not_emulated = sum(len(one) for one in environment.stack.not_emulated().values()) + len(environment.not_emulated)
    tasks = len(environment.tasks)
    refused = "403 by the proxy" if people.stranger.assigned else "not assigned: refused by the provider"
    left_out = {} if whole else small.LEFT_OUT
    missing = "".join(f"\n  left out        {what}: {instead}" for what, instead in left_out.items())
    return f"""
  {url}  ({environment.stack.name}, {tasks} {"task" if tasks == 1 else "tasks"})

  in a browser    chromium --proxy-server={gateway.url} --ignore-certificate-errors --user-data-dir={profile} {url}
  log in as       {people.member.subject} (member), {people.administrator.subject} (administrator), {people.stranger.subject} ({refused})

{_logged_in(environment, curl, bundle.parent)}
  not logged in   {curl} -i {url}/
  an API path     {curl} -i {url}/api/models
  not declared    {curl} -i {url}/metrics
  wrong host      {curl} -ik {url}/ -H 'host: elsewhere.example'
  too large       head -c 300000000 /dev/zero | {curl} -i {url}/api/v1/files/ --data-binary @-
{missing}
  In place of AWS: {"; ".join(REPLACED)}. Not emulated: {not_emulated} properties and settings (--not-emulated lists them).
  What is refused is shown below. Ctrl-C stops everything.
"""


def _logged_in(environment: Environment, curl: str, folder: Path) -> str:
    """Requests of people who have logged in: their cookies are in files that curl reads."""
    people, preset = environment.people, preset_of(environment.stack.name)
    lines: list[str] = []
    for person in (people.member, people.administrator):
        visitor, jar = Visitor(environment, person.subject), folder / f"{person.subject}.txt"
        asking = f"{curl} -b {jar}"
        if preset.name == OPEN_WEBUI:
            question = json.dumps(visitor.log_in().question("tell me something long"))
            path, stream = "/api/v1/auths/", f"-H 'content-type: application/json' -d {shlex.quote(question)}"
            lines.append(f"  {person.subject:<15} {asking} {visitor.url(path)}")
            if person is people.member:
                lines.append(f"  a stream        {asking} -N {visitor.url('/api/chat/completions')} {stream}")
                spoofed = f"{preset.headers.email}: {people.administrator.email}"
                lines.append(f"  spoofing        {asking} {visitor.url(path)} -H '{spoofed}'")
        else:
            visitor.browser.login(person.subject, visitor.url("/"))
            lines.append(f"  {person.subject:<15} {asking} {visitor.url('/')}")
        kept = MozillaCookieJar(jar)
        for cookie in visitor.browser.jar:
            kept.set_cookie(cookie)
        jar.touch(mode=0o600)
        kept.save(ignore_discard=True)
    return "\n".join(lines)


def _not_emulated(environment: Environment) -> str:
    lines = [f"  {type_}: {', '.join(sorted(names))}" for type_, names in environment.stack.not_emulated().items()]
    return "\n".join(["  not emulated:", *lines, *(f"  {one}" for one in environment.not_emulated), ""])


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this is a program that prints
