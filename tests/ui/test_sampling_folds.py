"""What the folds of sampling answer: with the real model, on every path that a visitor can take."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from demo.lab import Lab
from demo.records import Sampling
from demo.settings import LabSettings
from demo.ui import speech
from demo.ui.glass import batch, code, draws, judge, next_token, votes
from demo.ui.language import Labels, Texts
from demo.ui.memory import browser_memory
from demo.ui.shell import Shell
from demo.ui.tabs import playground

REQUEST = gr.Request(session_hash="a visitor")
LONG = " ".join(f"Line {n}: the {n}th boat is older than the one before it." for n in range(20))


@pytest.fixture(scope="module")
def lab(own_home: Path) -> Iterator[Lab]:
    """A lab of its own that shares the converted model; one question at a time for each visitor."""
    lab = Lab(LabSettings(home=own_home, answers_per_visitor=1))
    lab.engine.start()
    lab.engine.wait_ready(240)
    yield lab
    lab.engine.close()


@pytest.fixture(scope="module")
def shell(lab: Lab) -> Iterator[Shell]:
    texts = Texts.load()
    with gr.Blocks():
        yield Shell(lab, texts, Labels(texts), browser_memory(), gr.Radio(["en"], value="en"))


@pytest.fixture(scope="module")
def inputs(shell: Shell) -> dict[str, Any]:
    """What the Playground's components hold at first."""
    parts = playground.build(shell)
    return {name: part.value for name, part in parts.inputs(shell).items()}


@pytest.fixture
def given(inputs: dict[str, Any]) -> dict[str, Any]:
    """The same with a question and what the folds' own controls hold, for short answers."""
    chat = speech.chat(Texts.load(), "en", ())
    own = {"warmth": 0.8, "longest": 6, "count": 4, "rule": "last_number", "truth": "7"}
    return inputs | own | {"chat": chat, "message": "What is 3 + 4?", "max_new_tokens": 16}


def html_of(value: Any) -> str:
    return str(value["html"] if isinstance(value, dict) else value)


def test_one_look_is_redrawn_without_asking_the_model_again(
    shell: Shell, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, (kept, picture) = next_token.look(shell, REQUEST, **given)
    assert "greedy: it always takes" in str(picture)
    monkeypatch.setattr(shell.lab, "next_token", None)
    monkeypatch.setattr(shell.lab, "engine", None)
    knobs = {name: given[name] for name in Sampling.RANGES} | {"temperature": 1.0, "top_k": 2}
    redrawn = next_token.redraw(shell, kept, "hu", **knobs)
    assert str(redrawn).count('<tr class="cut">') == 13
    refused = next_token.redraw(shell, kept, "en", **knobs | {"top_k": 5000})
    assert "top-k must be between 0 and 1,000" in str(refused)


def test_nothing_is_drawn_before_the_first_look(shell: Shell, given: dict[str, Any]) -> None:
    knobs = {name: given[name] for name in Sampling.RANGES}
    for kept in ({}, None, "forged"):
        assert next_token.redraw(shell, kept, "en", **knobs) == gr.skip()


def test_twenty_draws_read_a_long_prompt_once_and_are_all_counted(
    shell: Shell, given: dict[str, Any]
) -> None:
    *_, last = draws.draw(shell, REQUEST, **given | {"message": LONG})
    answers = batch.read_kept(last)
    assert len(answers) == 20
    assert all(a.done and 0 < a.tokens <= 6 for a in answers)
    assert answers[0].prompt_tokens > 300
    # One whole reading, and the last token of the prompt for every other draw.
    assert sum(a.prompt_tokens - a.reused for a in answers) <= answers[0].prompt_tokens + 19
    assert "20 draws" in html_of(last)


def test_the_draws_of_a_short_prompt_read_it_once_too(shell: Shell, given: dict[str, Any]) -> None:
    *_, last = draws.draw(shell, REQUEST, **given | {"message": "Name a river that nobody knows."})
    answers = batch.read_kept(last)
    assert sum(a.prompt_tokens - a.reused for a in answers) <= answers[0].prompt_tokens + 19


def test_at_temperature_0_all_draws_are_equal_and_the_page_says_why(
    shell: Shell, given: dict[str, Any]
) -> None:
    *_, last = draws.draw(shell, REQUEST, **given | {"warmth": 0.0})
    assert len({a.text for a in batch.read_kept(last)}) == 1
    assert "20 draws, and all say the same." in html_of(last)
    assert "so all draws are equal" in html_of(last)


def test_draws_stopped_half_way_are_kept_and_their_place_is_free_again(
    shell: Shell, given: dict[str, Any]
) -> None:
    with closing(draws.draw(shell, REQUEST, **given | {"longest": 128})) as stream:
        shown = next(value for value in stream if any(a.tokens for a in batch.read_kept(value)))
    settled = draws.settle(shell, shown, "en")
    assert "drawing" not in html_of(settled)
    assert "not counted" in html_of(settled)
    *_, again = draws.draw(shell, REQUEST, **given)
    assert "20 draws" in html_of(again)


def test_chains_vote_and_a_single_chain_is_measured(shell: Shell, given: dict[str, Any]) -> None:
    *_, last = votes.vote(shell, REQUEST, **given)
    assert len(batch.read_kept(last)) == 4
    assert "of 4 cases" in html_of(last)
    assert html_of(last).count("<details") == 4
    assert html_of(votes.settle(shell, last, "pl")).count("<details") == 4


def test_the_prompt_files_own_extractor_is_the_rule_unless_one_is_chosen(
    shell: Shell, given: dict[str, Any]
) -> None:
    file = next(f for f in shell.lab.prompts.all() if f.answer not in ("none", "json"))
    *_, last = votes.vote(shell, REQUEST, **given | {"file": file.name, "rule": ""})
    assert last["rule"] == file.answer
    *_, last = votes.vote(shell, REQUEST, **given | {"rule": ""})
    assert last["rule"] == "none"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"message": ""}, "message is empty"),
        ({"warmth": 9}, "temperature must be between"),
        ({"message": "word " * 9000}, "The prompt has|the most is"),
    ],
)
def test_what_cannot_be_asked_is_explained_in_the_fold(
    shell: Shell, given: dict[str, Any], changed: dict[str, Any], said: str
) -> None:
    for handler in (draws.draw, votes.vote):
        *_, last = handler(shell, REQUEST, **given | changed)
        assert any(words in html_of(last) for words in said.split("|"))


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"count": 33}, "draws must be between 1 and 32"), ({"rule": "eval"}, "must be one of")],
)
def test_votes_out_of_bounds_are_refused(
    shell: Shell, given: dict[str, Any], changed: dict[str, Any], said: str
) -> None:
    *_, last = votes.vote(shell, REQUEST, **given | changed)
    assert said in html_of(last)


