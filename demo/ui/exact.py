"""The prompt in its exact bytes: every token tinted, the template greyed, each with its id when pointed at.

Knows the rendered prompt only. The ids are told in the browser, so that pointing asks nobody.
"""

from collections.abc import Iterable
from typing import Any

import gradio as gr
from markupsafe import Markup

from demo.records import PromptToken, RenderedPrompt
from demo.ui.language import Texts
from demo.ui.views import joined, notice

MOST_FIRST, MOST_LAST = 300, 700
"""Tokens drawn one by one at either end of a long prompt; between them its text stands in one piece."""

PART = (
    "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}{}\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
)
"""Bytes that are no whole character."""

POINT_SCRIPT = """
const tokens = () => [...element.querySelectorAll('.exact [data-id]')];
const tell = token => {
    const told = element.querySelector('.token-told');
    if (!token || !told) return;
    element.querySelectorAll('.exact .now').forEach(other => other.classList.remove('now'));
    token.classList.add('now');
    const shown = token.textContent.replace(/\\n/g, '↵').replace(/ /g, '␣');
    const fields = { id: token.dataset.id, place: token.dataset.place, shown };
    const line = told.dataset.sentence.replace(/\\{(\\w+)\\}/g, (_, name) => fields[name]);
    if (told.textContent !== line) told.textContent = line;
};
element.addEventListener('pointerover', event => tell(event.target.closest('[data-id]')));
element.addEventListener('pointerdown', event => tell(event.target.closest('[data-id]')));
element.addEventListener('keydown', event => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || !event.target.closest('.exact')) return;
    event.preventDefault();
    const all = tokens(), at = all.findIndex(token => token.classList.contains('now'));
    const next = all[at < 0 ? 0 : Math.min(Math.max(at + step, 0), all.length - 1)];
    tell(next);
    next?.scrollIntoView({ block: 'nearest' });
});
"""


def exact_view() -> Any:
    """The empty component that `exact_prompt` fills."""
    return gr.HTML(
        {"html": ""}, html_template="${value.html}", js_on_load=POINT_SCRIPT, min_height=0
    )


def exact_prompt(texts: Texts, language: str, prompt: RenderedPrompt) -> dict[str, Any]:
    """The component's value for a prompt with named tokens."""
    count = len(prompt.tokens)
    told = texts.say(
        language, "token_told", place="{place}", count=count, id="{id}", shown="{shown}"
    )
    html = Markup(
        '<p class="facts">{}</p>{}'
        '<pre class="exact" tabindex="0" role="region" aria-label="{}">{}</pre>'
        '<p class="facts token-told" role="status" data-sentence="{}">{}</p><p class="facts">{}</p>'
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


def _token(place: int, token: PromptToken) -> Markup:
    text, whole = _shown(token.data)
    kinds = [token.writer] if token.writer != "text" else []
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
