"""Debian's Chromium on the twin's internet: its network, its names and its certificate authority, driven by Playwright.

Playwright is no part of the development environment: ``make test-browser`` installs it below ``build/``, and its types are
those of the protocols here, which name what the tests use of it.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from local.network.plan import USER
from local.twin import Twin

PACKAGES = "BROWSER_PACKAGES"
"""The variable that names the folder with Playwright."""
PROGRAMS = {"chromium": "chromium", "certutil": "libnss3-tools"}
"""What has to be on this machine → Debian's package."""
SECONDS = 60.0
"""How long a page has for anything: the tests share two processors with three tasks of the application."""
FLAGS = (
    # Chromium's own requests for updates, models and field trials have no place to go to.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--no-first-run",
)


class Locator(Protocol):
    """https://playwright.dev/python/docs/api/class-locator"""

    @property
    def first(self) -> Locator:
        """The first of several."""
        ...

    @property
    def last(self) -> Locator:
        """The last of several."""
        ...

    def all_inner_texts(self) -> list[str]:
        """The text of each."""
        ...

    def click(self, *, force: bool = ...) -> None:
        """A click with the mouse, as soon as it is possible."""
        ...

    def count(self) -> int:
        """How many there are now."""
        ...

    def fill(self, value: str) -> None:
        """Text into a field."""
        ...

    def inner_text(self) -> str:
        """The text that is seen."""
        ...

    def is_visible(self) -> bool:
        """Whether it is seen now."""
        ...

    def locator(self, selector: str) -> Locator:
        """Elements inside."""
        ...

    def press_sequentially(self, text: str) -> None:
        """Key by key."""
        ...

    def set_input_files(self, files: Sequence[Path]) -> None:
        """Choose files."""
        ...

    def wait_for(self, *, state: str = ...) -> None:
        """Until it is visible, or in another state."""
        ...


class Response(Protocol):
    """https://playwright.dev/python/docs/api/class-response"""

    status: int
    url: str


class Keyboard(Protocol):
    """https://playwright.dev/python/docs/api/class-keyboard"""

    def press(self, key: str) -> None:
        """One key."""
        ...


class Page(Protocol):
    """https://playwright.dev/python/docs/api/class-page"""

    url: str
    keyboard: Keyboard

    def add_locator_handler(self, locator: Locator, handler: Callable[[Locator], object]) -> None:
        """Call a function whenever something is in the way of an action."""
        ...

    def content(self) -> str:
        """The document as HTML."""
        ...

    def emulate_media(self, *, media: str = ...) -> None:
        """The page as it is on the screen or on paper."""
        ...

    def evaluate(self, expression: str, arg: object = ...) -> Any:  # noqa: ANN401 - whatever the script returns
        """Run a script in the page."""
        ...

    def get_by_role(self, role: str, *, name: str = ..., exact: bool = ...) -> Locator:
        """Elements by what they are for."""
        ...

    def get_by_text(self, text: str, *, exact: bool = ...) -> Locator:
        """Elements by their text."""
        ...

    def goto(self, url: str) -> Response | None:
        """Open a page, and wait until it has loaded."""
        ...

    def locator(self, selector: str) -> Locator:
        """Elements by a CSS selector."""
        ...

    def on(self, event: str, f: Callable[[Any], object]) -> None:
        """Call a function whenever something happens."""
        ...

    def screenshot(self, *, path: Path, full_page: bool = ...) -> bytes:
        """A picture of what is seen."""
        ...

    def set_default_timeout(self, timeout: float) -> None:
        """Milliseconds for every wait."""
        ...

    def wait_for_function(self, expression: str, *, arg: object = ...) -> object:
        """Until a script returns something true."""
        ...

    def wait_for_timeout(self, timeout: float) -> None:
        """Milliseconds during which events are handled."""
        ...

    def wait_for_url(self, url: str | Callable[[str], bool]) -> None:
        """Until the page has this address."""
        ...


class Context(Protocol):
    """https://playwright.dev/python/docs/api/class-browsercontext"""

    def close(self) -> None:
        """Forget the profile."""
        ...

    def cookies(self) -> list[dict[str, Any]]:
        """Every cookie of the profile."""
        ...

    def new_page(self) -> Page:
        """A tab."""
        ...


class Browser(Protocol):
    """https://playwright.dev/python/docs/api/class-browser"""

    version: str

    def close(self) -> None:
        """End the program."""
        ...

    def new_context(self, **options: object) -> Context:
        """A separate profile: no cookies, an empty cache."""
        ...


