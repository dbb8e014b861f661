"""The folds of the Playground: a closed one costs nothing, and only what is opened is built."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenVisitor
from tests.browser.steps import LabPage

PARTS = """panel => Object.fromEntries([...panel.querySelectorAll('.side > .fold, .glass > .fold')].map(
    (fold, place) => [fold.id || 'unnamed-' + place,
        fold.querySelectorAll(':scope > :not(button.label-wrap) :is(input, textarea, p, svg, .form, .hint)').length]))"""
"""Fold -> how many fields, texts and pictures the page holds of it."""


def parts(lab: LabPage) -> dict[str, int]:
    return dict(lab.panel().evaluate(PARTS))


def test_a_fold_is_built_when_it_is_opened_and_no_other_with_it(visit: OpenVisitor) -> None:
    lab = LabPage(visit().page).wait_until_ready()
    closed = parts(lab)
    under_the_glass = [name for name in closed if lab.page.locator(f".glass > #{name}").count()]
    assert len(under_the_glass) >= 9
    assert len(closed) > len(under_the_glass)
    assert set(closed.values()) == {0}
    for number, name in enumerate(under_the_glass, 1):
        lab.page.locator(f"#{name} > button.label-wrap").click()
        expect(lab.page.locator(f"#{name} .hint").first).to_be_visible()
        built = {fold for fold, count in parts(lab).items() if count}
        assert built == set(under_the_glass[:number])
