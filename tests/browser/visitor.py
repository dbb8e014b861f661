"""A visitor with a real browser: opens the lab, and notes every request and every error.

Knows the browser only; what is on the page is known to `steps.py`.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HEIGHTS = {1280: 900, 390: 844}
ABORTED = ("AbortError", "Connection errored out")
"""What Gradio's client writes to the console when its page is left in the middle of a request."""
PATIENCE_MS = 60_000
"""Two busy cores: a limit for what never comes, not a measure."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's own browser, or else the one that playwright has fetched."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@dataclass
class Visitor:
    """One browser profile with one page of the lab open."""

    context: BrowserContext
    page: Page
    url: str
    outside_requests: list[str] = field(default_factory=list)
    console_errors: list[str] = field(default_factory=list)

    @classmethod
    @contextmanager
    def arrive(cls, browser: Browser, url: str, **options: Any) -> Iterator[Self]:
        """Open the lab with an empty profile.

        Args:
            browser: whose profile.
            url: the lab's address.
            **options: `width` in pixels, `path` behind the address, and whatever a browser context takes.
        """
        width, path = options.pop("width", 1280), options.pop("path", "/?__theme=light")
        context = browser.new_context(
            viewport={"width": width, "height": HEIGHTS[width]},
            **{"locale": "en-US", "reduced_motion": "reduce", **options},
        )
        context.set_default_timeout(PATIENCE_MS)
        visitor = cls(context, context.new_page(), url)
        context.on("request", lambda request: visitor._note_request(request.url))
        context.on("console", visitor._note_console)
        context.on("weberror", lambda error: visitor.console_errors.append(str(error.error)))
        visitor.page.goto(url + path)
        yield visitor
        context.close()

    def reload(self) -> None:
        """Reload the page. Gradio's client aborts what the old page was still fetching, and says so."""
        before = list(self.console_errors)
        self.page.reload()
        since = self.console_errors[len(before) :]
        self.console_errors = before + [e for e in since if not any(a in e for a in ABORTED)]

    def _note_request(self, address: str) -> None:
        if urlsplit(address).hostname not in (None, "127.0.0.1"):
            self.outside_requests.append(address)

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.console_errors.append(f"{message.text} ({message.location.get('url')})")