class Socket(Protocol):
    """https://playwright.dev/python/docs/api/class-websocket"""

    url: str

    def is_closed(self) -> bool:
        """Whether either side has closed it."""
        ...

    def on(self, event: str, f: Callable[[Any], object]) -> None:
        """Call a function whenever something happens."""
        ...


def missing() -> str:
    """The reason why a browser cannot be driven here; empty if it can."""
    if not os.environ.get(PACKAGES):
        return "Playwright is not installed: make test-browser installs it"
    absent = [f"{name} (Debian: {package})" for name, package in PROGRAMS.items() if not shutil.which(name)]
    return f"{', '.join(absent)} not installed" if absent else ""


def _playwright() -> AbstractContextManager[Any]:
    """Playwright's connection to its driver; its packages come after those of this environment."""
    folder = os.environ[PACKAGES]
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module("playwright.sync_api").sync_playwright()


@contextlib.contextmanager
def chromium(twin: Twin) -> Generator[Browser]:
    """Chromium in the namespace of a user on the internet, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="twin-browser-") as folder, _playwright() as playwright:
        home = Path(folder)
        _trust(twin, home)
        _name(twin)
        browser: Browser = playwright.chromium.launch(
            executable_path=str(_program(twin, home)),
            args=list(FLAGS),
            env={"HOME": str(home), "PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
        )
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def without_twin() -> Generator[Browser]:
    """Chromium for a file of this machine, until the block ends."""
    with _playwright() as playwright:
        browser: Browser = playwright.chromium.launch(
            executable_path=str(shutil.which("chromium")), args=[*FLAGS, "--no-sandbox"]
        )
        try:
            yield browser
        finally:
            browser.close()


def _program(twin: Twin, folder: Path) -> Path:
    """A program that is Chromium in the user's network namespace."""
    made = folder / "chromium-on-the-internet"
    command = twin.wiring.command(USER.name, [str(shutil.which("chromium"))])
    made.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
    made.chmod(0o755)
    return made


def _trust(twin: Twin, home: Path) -> None:
    """The twin's public authority in the user's certificate store, so that names and dates are verified as ever."""
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    bundle = home / "authority.pem"
    bundle.write_text(twin.authority.certificate, encoding="utf-8")
    for command in (
        ["-N", "--empty-password"],
        ["-A", "-t", "C,,", "-n", "twin", "-i", str(bundle)],
    ):
        line = ["certutil", "-d", f"sql:{store}", *command]
        subprocess.run(line, check=True, stdin=subprocess.DEVNULL, capture_output=True)  # noqa: S603 - Debian's program


def _name(twin: Twin) -> None:
    """What the internet's DNS says of the stack and of its identity provider; there is no other name."""
    hosts = [str(urlsplit(twin.url).hostname), *twin.provider.names]
    twin.network.resolve({name: twin.public(name) for name in hosts}, [USER.name])


@dataclass
class Seen:
    """What a tab told while it was open."""

    console: list[str] = field(default_factory=list[str])
    """Errors in the console, with where they come from."""
    failed: list[str] = field(default_factory=list[str])
    """Requests without an answer: method, address and why."""
    answers: list[tuple[int, str]] = field(default_factory=list["tuple[int, str]"])
    """Status and address of each answer."""
    sockets: list[Socket] = field(default_factory=list["Socket"])

    def hosts(self) -> set[str]:
        """Every host that was asked for anything over the network."""
        asked = [address for _, address in self.answers] + [line.split(" ")[1] for line in self.failed]
        return {str(urlsplit(one).hostname) for one in asked if urlsplit(one).scheme in {"http", "https"}}

    def refused(self) -> Mapping[str, int]:
        """Path → status of every answer that is an error."""
        return {urlsplit(address).path: status for status, address in self.answers if status >= 400}


def watched(page: Page) -> Seen:
    """Listen to a tab from now on."""
    seen = Seen()

    def console(message: Any) -> None:  # noqa: ANN401 - Playwright's
        if message.type == "error":
            seen.console.append(f"{message.text} ({message.location.get('url', '')})")

    page.set_default_timeout(SECONDS * 1000)
    page.on("console", console)
    page.on("pageerror", lambda error: seen.console.append(f"uncaught: {error}"))
    page.on("requestfailed", lambda one: seen.failed.append(f"{one.method} {one.url} {one.failure}"))
    page.on("response", lambda one: seen.answers.append((one.status, one.url)))
    page.on("websocket", lambda one: seen.sockets.append(one))  # noqa: PLW0108 - Playwright marks the function
    return seen
