"""A real Chromium, and visitors who each have a browser profile of their own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser

from tests.browser.visitor import Visitor, chromium
from tests.running import RunningApp

OpenVisitor = Callable[..., Visitor]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def visit(browser: Browser, running_app: RunningApp) -> Iterator[OpenVisitor]:
    """Open the lab as a new visitor; in the end nobody may have seen an error or left the machine."""
    with ExitStack() as leaving:

        def open_visitor(**options: object) -> Visitor:
            return leaving.enter_context(Visitor.arrive(browser, running_app.url, **options))

        visitors: list[Visitor] = []
        yield lambda **options: visitors.append(open_visitor(**options)) or visitors[-1]
        for visitor in visitors:
            assert visitor.outside_requests == []
            assert visitor.console_errors == []
