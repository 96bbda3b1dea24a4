"""The report page in Chromium: axe finds nothing, nothing is cut or overlaps at three widths, and the keyboard reaches everything.

Needs Chromium and the packages of ``make test-browser``, neither the twin nor the real Open WebUI.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import pytest

from preflight.analysis.check import Checked
from preflight.analysis.connectivity import connectivity_of
from preflight.findings import Finding, Report, Verdict, summarize
from preflight.report.page import html
from preflight.setup import cost_of_stacks
from tests.browser.chromium import PACKAGES, Browser, Page, without_twin
from tests.browser.conftest import PICTURES
from tests.preflight.changes.planning import running
from tests.settings.stack_files import ROOT

WIDTHS = (1280, 768, 390)
SCHEMES = ("light", "dark")
AXE = "axe_playwright_python"


def missing() -> str:
    """The reason why the page cannot be tested here; empty if it can."""
    folder = os.environ.get(PACKAGES, "")
    if not folder:
        return "Playwright and axe are not installed: make test-browser installs them"
    if not (Path(folder) / AXE / "axe.min.js").is_file():
        return f"{AXE} is not in {folder}: make test-browser installs it"
    return "" if shutil.which("chromium") else "chromium (Debian: chromium) is not installed"


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page about staging with one finding, so that every section is on it."""
    if why := missing():
        pytest.skip(why)
    recording = running()
    known = {("staging", False): recording}
    finding = Finding(
        "staging",
        "s3-example",
        Verdict.VIOLATED,
        "s3.Bucket state-uploads.acl is public",
        found="public",
        fix="remove it",
    )
    environments = (summarize("staging", len(recording.resources), [], [finding]),)
    report = Report("ai-interface", environments, (), (finding,), connectivity=connectivity_of(known, ["staging"]))
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html(Checked(report, known), ROOT, cost_of_stacks.of_recordings(ROOT, known)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def chromium(page_file: Path) -> Generator[Browser]:
    """Started after the program has run, because each has a separate event loop."""
    assert page_file.is_file()
    with without_twin() as found:
        yield found


def opened(chromium: Browser, page_file: Path, width: int, scheme: str) -> Page:
    """The page, with every part that is folded away unfolded."""
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(page_file.as_uri())
    page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    return page


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing(chromium: Browser, page_file: Path, width: int, scheme: str) -> None:
    page = opened(chromium, page_file, width, scheme)
    page.evaluate((Path(os.environ[PACKAGES]) / AXE / "axe.min.js").read_text(encoding="utf-8"))
    found: Mapping[str, Any] = page.evaluate("() => axe.run({resultTypes: ['violations']})")
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"report-{width}-{scheme}.png", full_page=True)
    assert [(one["id"], one["nodes"][0]["target"]) for one in found["violations"]] == []


def test_axe_finds_an_image_without_a_text(chromium: Browser, page_file: Path) -> None:
    """The check can fail: the page with a fault."""
    page = opened(chromium, page_file, WIDTHS[0], "light")
    page.evaluate("() => document.querySelector('main').append(document.createElement('img'))")
    page.evaluate((Path(os.environ[PACKAGES]) / AXE / "axe.min.js").read_text(encoding="utf-8"))
    found: Mapping[str, Any] = page.evaluate("() => axe.run({resultTypes: ['violations']})")
    assert "image-alt" in {one["id"] for one in found["violations"]}


OUTSIDE = """() => [...document.querySelectorAll('main *, header *')].filter((one) => {
  if (one.closest('svg, .scroll, nav, .skip') || one.classList.contains('skip')) return false;
  const box = one.getBoundingClientRect();
  return box.width && (box.right > document.documentElement.clientWidth + 1 || box.left < -1);
}).map((one) => one.tagName + ' ' + one.textContent.slice(0, 40))"""
"""Elements that leave the page at the side. Wide tables and drawings scroll in separate regions."""
OVERLAPPING = """() => {
  const boxes = [...document.querySelectorAll('main > *')].map((one) => [one, one.getBoundingClientRect()]);
  return boxes.slice(1).filter(([, box], number) => box.height && box.top < boxes[number][1].bottom - 1)
    .map(([one]) => one.tagName + ' ' + one.textContent.slice(0, 40));
}"""


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_leaves_the_page_and_no_part_overlaps_the_one_before(
    chromium: Browser, page_file: Path, width: int
) -> None:
    page = opened(chromium, page_file, width, "light")
    wider = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert (wider, page.evaluate(OUTSIDE), page.evaluate(OVERLAPPING)) == (0, [], [])


def test_a_part_that_is_too_wide_is_found(chromium: Browser, page_file: Path) -> None:
    page = opened(chromium, page_file, WIDTHS[-1], "light")
    page.evaluate("() => { document.querySelector('.answers li').style.width = '900px'; }")
    assert page.evaluate(OUTSIDE)


def test_the_keyboard_reaches_every_arrow_and_the_caption_describes_it(chromium: Browser, page_file: Path) -> None:
    page = opened(chromium, page_file, WIDTHS[0], "light")
    titles = page.evaluate(
        """() => [...document.querySelectorAll('svg.diagram a.link')].map((link) => {
          link.focus();
          const said = link.closest('figure').querySelector('figcaption').textContent;
          return [document.activeElement === link, said === link.querySelector('title').textContent];
        })"""
    )
    assert titles
    assert all(focused and described for focused, described in titles)


def test_the_filter_hides_what_does_not_match_and_counts(chromium: Browser, page_file: Path) -> None:
    page = opened(chromium, page_file, WIDTHS[0], "light")
    page.locator("#request-filter").fill("413")
    shown = page.evaluate(
        "() => [...document.querySelectorAll('#request-table tbody tr')].filter((row) => !row.hidden).length"
    )
    total = page.evaluate("() => document.querySelectorAll('#request-table tbody tr').length")
    assert 0 < shown < total
    assert page.locator("#request-count").inner_text() == f"{shown} of {total} lines"


def test_on_paper_nothing_is_folded_and_no_menu_is_printed(chromium: Browser, page_file: Path) -> None:
    page = opened(chromium, page_file, WIDTHS[0], "light")
    page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = false; })")
    page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.evaluate("() => [...document.querySelectorAll('details')].every((one) => one.open)")
    assert page.evaluate("() => getComputedStyle(document.querySelector('nav')).display") == "none"
