"""Prod with the real application, one Chromium, and people who have logged in, for all tests of this folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from local.environment import Installed
from local.open_webui import interpreter, version
from local.twin import Twin, running
from tests.browser.chromium import Browser, chromium, missing
from tests.browser.tab import Tab
from tests.local.around import stack_of
from tests.local.aws.world import bootstrap
from tests.local.twin.conftest import STACK, needs_namespaces

START_SECONDS = 1200
"""Three tasks that each load gigabytes, on the processors of one machine."""
PICTURES = Path(__file__).resolve().parents[2] / "build" / "pictures"
"""What every test saw last, to be looked at."""


@pytest.fixture(scope="session")
def twin() -> Generator[Twin]:
    """Skipped where a part is missing, with the reason."""
    python = interpreter()
    if why := missing() or ("" if python else "Open WebUI is not installed: make test-browser installs it"):
        pytest.skip(why)
    needs_namespaces()
    with running(stack_of(STACK), bootstrap=bootstrap(STACK), installed=Installed({version(python): python})) as found:
        found.wait(START_SECONDS)
        yield found
        found.kill()


@pytest.fixture(scope="session")
def browser(twin: Twin) -> Generator[Browser]:
    with chromium(twin) as found:
        yield found


@pytest.fixture
def tab(twin: Twin, browser: Browser, request: pytest.FixtureRequest) -> Generator[Callable[[], Tab]]:
    """Makes a browser of another person: an empty profile with one tab. What each showed last is kept as a picture."""
    made: list[Tab] = []

    def make() -> Tab:
        made.append(Tab.of(twin, browser))
        return made[-1]

    yield make
    PICTURES.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"\W+", "-", request.node.name).removeprefix("test_")
    for number, one in enumerate(made):
        one.page.screenshot(path=PICTURES / f"{name}-{number}.png")
        one.context.close()
