"""``preflight verify STACK``: record the stack, send the request table, query the account, print one line for each fact."""

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
from preflight.verify.calls import CALLS
from preflight.verify.client import Live
from preflight.verify.context import VerifyContext
from preflight.verify.parts import PARTS
from preflight.verify.requests import Credentials
from preflight.verify.stack import StackInCheckout
from preflight.verify.waiting import wait

REQUESTS, ACCOUNT = "requests", "account"
_RESOLVE = re.compile(r"(\d{1,5})=(?:\[([^\]]+)\]|([^:\[\]]+)):(\d{1,5})")


@dataclass(frozen=True)
class VerifyOptions:
    """The options of the command."""

    root: Path
    stack: str
    only: str = ""
    """``requests`` or ``account``; empty: both."""
    resolve: tuple[str, ...] = ()
    """``PORT=ADDRESS:PORT``: connect there for this port of the host, instead of resolving its name."""
    ca: Path | None = None
    """PEM file of authorities to trust instead of the system's."""
    endpoint_url: str | None = None
    strict: bool = False
    wait: float = 0
    """Seconds to wait for the service's deployment to end before the check starts."""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)


def verify(options: VerifyOptions, progress: Callable[[str], None] = lambda _: None) -> Answer:
    """Run the command. Raises ``PreflightError`` if the check could not run."""
    ports = dict(map(resolve_option, options.resolve))
    trust = trusting(options.ca)
    credentials = credentials_of(options.environment)
    stack = stack_of(options.root, options.stack)
    lines: list[Line] = []

    def context() -> VerifyContext:
        account = Account(stack.region, CALLS, endpoint_url=options.endpoint_url)
        return VerifyContext(stack, account, dt.datetime.now(dt.UTC))

    if options.wait:
        wait(context, options.wait, progress=progress)
    if options.only != ACCOUNT:
        lines += live.lines(live.Sending(stack, Live(trust, stack.host, ports), credentials), progress)
    if options.only != REQUESTS:
        lines += account_lines(context(), progress)
    return Answer("verify", stack.name, stack.account, stack.region, tuple(lines), options.strict)


def account_lines(context: VerifyContext, progress: Callable[[str], None] = lambda _: None) -> list[Line]:
    """The lines of every part. If the credentials are for another account, the other parts are skipped."""
    lines = [_identity(context)]
    if lines[0].fix:
        return lines
    for part in PARTS:
        progress(f"checking {part.name}")
        lines += part.lines(context)
    return lines


def _identity(context: VerifyContext) -> Line:
    found = caller(context.account)
    wanted = context.stack.account
    said = f"the credentials are those of account {found}"
    fix = f"log in to account {wanted}; nothing else was checked"
    return Group("account").holds("account", found == wanted, said, fix)


def stack_of(root: Path, name: str) -> StackInCheckout:
    """The stack in ``root``: its recorded graph, its settings and its release."""
    project = ReleaseProject.of(root)
    chosen = project.project.stack(name)
    load(project.project)
    recording = collect(start(project.project, [Run(chosen, False)]))[name, False]
    settings = project.settings(name)
    return StackInCheckout(settings, project.environments.release(settings.release), recording)


def credentials_of(environment: Mapping[str, str]) -> Credentials:
    """A user's session and a machine client's token. Line breaks are refused, because they would end the header."""
    found = {name: environment.get(name, "").strip() for name in (live.COOKIE, live.TOKEN)}
    for name, value in found.items():
        if not value.isprintable() or not value.isascii():
            raise ConfigurationError(f"{name} is not a header value: it has line breaks or non-ASCII characters")
    return Credentials(found[live.COOKIE].removeprefix("Cookie:").strip(), found[live.TOKEN])


def resolve_option(text: str) -> tuple[int, tuple[str, int]]:
    """``443=127.0.0.1:8443`` → port, address and port."""
    match = _RESOLVE.fullmatch(text)
    if match is None:
        raise ConfigurationError(
            f"--resolve {text!r} is not valid; write PORT=ADDRESS:PORT, for example 443=203.0.113.9:443"
        )
    return int(match[1]), (match[2] or match[3], int(match[4]))


def trusting(ca: Path | None) -> ssl.SSLContext:
    """Trust the system's authorities, or only those in a file."""
    try:
        return ssl.create_default_context(cafile=str(ca) if ca else None)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "reason", None)
        raise ConfigurationError(f"--ca {ca} has no certificates ({reason}); it must be a PEM file") from None
