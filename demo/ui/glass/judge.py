"""The fold "Which is likelier?": continuations judged by their probability, and the shipped pairs.

Knows no model; the lab scores. What the shipped pairs show is laid out by their own module.
"""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from demo.checks import checked_text
from demo.errors import BadInput, LabError
from demo.lab.answers import LONGEST_TEXT
from demo.prompting.judging import Question, continuations_of, lines_of, questions
from demo.records import Message, ScoreRequest, conversation
from demo.ui.glass import judged, pairs, said_again
from demo.ui.glass.posed import LONGEST, Posed, Words, line, marked, read_posed, title_of
from demo.ui.glass.said_again import told_in
from demo.ui.glass.section import Asked, section
from demo.ui.memory import recalled, visitor
from demo.ui.shell import AT_ONCE, STREAM, Shell, wire
from demo.ui.views import notice


def build(shell: Shell, asked: Asked) -> None:
    """Lay out the fold and wire it."""
    add, wide = shell.labels.add, {"interactive": True, "min_width": 240}
    shipped = [_named(question) for question in _all()]
    with section(shell, "judge"):
        example = add(gr.Dropdown, "judge.example", choices=shipped, value=None, interactive=True)
        with gr.Row(elem_classes="fold-knobs"):
            before = add(
                gr.Textbox, "judge.before", lines=2, max_lines=6, elem_id="judge-before", **wide
            )
            options = add(
                gr.Textbox, "judge.options", lines=2, max_lines=6, elem_id="judge-options", **wide
            )
        with gr.Row(elem_classes="fold-knobs"):
            chat = add(gr.Checkbox, "judge.chat", value=False, **wide)
            per_token = add(gr.Checkbox, "judge.per_token", value=False, **wide)
        go = add(gr.Button, "judge.go", elem_classes="fold-button")
        view = gr.HTML(
            {"html": ""}, html_template="${value.html}", js_on_load=None, elem_id="judge-view"
        )
        asked.results["judge"] = view
        pairs.build(shell, asked)
    typed = {"before": before, "options": options, "chat_answer": chat, "per_token": per_token}
    wire([example.input], fill, {"example": example}, [before, options], **AT_ONCE)
    judging = wire([go.click], shell.bind(judge), asked.inputs | typed, view, **STREAM)
    said_again.follow(shell, asked, view, redraw, [judging])
    shown = {"view": view, "per_token": per_token, "language": shell.language}
    wire([per_token.input], shell.bind(measured_by), shown, view, **AT_ONCE)


def _all() -> tuple[Question, ...]:
    return (*questions("pronouns"), *questions("words"))


def _named(question: Question) -> str:
    """A question in one line; both of its options stand in it."""
    return f"{question.before} … {' / '.join(question.options)}"


def fill(example: str | None) -> tuple[Any, Any]:
    """A shipped question, ready to be judged or changed."""
    found = next((question for question in _all() if _named(question) == example), None)
    if found is None:
        return gr.skip(), gr.skip()
    return found.before, "\n".join(found.options)


def judge(shell: Shell, request: gr.Request, **given: Any) -> Iterator[dict[str, Any]]:
    """Score every continuation after the text, by whoever answers in the Playground."""
    language = given["language"]
    yield {"html": notice(shell.texts.say(language, "judge.reading"), "quiet")}
    try:
        asked = _request(request, given)
        scores = shell.lab.score(asked)
    except Exception as error:
        yield {"html": notice(shell.explain(language, error))}
        return
    found = tuple(zip(asked.continuations, scores, strict=True))
    repeated = len(lines_of(given["options"])) - len(found)
    told = _posed(shell, given, asked)
    yield _value(shell, language, found, bool(given["per_token"]), repeated, told)


def _posed(shell: Shell, given: dict[str, Any], asked: ScoreRequest) -> Posed:
    """What the continuations were judged after, and by whom; nothing is drawn."""
    system = "" if asked.completion else str(given["system"] or "")
    text, mode = asked.messages[-1].content, "plain" if asked.completion else "chat"
    title = title_of(shell, given)
    words = Words(text[:LONGEST], "", mode, asked.adapter, title, system[:LONGEST])
    return Posed(words)


def _request(request: gr.Request, given: dict[str, Any]) -> ScoreRequest:
    """What is typed in the fold. Raises `BadInput`."""
    if not str(given["before"] or "").strip():
        raise BadInput("judge_before")
    before = checked_text("message", given["before"], LONGEST_TEXT)
    chat = bool(given["chat_answer"])
    plain = (Message("user", before),)
    return ScoreRequest(
        conversation(before, system=given["system"] or "") if chat else plain,
        continuations_of(given["options"], "" if chat else before),
        adapter=given["speaks"] or "base",
        workspace=recalled(given["memory"])["workspace"],
        visitor=visitor(given["memory"], request),
        completion=not chat,
    )


def measured_by(shell: Shell, view: Any, per_token: bool, language: str) -> Any:
    """The same scores by the other measure; nothing before the first."""
    found, repeated = judged.read_kept(view), judged.read_repeated(view)
    if not found:
        return gr.skip()
    return _value(shell, language, found, bool(per_token), repeated, read_posed(view))


def redraw(shell: Shell, view: Any, language: str) -> dict[str, Any]:
    """The same scores in another language."""
    found, repeated = judged.read_kept(view), judged.read_repeated(view)
    per_token = view.get("per_token") is True
    return _value(shell, language, found, per_token, repeated, read_posed(view))


def _value(
    shell: Shell,
    language: str,
    found: judged.Judged,
    per_token: bool,
    repeated: int,
    told: Posed | None,
) -> dict[str, Any]:
    try:
        html = judged.view(shell.texts, language, found, per_token)
        html += judged.repeated_note(shell.texts, language, repeated)
        html += line(shell.texts, language, told)
    except LabError as error:
        return {"html": notice(shell.explain(language, error))}
    measure = {"per_token": per_token, "repeated": repeated, **marked(told)}
    return {"html": html, "judged": judged.kept(found), **measure, **told_in(language)}
