"""What the folds have found speaks the page's language, there and back, without being asked anew."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenVisitor
from tests.browser.steps import LabPage, violations

FOLDS = ("draws", "votes", "sensitivity")


def set_number(lab: LabPage, fold: str, name: str, value: float) -> None:
    field = lab.page.locator(f"#{fold}").get_by_label(lab.text(f"{fold}.{name}")).first
    field.fill(str(value))
    field.press("Tab")


def find_something(lab: LabPage) -> None:
    """A result in each of the folds, small and the same every time."""
    lab.set_longest_answer(6)
    lab.page.locator("#message textarea").fill("Name a river.")
    lab.unfold("draws.title")
    set_number(lab, "draws", "temperature", 0)
    set_number(lab, "draws", "longest", 3)
    lab.button("draws.go").click()
    expect(lab.page.locator("#draws .verdict")).to_have_text(filled(lab, "draws.all_equal", 20))
    lab.unfold("votes.title")
    set_number(lab, "votes", "temperature", 0)
    set_number(lab, "votes", "count", 2)
    lab.button("votes.go").click()
    expect(lab.page.locator("#votes .verdict")).to_contain_text(begun(lab, "votes.all_agree", 2))
    lab.unfold("sensitivity.title")
    for name, value in (("shots", 1), ("questions", 4), ("orders", 0), ("random_labels", 0)):
        set_number(lab, "sensitivity", name, value)
    lab.page.locator("#sensitivity textarea").fill("Mood?")
    lab.button("sensitivity.go").click()
    expect(lab.page.locator("#sensitivity .verdict")).to_be_visible()


def filled(lab: LabPage, key: str, count: int) -> str:
    return lab.said(key).replace("{count}", str(count))


def begun(lab: LabPage, key: str, count: int) -> str:
    """A sentence up to what the model has put into it."""
    return filled(lab, key, count).split("{")[0]


def shown(lab: LabPage) -> list[str]:
    return [str(lab.page.locator(f"#{fold} .verdict").text_content()) for fold in FOLDS]


def test_finished_results_follow_the_language_and_come_back(visit: OpenVisitor) -> None:
    lab = LabPage(visit().page).wait_until_ready()
    find_something(lab)
    english = shown(lab)
    for language in ("hu", "pl"):
        other = lab.switch_language(language)
        draws, votes, tried = (other.page.locator(f"#{fold}") for fold in FOLDS)
        expect(draws.locator(".verdict")).to_have_text(filled(other, "draws.all_equal", 20))
        expect(draws).to_contain_text(other.said("draws.greedy"))
        expect(votes.locator(".verdict")).to_contain_text(begun(other, "votes.all_agree", 2))
        expect(tried.locator(".in-numbers summary")).to_have_text(
            other.said("sensitivity.table.title")
        )
        expect(tried.locator(".found li").first).to_contain_text(
            other.said("sensitivity.found.zero").split("{")[0]
        )
    assert violations(lab.page) == []
    lab.switch_language("en")
    expect(lab.page.locator("#draws .verdict")).to_have_text(english[0])
    expect(lab.page.locator("#votes .verdict")).to_have_text(english[1])
    expect(lab.page.locator("#sensitivity .verdict")).to_have_text(english[2])


def test_a_run_during_which_the_language_changes_ends_in_the_new_one(visit: OpenVisitor) -> None:
    lab = LabPage(visit().page).wait_until_ready()
    lab.page.locator("#message textarea").fill("Tell me about the sea.")
    lab.unfold("draws.title")
    set_number(lab, "draws", "temperature", 0)
    set_number(lab, "draws", "longest", 24)
    lab.button("draws.go").click()
    lab.page.locator("#draws .batch-progress").wait_for()
    polish = lab.switch_language("pl")
    expect(lab.page.locator("#draws .verdict")).to_have_text(filled(polish, "draws.all_equal", 20))
    expect(lab.page.locator("#draws")).to_contain_text(polish.said("draws.greedy"))
    expect(polish.button("draws.go")).to_be_visible()
