"""The prompt in its exact bytes: every token tinted, the template greyed, each with its id when pointed at.

The ids are told in the browser, so that pointing asks nobody. Knows no tab, and answers nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import gradio as gr
from markupsafe import Markup

from demo.errors import LabError
from demo.records import PromptToken, RenderedPrompt
from demo.ui.glass.section import question_now
from demo.ui.language import Texts
from demo.ui.shell import Shell
from demo.ui.theme import ASSETS
from demo.ui.views import joined, notice

MOST_FIRST, MOST_LAST = 300, 700
"""Tokens drawn one by one at either end of a long prompt; between them its text stands in one piece."""

PART = (
    "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}{}\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
)
"""Bytes that are no whole character."""

WITHOUT_PICTURE = """(...given) => given.map(
    value => value && value.turns ? { turns: value.turns, editing: value.editing } : value)"""
"""What is asked at every key is sent the chat's turns, and not how they are drawn."""


EXACT_SCRIPT = (ASSETS / "exact.js").read_text(encoding="utf-8")
"""Of every component that shows tokens: says which one is pointed at."""


def exact_view() -> Any:
    """The empty component that `exact_prompt` fills."""
    return gr.HTML({"html": ""}, html_template="${value.html}", js_on_load=EXACT_SCRIPT)


def show_exact(shell: Shell, request: gr.Request, **given: Any) -> dict[str, Any]:
    """The prompt as the model would read it now; with nothing typed, as it read the last one."""
    language = given["language"]
    try:
        question = question_now(shell, request, given)
        shown = exact_prompt(shell.texts, language, shell.lab.render(question, named=True))
        if str(given["message"] or "").strip():
            return shown
        again = notice(shell.texts.say(language, "exact_last"), "quiet")
        return shown | {"html": again + shown["html"]}
    except LabError as error:
        if error.key == "empty_text":
            return exact_notice(shell.texts.say(language, "exact_empty"))
        return exact_notice(shell.explain(language, error))


def exact_prompt(texts: Texts, language: str, prompt: RenderedPrompt) -> dict[str, Any]:
    """The component's value for a prompt with named tokens."""
    count = len(prompt.tokens)
    told = texts.say(
        language, "token_told", place="{place}", count=count, id="{id}", shown="{shown}"
    )
    html = Markup(
        '<p class="facts">{}</p>{}'
        '<pre class="exact" tabindex="0" role="region" aria-label="{}">{}</pre>'
        '<p class="hint token-told" role="status" data-sentence="{}">{}</p><p class="hint">{}</p>'
    ).format(
        _facts(texts, language, prompt),
        _share(count, prompt.context),
        texts.say(language, "exact_prompt"),
        joined(_drawn(texts, language, prompt.tokens)),
        told,
        texts.say(language, "token_point"),
        texts.say(language, "prompt_legend"),
    )
    return {"html": html}


def exact_notice(text: str) -> dict[str, Any]:
    """The component's value where there is no prompt to show."""
    return {"html": notice(text, "quiet")}


def _facts(texts: Texts, language: str, prompt: RenderedPrompt) -> str:
    framing = sum(token.writer != "text" for token in prompt.tokens)
    taken = {"tokens": len(prompt.tokens), "context": prompt.context}
    counted = texts.say(language, "prompt_tokens", **taken)
    return f"{counted} · {texts.say(language, 'prompt_framing', count=framing)}"


def _share(count: int, context: int) -> Markup:
    """How much of the context is taken; the line above says it in numbers."""
    percent = min(100.0, 100 * count / max(context, 1))
    return Markup(
        '<div class="share" aria-hidden="true"><i style="width: {:.2f}%"></i></div>'
    ).format(percent)


def _drawn(texts: Texts, language: str, tokens: tuple[PromptToken, ...]) -> Iterable[Markup]:
    cut = len(tokens) - MOST_LAST if len(tokens) > MOST_FIRST + MOST_LAST else MOST_FIRST
    for place, token in enumerate(tokens[:MOST_FIRST], 1):
        yield _token(place, token)
    if between := tokens[MOST_FIRST:cut]:
        title = texts.say(language, "tokens_between", count=len(between))
        text = b"".join(token.data for token in between).decode(errors="replace")
        yield Markup('<span class="between"><em>{}</em>{}</span>').format(title, text)
    for place, token in enumerate(tokens[max(cut, MOST_FIRST) :], max(cut, MOST_FIRST) + 1):
        yield _token(place, token)


def token_spans(tokens: Sequence[PromptToken], kinds: Sequence[str]) -> Iterable[Markup]:
    """Every token of a text, each with a class of its own."""
    for place, (token, kind) in enumerate(zip(tokens, kinds, strict=True), 1):
        yield _token(place, token, kind)


def _token(place: int, token: PromptToken, kind: str = "") -> Markup:
    text, whole = _shown(token.data)
    kinds = [kind] if kind else []
    kinds += [token.writer] if token.writer != "text" else []
    kinds += ["line"] if "\n" in text else []
    kinds += [] if whole else ["part"]
    return Markup('<span class="{}" data-place="{}" data-id="{}">{}</span>').format(
        " ".join(kinds), place, token.id, text
    )


def _shown(data: bytes) -> tuple[str, bool]:
    """A token's text; what is only a part of a character as bytes, in angle quotes, as in `e2 80`."""
    try:
        return data.decode(), True
    except UnicodeDecodeError:
        # A word's first token often holds the space before it, too.
        rest = data.removeprefix(b" ")
        return " " * (len(data) - len(rest)) + PART.format(rest.hex(" ")), False
