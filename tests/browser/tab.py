"""One person's tab with the interface of Open WebUI: what is clicked, typed and read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from local.twin import Twin
from tests.browser.chromium import Browser, Context, Locator, Page, Seen, watched

INPUT = "#chat-input"
SEND = "#send-message-button"
ANSWERS = ".chat-assistant"
STOP = '#message-input-container button[aria-label="Stop"]'
"""The button that is there while an answer is generated."""
WORKING = "#message-input-container .spinner_ajPY"
"""A file that is still uploaded or embedded: until then the page sends no question."""
NEWS = "Okay, Let's Go!"
"""Closes what a version shows an administrator once, some time after the page."""
MENU = "User menu"

_NOTE = """() => {
  window.heard = [];
  const note = () => {
    const all = document.querySelectorAll('.chat-assistant');
    const text = all.length ? all[all.length - 1].innerText.trim() : '';
    const last = window.heard[window.heard.length - 1];
    if (text && (!last || last[1] !== text)) window.heard.push([performance.now(), text]);
  };
  new MutationObserver(note).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""
_SAYS = "text => [...document.querySelectorAll('.chat-assistant')].some(one => one.innerText.includes(text))"


@dataclass
class Tab:
    """A tab with a separate profile."""

    twin: Twin
    context: Context
    page: Page
    seen: Seen

    @classmethod
    def of(cls, twin: Twin, browser: Browser) -> Tab:
        """An empty profile, as of a user who was never here."""
        context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
        page = context.new_page()
        page.add_locator_handler(page.get_by_role("button", name=NEWS), lambda news: news.click())
        return cls(twin, context, page, watched(page))

    def identify(self, subject: str) -> None:
        """Open the interface, which leads to the provider, and log in there."""
        self.page.goto(self.twin.url)
        self.page.locator(f'button[name="sub"][value="{subject}"]').click()
        self.page.wait_for_url(lambda url: url.startswith(self.twin.url))

    def log_in(self, subject: str) -> Tab:
        """Log in, and wait for the interface."""
        self.identify(subject)
        self.input.wait_for()
        return self

    @property
    def input(self) -> Locator:
        """Where questions are typed."""
        return self.page.locator(INPUT)

    @property
    def answer(self) -> str:
        """The last answer, as far as it is shown."""
        return self.page.locator(ANSWERS).last.inner_text().strip()

    def begin(self) -> None:
        """A new chat."""
        self.page.goto(self.twin.url)
        self.input.wait_for()

    def ask(self, text: str) -> None:
        """Type a question and send it."""
        self.input.click()
        self.input.fill(text)
        self.page.locator(SEND).click()

    def listen(self) -> None:
        """From now on remember each state of the last answer that the page shows."""
        self.page.evaluate(_NOTE)

    def heard(self) -> list[tuple[float, str]]:
        """Milliseconds and text of each state since ``listen``."""
        return [(float(at), str(text)) for at, text in self.page.evaluate("() => window.heard")]

    def wait_for_answer(self, text: str) -> None:
        """Until an answer says this."""
        self.page.wait_for_function(_SAYS, arg=text)

    def attach(self, *files: Path) -> None:
        """Attach files to the next question, and wait until each is processed."""
        self.page.locator("input[type=file]").first.set_input_files(files)
        for file in files:
            self.page.get_by_text(file.name).wait_for()
        self.page.locator(WORKING).first.wait_for(state="detached")

    def open_menu(self) -> None:
        """The menu with the person's name."""
        self.page.get_by_role("button", name=MENU).last.click()
        self.page.get_by_text("Sign Out").wait_for()
