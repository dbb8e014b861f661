"""The fold "Show me the code": the present question as a few lines of transformers and PEFT, to be copied.

The lab writes the lines; nothing is run. Once shown they follow the screen: a change of the question tells
the fold's own script, which asks anew if the fold is open, and else when it opens. Knows no model.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from demo.ui.glass import said_again
from demo.ui.glass.said_again import told_in
from demo.ui.glass.section import Asked, question_now, section
from demo.ui.shell import QUIET, Shell, wire
from demo.ui.views import notice

ELSEWHERE = ("chat", "memory", "language", "watch")
"""Inputs of a question that change no line of its code by themselves, or tell of it in their own way."""
LONGEST = 400_000
"""Characters of code that are read of what a browser sends: more than the longest prompt makes."""
CHANGED = """() => {
    const shown = document.querySelector('#shown-code pre, #shown-code .notice');
    shown?.dispatchEvent(new Event('outdated', {bubbles: true}));
}"""
"""Runs in the browser when the question changes; while nothing is shown, nothing is told and nobody asks."""
FOLLOW_SCRIPT = """
let stale = true, timer = 0, last = props.value?.code;
const ask = () => {
    timer = 0;
    if (!stale || !props.value?.shown || !element.checkVisibility()) return;
    stale = false;
    trigger('outgrown');
};
element.addEventListener('outdated', () => {
    stale = true;
    clearTimeout(timer);
    // Of many keys only the last one is asked about.
    timer = setTimeout(ask, 400);
});
new IntersectionObserver(seen => seen.some(one => one.isIntersecting) && ask()).observe(element);
watch('value', () => {
    // The same lines in another language are as old as before.
    if (props.value?.code !== last && !timer) stale = false;
    last = props.value?.code;
});
"""
COPY_SCRIPT = """
element.addEventListener('click', async event => {
    const button = event.target.closest('[data-copied]');
    if (!button) return;
    const shown = element.querySelector('pre');
    getSelection().selectAllChildren(shown);
    // Without https a page may not write to the clipboard; what is selected can still be copied.
    try { await navigator.clipboard.writeText(shown.textContent) }
    catch { if (!document.execCommand('copy')) return }
    button.textContent = button.dataset.copied;
    element.querySelector('[role=status]').textContent = button.dataset.copied;
});
"""


def build(shell: Shell, asked: Asked) -> None:
    """Lay out the fold and wire it."""
    with section(shell, "code"):
        go = shell.labels.add(gr.Button, "code.go", elem_classes="fold-button")
        shown = gr.HTML(
            {"html": ""},
            html_template="${value.html}",
            js_on_load=FOLLOW_SCRIPT + COPY_SCRIPT,
            elem_id="shown-code",
        )
    showing = wire([go.click], shell.bind(show), asked.inputs, shown, **QUIET)
    # An event of the fold's own script: Gradio's `on` does not know it.
    shown.outgrown(shell.bind(show), inputs_kwargs=asked.inputs, outputs=shown, **QUIET)
    said_again.follow(shell, asked, shown, redraw, [showing])
    for change in _changes(asked):
        change(None, None, None, js=CHANGED, api_visibility="private", show_progress="hidden")


def _changes(asked: Asked) -> list[Any]:
    """Whatever changes the question: its parts, and a chat that has gone on."""
    parts = [part for name, part in asked.inputs.items() if name not in ELSEWHERE]
    return [asked.chat.told, *(part.change for part in parts)]


def show(shell: Shell, request: gr.Request, **given: Any) -> dict[str, Any]:
    """The code of the question as it stands."""
    language = given["language"]
    try:
        lines = shell.lab.keeping.code(question_now(shell, request, given))
    except Exception as error:
        return {"html": notice(shell.explain(language, error)), "shown": True}
    return _value(shell, language, lines)


def redraw(shell: Shell, value: Any, language: str) -> dict[str, Any]:
    """The same lines under words of another language."""
    return _value(shell, language, str(value["code"])[:LONGEST])


def _value(shell: Shell, language: str, lines: str) -> dict[str, Any]:
    copied, say = shell.texts.say(language, "code.copied"), shell.texts.say
    html = Markup(
        '<button type="button" class="quiet copy" data-copied="{}">{}</button>'
        '<span class="unseen" role="status"></span>'
        '<pre class="shown-code" tabindex="0" role="region" aria-label="{}"><code>{}</code></pre>'
    )
    shown = html.format(copied, say(language, "code.copy"), say(language, "code.lines"), lines)
    return {"html": shown, "code": lines, "shown": True, **told_in(language)}
