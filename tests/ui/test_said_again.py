"""Finished results are told in the page's language; what a browser holds instead of one is an empty picture."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from demo.experiment_records import KindFinding, Measured, Rung, Search, Sensitivity, Variant
from demo.lab import Lab
from demo.prompting.judging import packed
from demo.prompting.report.readable import readable
from demo.records import Answer, Sampling, Scored, TokenChoice
from demo.settings import LabSettings
from demo.ui.glass import (
    batch,
    code,
    draws,
    judge,
    keep,
    kept,
    next_token,
    pairs,
    posed,
    said_again,
    search,
    sensitivity,
    votes,
)  # fmt: skip
from demo.ui.glass.section import Asked
from demo.ui.language import LANGUAGES, Labels, Texts
from demo.ui.memory import browser_memory
from demo.ui.shell import Shell
from demo.ui.tabs import playground

TEXTS = Texts.load()
SKIP = gr.skip()
MEASURED = Measured((True, False, True, True), 41.5, 0.3, 0.95)
EXPERIMENT = Sensitivity(
    variants=(
        Variant("as_given", 1, "<b>as given</b>", MEASURED, True),
        Variant("order", 1, "2 1", MEASURED, True),
    ),
    findings=(KindFinding("order", 2, 0.75, 0.4, 0.9, 0.8, 0.7, 0.6),),
    labels=("happy", "unhappy"), guess=0.5, questions=4, shots=2, asked=8, total=8, done=True,
)  # fmt: skip
LADDER = Search(
    "done",
    rungs=(Rung("proposed", "Say <i>the</i> mood.", MEASURED, 0.4), Rung("given", "Mood?", MEASURED)),
    proposed=1, discarded=3, questions=4, asked=9, total=9, done=True,
)  # fmt: skip
DRAWN = [Answer("Paris.", 2, 20, done=True, reason="end")] * 2
SCORES = [
    [text, packed(Scored((TokenChoice(1, text, logprob, 1),), 3))]
    for text, logprob in ((" 1", -1.0), (" 2", -2.0))
]
ASKED = posed.Posed(posed.Words("What <b>as given</b>?", "three shots"), Sampling(temperature=0.8))
RESULTS: dict[str, tuple[said_again.Redraw, dict[str, Any]]] = {
    "draws": (
        draws.settle,
        {"draws": batch.kept(DRAWN), "warmth": 0.8, "asked": ASKED.kept()},
    ),
    "votes": (
        votes.settle,
        {"draws": batch.kept(DRAWN), "rule": "none", "truth": "Paris", "asked": ASKED.kept()},
    ),
    "sensitivity": (sensitivity.redraw, {"sensitivity": asdict(EXPERIMENT)}),
    "search": (search.redraw, {"search": asdict(LADDER)}),
    "judge": (judge.redraw, {"judged": SCORES, "per_token": True, "asked": ASKED.kept()}),
    "pairs": (pairs.settle, {"kind": "words", "scores": [[-1.0, -2.0]] * 2}),
    "code": (code.redraw, {"code": "print('<b>')"}),
    "keep": (keep.redraw, {}),
}
FORGED: tuple[Any, ...] = (
    None,
    5,
    "x",
    [],
    {},
    [[]],
    {"a": 1},
    True,
    float("inf"),
    "x" * 50_000,
    10**400,
)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """The page's ground over a lab whose model is never asked for."""
    home: Path = tmp_path_factory.mktemp("home")
    with gr.Blocks():
        language = gr.Radio(["en"], value="en")
        yield Shell(Lab(LabSettings(home=home)), TEXTS, Labels(TEXTS), browser_memory(), language)


def again(shell: Shell, name: str, change: dict[str, Any], language: str = "hu") -> Any:
    redraw, found = RESULTS[name]
    value = {"html": "old", **found, "language": "en", **change}
    return said_again.said_again(shell, redraw, value, language)


@pytest.mark.parametrize("name", RESULTS)
def test_a_finished_result_is_told_in_every_language_and_back(shell: Shell, name: str) -> None:
    told = {
        language: again(shell, name, {"language": "hu" if language == "en" else "en"}, language)
        for language in LANGUAGES
    }
    assert len({str(value["html"]) for value in told.values()}) == len(LANGUAGES)
    for language, value in told.items():
        assert value["language"] == language
        assert "<b>as given" not in str(value["html"])
        # What it keeps is enough to tell it once more.
        other = "hu" if language == "pl" else "pl"
        assert said_again.said_again(shell, RESULTS[name][0], value, other) == told[other]


