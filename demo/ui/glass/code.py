"""The fold "Show me the code": the present question as a few lines of transformers and PEFT, to be copied.

The lab writes the lines; nothing is run. Knows no model.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from demo.ui.glass import said_again
from demo.ui.glass.said_again import told_in
from demo.ui.glass.section import Asked, question_now, section
from demo.ui.shell import QUIET, Shell, wire
from demo.ui.views import notice

LONGEST = 400_000
"""Characters of code that are read of what a browser sends: more than the longest prompt makes."""
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
            js_on_load=COPY_SCRIPT,
            elem_id="shown-code",
        )
    showing = wire([go.click], shell.bind(show), asked.inputs, shown, **QUIET)
    said_again.follow(shell, asked, shown, redraw, [showing])


def show(shell: Shell, request: gr.Request, **given: Any) -> dict[str, Any]:
    """The code of the question as it stands."""
    language = given["language"]
    try:
        lines = shell.lab.keeping.code(question_now(shell, request, given))
    except Exception as error:
        return {"html": notice(shell.explain(language, error))}
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
    return {"html": shown, "code": lines, **told_in(language)}
