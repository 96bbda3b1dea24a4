"""``preflight verify STACK``: record the stack, send the request table, ask the account, print one line a fact."""

from __future__ import annotations

import datetime as dt
import os
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from preflight.account.identity import caller
from preflight.account.lines import Answer, Group, Line
from preflight.account.session import Account
from preflight.errors import ConfigurationError
from preflight.pulumi.program import Run, collect, load, start
from preflight.release.project import ReleaseProject
from preflight.verify import live
from preflight.verify.asking import Asking
from preflight.verify.calls import CALLS
from preflight.verify.client import Live
from preflight.verify.parts import PARTS
from preflight.verify.requests import Credentials
from preflight.verify.stack import Stack
from preflight.verify.waiting import wait

REQUESTS, ACCOUNT = "requests", "account"
_RESOLVE = re.compile(r"(\d{1,5})=(?:\[([^\]]+)\]|([^:\[\]]+)):(\d{1,5})")


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    root: Path
    stack: str
    only: str = ""
    """``requests`` or ``account``; empty: both."""
    resolve: tuple[str, ...] = ()
    """``PORT=ADDRESS:PORT``: where a port of the host is reached instead of by its name."""
    ca: Path | None = None
    """Authorities to trust instead of the system's."""
    endpoint_url: str | None = None
    strict: bool = False
    wait: float = 0
    """Seconds to wait for the service's deployment to end, before anything is asked."""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)


def verify(options: Options, progress: Callable[[str], None] = lambda _: None) -> Answer:
    """The whole command. Raises ``PreflightError`` where the check could not run."""
    places = dict(map(place, options.resolve))
    context = trusting(options.ca)
    credentials = credentials_of(options.environment)
    stack = stack_of(options.root, options.stack)
    lines: list[Line] = []

    def asking() -> Asking:
        account = Account(stack.region, CALLS, endpoint_url=options.endpoint_url)
        return Asking(stack, account, dt.datetime.now(dt.UTC))

    if options.wait:
        wait(asking, options.wait, progress=progress)
    if options.only != ACCOUNT:
        lines += live.lines(live.Sending(stack, Live(context, stack.host, places), credentials), progress)
    if options.only != REQUESTS:
        lines += account_lines(asking(), progress)
    return Answer("verify", stack.name, stack.account, stack.region, tuple(lines), options.strict)


def account_lines(asking: Asking, progress: Callable[[str], None] = lambda _: None) -> list[Line]:
    """Every part's lines. In another account than the stack's nothing more is asked."""
    lines = [_identity(asking)]
    if lines[0].fix:
        return lines
    for part in PARTS:
        progress(f"asking about {part.name}")
        lines += part.lines(asking)
    return lines


def _identity(asking: Asking) -> Line:
    found = caller(asking.account)
    wanted = asking.stack.account
    said = f"the credentials are those of account {found}"
    fix = f"log in to account {wanted}; nothing else was asked"
    return Group("account").holds("account", found == wanted, said, fix)


def stack_of(root: Path, name: str) -> Stack:
    """The stack in ``root``: its program's graph, its settings and its release."""
    project = ReleaseProject.of(root)
    chosen = project.project.stack(name)
    load(project.project)
    recording = collect(start(project.project, [Run(chosen, False)]))[name, False]
    settings = project.settings(name)
    return Stack(settings, project.environments.release(settings.release), recording)


def credentials_of(environment: Mapping[str, str]) -> Credentials:
    """A member's session and a machine client's token; line breaks would end a header, so they are refused."""
    found = {name: environment.get(name, "").strip() for name in (live.COOKIE, live.TOKEN)}
    for name, value in found.items():
        if not value.isprintable() or not value.isascii():
            raise ConfigurationError(f"{name} is no header value: it has line breaks or other than ASCII characters")
    return Credentials(found[live.COOKIE].removeprefix("Cookie:").strip(), found[live.TOKEN])


def place(text: str) -> tuple[int, tuple[str, int]]:
    """``443=127.0.0.1:8443`` → port, address and port."""
    match = _RESOLVE.fullmatch(text)
    if match is None:
        raise ConfigurationError(
            f"--resolve {text!r} is no place; it is written as PORT=ADDRESS:PORT, for example 443=203.0.113.9:443"
        )
    return int(match[1]), (match[2] or match[3], int(match[4]))


def trusting(ca: Path | None) -> ssl.SSLContext:
    """The system's authorities, or those of a file alone."""
    try:
        return ssl.create_default_context(cafile=str(ca) if ca else None)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "reason", None)
        raise ConfigurationError(f"--ca {ca} has no certificates ({reason}); it has to be a PEM file") from None