def test_a_visitor_with_an_answer_under_way_is_told_so_in_every_fold(
    shell: Shell, given: dict[str, Any]
) -> None:
    with closing(draws.draw(shell, REQUEST, **given | {"longest": 128})) as stream:
        next(value for value in stream if any(a.tokens for a in batch.read_kept(value)))
        *_, voted = votes.vote(shell, REQUEST, **given)
        *_, (_, looked) = next_token.look(shell, REQUEST, **given)
    for value in (voted, looked):
        assert "1 answers under way already" in html_of(value)


def test_every_result_keeps_what_it_was_asked_when_the_question_moves_on(
    shell: Shell, given: dict[str, Any]
) -> None:
    *_, drawn = draws.draw(shell, REQUEST, **given)
    *_, voted = votes.vote(shell, REQUEST, **given | {"warmth": 0.5, "count": 2})
    *_, (looked, _) = next_token.look(shell, REQUEST, **given)
    for value in (drawn, voted, looked):
        assert value["asked"]["question"] == "What is 3 + 4?"
    assert (drawn["asked"]["temperature"], drawn["asked"]["max_new_tokens"]) == (0.8, 6)
    assert (voted["asked"]["temperature"], voted["asked"]["max_new_tokens"]) == (0.5, 16)
    assert "Asked: “What is 3 + 4?” · chat · base model · temperature 0.8" in html_of(drawn)
    assert "temperature 0,8" not in html_of(draws.settle(shell, drawn, "en"))
    assert "„What is 3 + 4?”" in html_of(draws.settle(shell, drawn, "hu"))


def test_the_judge_keeps_its_text_and_without_one_names_the_field(
    shell: Shell, given: dict[str, Any]
) -> None:
    own = {"before": "The capital of France is", "options": "Paris.\nRome.", "per_token": False}
    *_, found = judge.judge(shell, REQUEST, **given | own | {"chat_answer": False})
    assert found["asked"]["question"] == own["before"]
    assert "“The capital of France is” · plain text · base model" in html_of(found)
    again = judge.measured_by(shell, found, True, "en")
    assert again["asked"] == found["asked"]
    for chat in (False, True):
        empty = own | {"before": " ", "chat_answer": chat}
        *_, refused = judge.judge(shell, REQUEST, **given | empty)
        assert "“The text so far” is empty" in html_of(refused)


def test_code_that_was_shown_is_followed_even_through_a_refusal(
    shell: Shell, given: dict[str, Any]
) -> None:
    found = code.show(shell, REQUEST, **given)
    refused = code.show(shell, REQUEST, **given | {"message": ""})
    assert found["shown"]
    assert refused["shown"]
    assert "code" not in refused
