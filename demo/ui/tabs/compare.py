"""Compare: one question to the base model and up to three adapters at once, side by side.

Knows nothing of runs; Fine-tune fills it in through its `Compare` parts.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo.records import BASE, AnswerRequest
from demo.ui import speech
from demo.ui.asking import Framing, answer_rule, frame_title, framed, framing
from demo.ui.judging import scoreboard, xray
from demo.ui.shell import QUIET, STREAM, Shell, chain, wire, wire_stop
from demo.ui.speech import Turn
from demo.ui.views import notice

FOLDS = (xray.build, scoreboard.build)
"""What judges the columns, one fold each, under the answers."""
MOST = 3
"""Adapters beside the base; the lab refuses more."""


@dataclass(frozen=True)
class Compare:
    """The tab's components."""

    question: Any
    adapters: Any
    go: Any
    stop: Any
    verdict: Any
    first: Any
    columns: Any
    framing: Framing

    def inputs(self, shell: Shell) -> dict[str, Any]:
        """What a comparison needs."""
        plain = {"message": self.question, "adapters": self.adapters}
        return plain | {"memory": shell.memory, "language": shell.language} | self.framing.inputs()

    def outputs(self) -> list[Any]:
        """What a comparison changes."""
        return [self.columns, self.verdict]


def build(shell: Shell) -> Compare:
    """Lay out the tab, then wire it."""
    labels = shell.labels
    labels.add(gr.HTML, "compare.intro", elem_classes="lead")
    with gr.Row(elem_classes="desk"):
        with gr.Column(scale=3, min_width=320, elem_classes="main"):
            question = labels.add(
                gr.Textbox,
                "compare.question",
                lines=1,
                max_lines=8,
                interactive=True,
                elem_id="question",
            )
            with gr.Row(elem_classes="actions"):
                adapters = labels.add(
                    gr.Dropdown,
                    "compare.adapters",
                    choices=[],
                    value=[],
                    multiselect=True,
                    max_choices=MOST,
                    interactive=True,
                    elem_id="adapters",
                    scale=3,
                    min_width=220,
                )
                stop = labels.add(
                    gr.Button, "compare.stop", elem_classes="when-busy", min_width=110, scale=1
                )
                go = labels.add(
                    gr.Button,
                    "compare.go",
                    elem_classes="when-idle",
                    variant="primary",
                    min_width=110,
                    scale=1,
                )
            first = gr.HTML("")
        with gr.Column(scale=2, min_width=300, elem_classes="side"):
            knobs = framing(shell, question)
    verdict = gr.HTML("")
    columns = gr.HTML(
        {"html": "", "turns": []}, html_template="${value.html}", elem_id="columns", js_on_load=None
    )
    parts = Compare(question, adapters, go, stop, verdict, first, columns, knobs)
    _wire(shell, parts)
    for fold in FOLDS:
        fold(shell, parts)
    return parts


def _wire(shell: Shell, parts: Compare) -> None:
    inputs, outputs = parts.inputs(shell), parts.outputs()
    asked = wire(
        [parts.go.click, parts.question.submit],
        shell.bind(compare, parts),
        inputs,
        outputs,
        **STREAM,
    )
    kept = {"columns": parts.columns, "language": shell.language}
    settled = wire_stop(parts.stop, [asked], shell.bind(settle), kept, parts.columns)
    # The next question need not wait for the proof.
    for ended in (asked, settled):
        chain(ended, shell.bind(prove), kept, parts.columns, **QUIET)


def compare(
    shell: Shell, parts: Compare, request: gr.Request, **given: Any
) -> Iterator[dict[Any, Any]]:
    """Stream all columns from one batch; stopping or leaving frees their places."""
    language, titles = given["language"], _titles(shell, given)
    begun: dict[Any, Any] = {}
    try:
        question = framed(shell, request, given)
        names = [BASE, *(name for name in given["adapters"] or [] if name != BASE)]
        frame = {"file": frame_title(shell, given), "rule": answer_rule(shell, given)}
        turns = [Turn(given["message"], name, titles.get(name, name), **frame) for name in names]
        # What an error leaves: no columns that would wait for ever.
        begun = {parts.columns: speech.columns(shell.texts, language, (), None)}
        yield {
            parts.columns: speech.columns(shell.texts, language, turns, None),
            parts.verdict: "",
        }
        with closing(shell.lab.compare(question, names)) as increments:
            for answers in speech.paced(increments, shell.gap):
                pairs = zip(turns, answers, strict=True)
                turns = [speech.grown(shell.texts, language, t, a) for t, a in pairs]
                yield {parts.columns: speech.columns(shell.texts, language, turns, None)}
        same = _same(shell, question)
        yield {parts.columns: speech.columns(shell.texts, language, turns, None, same)}
    except Exception as error:
        yield begun | {parts.verdict: notice(shell.explain(language, error))}


def _same(shell: Shell, question: AnswerRequest) -> dict[str, Any]:
    sampling = question.sampling
    tokens = len(shell.lab.render(question).ids)
    return {"tokens": tokens, "seed": sampling.seed, "temperature": sampling.temperature}


def settle(shell: Shell, columns: Any, language: str) -> Any:
    """Mark the answers that were under way as stopped."""
    turns = speech.stopped(speech.read_turns(columns))
    return speech.columns(shell.texts, language, turns, None)


def prove(shell: Shell, columns: Any, language: str) -> Any:
    """Check the base again, and draw what has ended under that proof in the page's language."""
    turns = speech.read_turns(columns)
    if not turns or speech.under_way(turns):
        return gr.skip()
    proof = shell.lab.base_proof() if shell.lab.status().state == "ready" else None
    return speech.columns(shell.texts, language, turns, proof, speech.read_same(columns))


def _titles(shell: Shell, given: dict[str, Any]) -> dict[str, str]:
    return {
        name: title for title, name in shell.adapter_choices(given["memory"], given["language"])
    }
