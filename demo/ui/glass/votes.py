"""The fold "Ask N times and vote": self-consistency (Wang et al. 2022) on the present question.

Knows no model; the lab draws, `demo.prompting.votes` counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import gradio as gr
from markupsafe import Markup

from demo.checks import chosen
from demo.lab.answers import MOST_DRAWS
from demo.prompting.extract import EXTRACTORS
from demo.records import Answer, Sampling
from demo.ui.asking import answer_rule
from demo.ui.glass import batch, said_again
from demo.ui.glass.ballot import ballot
from demo.ui.glass.posed import Posed, line, marked, posed, read_posed
from demo.ui.glass.said_again import told_in
from demo.ui.glass.section import Asked, question_now, section
from demo.ui.shell import STREAM, Shell, wire, wire_stop
from demo.ui.views import notice

COUNT = 10
TEMPERATURE = 0.7
"""What Wang et al. draw most of their chains with."""
LONGEST_TRUTH = 200
BY_FILE = ""
"""The choice of the extractor that the prompt file names."""


@dataclass(frozen=True)
class Election:
    """What is voted on, and what was said so far."""

    rule: str
    """The extractor that finds the answer in a chain."""
    truth: str
    """The right answer, where the visitor knows it."""
    answers: list[Answer] = field(default_factory=list)
    asked: Posed | None = None
    found: bool = False
    """Nobody named a rule: where every chain has a number, the last one is its answer."""

    @property
    def counted(self) -> str:
        """The extractor that is used."""
        done = [answer.text for answer in batch.ended(self.answers)]
        numbers = self.found and bool(done) and all(map(EXTRACTORS["last_number"], done))
        return "last_number" if numbers else self.rule


def build(shell: Shell, asked: Asked) -> None:
    """Lay out the fold and wire it."""
    add = shell.labels.add
    low, high, _ = Sampling.RANGES["temperature"]
    with section(shell, "votes"):
        with gr.Row(elem_classes="fold-knobs"):
            knob = {"interactive": True, "buttons": [], "min_width": 200}
            count = add(
                gr.Slider, "votes.count", minimum=2, maximum=MOST_DRAWS, step=1, value=COUNT, **knob
            )
            warmth = add(
                gr.Slider, "votes.temperature", minimum=low, maximum=high, step=0.05,
                value=TEMPERATURE, **knob,
            )  # fmt: skip
            rule = add(gr.Dropdown, "votes.rule", value=BY_FILE, interactive=True, min_width=200)
            truth = add(gr.Textbox, "votes.truth", lines=1, interactive=True, min_width=200)
        with gr.Row(elem_classes="fold-actions"):
            go = add(gr.Button, "votes.go", elem_classes="when-drawn", min_width=90)
            stop = add(gr.Button, "votes.stop", elem_classes="when-drawing", min_width=90)
        shown = batch.picture()
    asked.results["votes"] = shown
    inputs = asked.inputs | {"count": count, "warmth": warmth, "rule": rule, "truth": truth}
    voting = wire([go.click], shell.bind(vote), inputs, shown, **STREAM)
    kept = {"value": shown, "language": shell.language}
    wire_stop(stop, [voting], shell.bind(settle), kept, shown)
    said_again.follow(shell, asked, shown, settle, [voting])


def vote(shell: Shell, request: gr.Request, **given: Any) -> Iterator[dict[str, Any]]:
    """Draw chains for the present question; votes are counted as chains come to their end."""
    language = given["language"]
    try:
        rule = _rule(shell, given)
        found = given["rule"] == BY_FILE and rule == "none"
        election = Election(rule, _truth(given), found=found)
        yield shown(shell, language, election, live=True)
        question = batch.drawn_with(
            question_now(shell, request, given), temperature=given["warmth"]
        )
        answers: list[Answer] = []
        election = replace(election, asked=posed(shell, given, question, drawn=True))
        for answers in batch.follow(shell, question, given["count"]):
            election = replace(election, answers=answers)
            yield shown(shell, language, election, live=True)
        if failed := batch.failure(answers):
            raise failed
        yield shown(shell, language, election, live=False)
    except Exception as error:
        yield {"html": notice(shell.explain(language, error))}


def _truth(given: dict[str, Any]) -> str:
    return str(given["truth"] or "").strip()[:LONGEST_TRUTH]


def _rule(shell: Shell, given: dict[str, Any]) -> str:
    """The chosen extractor, or the one that what frames the question names."""
    if given["rule"] != BY_FILE:
        return chosen("answer", given["rule"], tuple(EXTRACTORS))
    return answer_rule(shell, given) or "none"


def settle(shell: Shell, value: Any, language: str) -> dict[str, Any]:
    """The votes of the chains that have ended, or had when it was stopped, told in this language."""
    given = value if isinstance(value, dict) else {}
    rule, truth = str(given.get("rule", "")), str(given.get("truth", ""))[:LONGEST_TRUTH]
    known = rule if rule in EXTRACTORS else "none"
    election = Election(known, truth, batch.read_kept(value), read_posed(value))
    return shown(shell, language, election, live=False)


def shown(shell: Shell, language: str, election: Election, *, live: bool) -> dict[str, Any]:
    """The picture, and the chains that it counts."""
    rule = election.counted
    html = ballot(shell.texts, language, election.answers, (rule, election.truth), live)
    what = "votes.whole" if rule == "none" else f"taken.{rule}"
    said = shell.texts.say(language, "votes.counted", what=shell.texts.say(language, what))
    told = Markup('<p class="facts">{}</p>').format("" if live else said)
    return {
        "html": html + told + line(shell.texts, language, election.asked),
        "draws": batch.kept(election.answers),
        "rule": rule,
        "truth": election.truth,
        **marked(election.asked),
        **({} if live else told_in(language)),
    }
