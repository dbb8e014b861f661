"""The fold "Keep it": the chat and what every fold has found, as a report, as JSON or as a table.

Gathers what the browser holds; the files are written below, and nothing is computed anew. Knows no
fold: each one names the component that holds its result.
"""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import gradio as gr

from demo.prompting.report.files import as_csv, as_json
from demo.prompting.report.page import Look, as_page
from demo.prompting.report.readable import readable
from demo.prompting.report.records import Part, Report
from demo.records import AnswerRequest
from demo.ui import speech
from demo.ui.glass import said_again
from demo.ui.glass.posed import marked, read_posed
from demo.ui.glass.said_again import told_in
from demo.ui.glass.section import Asked, question_now, section
from demo.ui.memory import recalled
from demo.ui.report_style import report_style
from demo.ui.shell import QUIET, Shell, wire
from demo.ui.views import notice

KINDS = {"page": "html", "json": "json", "csv": "csv"}
FOUND, PICTURE = "found_", "_picture"
"""A fold whose picture is another component's value names that one, too."""
SAVE_SCRIPT = """() => setTimeout(() => {
    if (!document.querySelector('#keep .notice:not(.quiet)'))
        document.querySelector('#kept-file a, a#kept-file, button#kept-file, #kept-file button').click();
}, 300)"""
"""The button that has the file is pressed for the visitor, unless something went wrong."""


def build(shell: Shell, asked: Asked) -> None:
    """Lay out the fold and wire it; what is built after it cannot be kept."""
    with section(shell, "keep"):
        with gr.Row(elem_classes="fold-actions"):
            buttons = {
                kind: shell.labels.add(gr.Button, f"keep.{kind}", min_width=90) for kind in KINDS
            }
        said = gr.HTML({"html": ""}, html_template="${value.html}", js_on_load=None)
        file = shell.labels.add(
            gr.DownloadButton, "keep.file", visible="hidden", elem_id="kept-file"
        )
    inputs = asked.inputs | {f"{FOUND}{name}": part for name, part in asked.results.items()}
    said_again.follow(shell, asked, said, redraw)
    for kind, button in buttons.items():
        made = wire([button.click], shell.bind(keep, kind), inputs, [file, said], **QUIET)
        made.success(None, js=SAVE_SCRIPT, api_visibility="private")


def keep(shell: Shell, kind: str, request: gr.Request, **given: Any) -> tuple[Any, Any]:
    """A file of one kind, or why there is none."""
    language = given["language"]
    try:
        report = gathered(shell, question_now(shell, request, given), given)
        content = written(kind, shell, language, report)
        name = f"playground-{datetime.now(UTC):%Y-%m-%d-%H%M}.{KINDS[kind]}"
        path = shell.lab.keeping.save(recalled(given["memory"])["workspace"], name, content)
    except Exception as error:
        return gr.update(value=None), {"html": notice(shell.explain(language, error))}
    return gr.update(value=str(path)), redraw(shell, None, language)


def redraw(shell: Shell, _: Any, language: str) -> dict[str, Any]:
    """That the file was made."""
    return {"html": notice(shell.texts.say(language, "keep.made"), "quiet"), **told_in(language)}


def gathered(shell: Shell, question: AnswerRequest, given: dict[str, Any]) -> Report:
    """Everything that is on the screen."""
    prompt, keeping = shell.lab.render(question), shell.lab.keeping
    status = shell.lab.status()
    facts = {
        "made": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "model": status.model,
        "precision": status.precision,
        "device": status.device,
        "question": shell.texts.say(given["language"], "keep.at_saving"),
    }
    how = {"completion": question.completion, "control": question.control}
    return Report(
        facts=facts | keeping.versions(),
        settings={"speaks": question.adapter, **asdict(question.sampling), **how},
        prompt={
            "tokens": len(prompt.ids),
            "text": prompt.text,
            "ids": list(prompt.ids),
            "messages": [asdict(message) for message in question.messages],
        },
        answers=tuple(map(_answer, speech.read_turns(given["chat"]))),
        code=keeping.code(question),
        parts=tuple(_parts(shell, given)),
    )


def _answer(turn: speech.Turn) -> dict[str, Any]:
    return {n: v for n, v in asdict(turn).items() if n not in ("waiting", "wait_seconds")}


def _parts(shell: Shell, given: dict[str, Any]) -> Iterator[Part]:
    """What the folds have found, in the order of the page; those that hold nothing are left out."""
    for key, value in given.items():
        name = key.removeprefix(FOUND)
        if not key.startswith(FOUND) or name.endswith(PICTURE):
            continue
        if data := readable(name, _checked(name, value)):
            picture = given.get(f"{key}{PICTURE}", value.get("html"))
            yield Part(name, _title(shell, given, name), data, str(picture or ""))


def _checked(name: str, value: Any) -> Any:
    """A value whose `asked` is what a server wrote; the lens keeps its own kind."""
    if name == "lens" or not isinstance(value, dict) or "asked" not in value:
        return value
    return {key: one for key, one in value.items() if key != "asked"} | marked(read_posed(value))


def _title(shell: Shell, given: dict[str, Any], name: str) -> str:
    """The fold's; another result of a fold is named after its button, as in `judge_words`."""
    folds = shell.texts.node(given["language"], "components")
    if name in folds:
        return str(folds[name]["title"]["label"])
    fold, _, button = name.rpartition("_")
    return str(folds[fold][button]["value"])


def written(kind: str, shell: Shell, language: str, report: Report) -> bytes:
    """The report as a file of one kind."""
    if kind == "page":
        words = shell.texts.node(language, "say.keep.words")
        return as_page(report, Look(language, words, report_style()))
    return as_json(report) if kind == "json" else as_csv(report)
