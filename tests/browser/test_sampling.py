"""Sampling made visible in a real browser: one look redrawn by the controls, twenty draws, a vote."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenVisitor
from tests.browser.steps import LabPage, violations

QUESTION = "What is the capital of France? Answer with one word."


def set_control(lab: LabPage, name: str, value: float) -> None:
    """Type a value into a sampling control of the Playground."""
    field = lab.panel().get_by_label(lab.text(f"sampling.{name}")).first
    field.fill(str(value))
    field.press("Tab")


@pytest.mark.parametrize("width", [1280, 390])
def test_one_look_is_redrawn_as_the_controls_move(visit: OpenVisitor, width: int) -> None:
    lab = LabPage(visit(width=width).page).wait_until_ready()
    lab.page.locator("#message textarea").fill(QUESTION)
    lab.unfold("next_token.title")
    lab.button("next_token.look").click()
    table = lab.page.locator("#next-token table.next-token")
    expect(table.locator("tbody tr")).to_have_count(16)
    expect(lab.page.locator("#next_token")).to_contain_text("greedy: it always takes")

    lab.unfold("framing.sampling")
    set_control(lab, "temperature", 1)
    expect(table.locator("tr.cut")).to_have_count(0)
    set_control(lab, "top_k", 3)
    expect(table.locator("tr.cut")).to_have_count(12)
    beside = lab.page.locator(".sampling-strip tr").first
    expect(beside).to_be_in_viewport()
    expect(beside).to_contain_text(str(table.locator("tbody tr .number").nth(1).text_content()))
    expect(table.locator("tr.cut s").first).to_be_visible()
    expect(table.locator("tr.cut").first).to_contain_text("cut by Top-k")
    assert violations(lab.page) == []
    assert lab.overflow() <= 0


def test_twenty_draws_are_grouped_and_can_be_stopped(visit: OpenVisitor) -> None:
    lab = LabPage(visit().page).wait_until_ready()
    lab.page.locator("#message textarea").fill(QUESTION)
    lab.unfold("draws.title")
    lab.button("draws.go").click()
    verdict = lab.page.locator("#draws .verdict")
    expect(verdict).to_contain_text("20 draws")
    counts = lab.page.locator("#draws .times").all_text_contents()
    assert sum(int(count.split()[0]) for count in counts) == 20

    lab.page.locator("#message textarea").fill("Write a long story about the sea.")
    longest = lab.page.locator("#draws input[type=number]").last
    longest.fill("128")
    longest.press("Tab")
    lab.button("draws.go").click()
    lab.page.locator("#draws .unfinished li").first.wait_for()
    lab.button("draws.stop").click()
    expect(verdict).to_be_visible()
    expect(lab.page.locator("#draws")).to_contain_text("not counted")
    expect(lab.button("draws.go")).to_be_visible()
    assert violations(lab.page) == []


def test_chains_vote_and_the_right_answer_is_measured(visit: OpenVisitor) -> None:
    lab = LabPage(visit(width=390).page).wait_until_ready()
    lab.set_longest_answer(40)
    lab.page.locator("#message textarea").fill("What is 3 + 4?")
    lab.unfold("votes.title")
    lab.panel().get_by_label(lab.text("votes.rule")).click()
    lab.page.get_by_role("option", name="last number").click()
    lab.panel().get_by_label(lab.text("votes.truth")).fill("7")
    lab.button("votes.go").click()
    expect(lab.page.locator("#votes .verdict")).to_be_visible()
    expect(lab.page.locator("#votes")).to_contain_text("of 10 cases")
    chains = lab.page.locator("#votes details.chain")
    expect(chains).to_have_count(10)
    chains.first.locator("summary").click()
    expect(chains.first.locator(".said")).to_be_visible()
    assert violations(lab.page) == []
    assert lab.overflow() <= 0