@pytest.mark.parametrize("name", RESULTS)
def test_what_is_told_in_this_language_or_under_way_stays_as_it_is(shell: Shell, name: str) -> None:
    assert again(shell, name, {}, "en") == SKIP
    for mark in ("", None, "de", ["en"]):
        assert again(shell, name, {"language": mark}) == SKIP
    for value in ("", None, {"html": "reading"}):
        assert said_again.said_again(shell, RESULTS[name][0], value, "hu") == SKIP


@pytest.mark.parametrize("name", RESULTS)
def test_what_nobody_gave_a_browser_is_drawn_without_a_trace(shell: Shell, name: str) -> None:
    for key in RESULTS[name][1]:
        for value in FORGED:
            assert "html" in again(shell, name, {key: value})


@pytest.mark.parametrize(
    ("name", "record", "path", "value"),
    [
        ("sensitivity", EXPERIMENT, ("variants",), []),
        ("sensitivity", EXPERIMENT, ("variants", 0, "kind"), "<script>"),
        ("sensitivity", EXPERIMENT, ("variants", 0, "measured", "right"), [True] * 5_000),
        ("sensitivity", EXPERIMENT, ("findings", 0, "mean"), float("nan")),
        ("sensitivity", EXPERIMENT, ("findings", 0, "mean"), "0.5"),
        ("sensitivity", EXPERIMENT, ("asked",), 1.5),
        ("search", LADDER, ("rungs", 0, "text"), "x" * 50_000),
        ("search", LADDER, ("rungs", 0, "measured"), None),
        ("search", LADDER, ("stage",), "over"),
        ("search", LADDER, ("rungs",), {"0": 1}),
    ],
)
def test_an_experiment_that_no_lab_measured_is_an_empty_picture(
    shell: Shell, name: str, record: Any, path: tuple[Any, ...], value: Any
) -> None:
    forged = inner = _as_json(asdict(record))
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    assert again(shell, name, {name: forged}) == {"html": ""}


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_json(one) for key, one in value.items()}
    return [_as_json(one) for one in value] if isinstance(value, tuple) else value


def test_a_record_comes_back_from_the_browser_as_it_was() -> None:
    for record in (EXPERIMENT, LADDER):
        assert kept.read(type(record), _as_json(asdict(record))) == record


def test_one_listener_tells_all_folds_again_and_none_asks_the_model(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell.lab, "engine", None)
    redraws = [redraw for redraw, _ in RESULTS.values()]
    given = {
        f"{said_again.KEPT}{n}": {"html": "", **found, "language": "en"}
        for n, (_, found) in enumerate(RESULTS.values())
    }
    told = said_again.all_said_again(shell, redraws, "pl", **given | {f"{said_again.KEPT}0": ""})
    assert told[0] == SKIP
    assert [value["language"] for value in told[1:]] == ["pl"] * (len(redraws) - 1)


def test_every_result_of_a_fold_that_the_server_draws_follows_the_language(shell: Shell) -> None:
    parts = playground.build(shell)
    asked = Asked(parts.inputs(shell), parts.chat, parts.message)
    # The lens is drawn by the browser, which follows the language by itself.
    for fold in (next_token.build, *playground.FOLDS[1:]):
        fold(shell, asked)
    following = {id(part) for part, _ in asked.redraws}
    drawn_by_the_browser = {"attention"}
    by_its_own_listener = {"next_token", "next_token_picture"}
    left = {name for name, part in asked.results.items() if id(part) not in following}
    assert left == drawn_by_the_browser | by_its_own_listener


def test_a_look_during_which_the_language_changed_is_drawn_once_more(shell: Shell) -> None:
    looked = {"candidates": [[1, "a", 2.0, 0], [2, "b", 1.0, 0]], "tail": [], "prompt_tokens": 9}
    knobs = {"temperature": 1.0, "language": "hu"}
    again_drawn = next_token.after_look(shell, looked | {"language": "en"}, **knobs)
    assert TEXTS.say("hu", "next_token.token") in str(again_drawn)
    assert next_token.after_look(shell, looked | {"language": "hu"}, **knobs) == SKIP


def test_the_language_of_a_picture_is_no_part_of_a_report() -> None:
    assert readable("draws", {"html": "x", "language": "hu", "warmth": 1}) == {"warmth": 1}
    assert readable("keep", {"html": "x", "language": "hu"}) == {}
