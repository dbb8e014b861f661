"""The time-lapse: what a run's probes were answered with as it learned, replayed in the browser.

Sends plain values; the script beside it draws them as text. Knows no run but the one it is given.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from demo.run_records import RunState, TimeLapse
from demo.ui.language import Texts
from demo.ui.theme import ASSETS

TEMPLATE = """<div class="lapse" hidden><p class="lapse-title"></p>
<div class="lapse-bar"><button type="button" class="quiet lapse-play"></button>
<input type="range" class="lapse-slider" min="0" step="1"><output class="lapse-step"></output></div>
<ol class="lapse-answers" aria-live="off"></ol></div>"""
"""The script fills it; nothing that anybody said is ever part of it."""
EMPTY: dict[str, Any] = {"run": "", "probes": [], "answers": [], "words": {}}
WORDS = ("title", "slider", "start", "step", "expected", "empty", "play", "pause")


def picture(name: str = "time-lapse") -> Any:
    """The component, empty, with its id on the page."""
    return gr.HTML(
        dict(EMPTY),
        html_template=TEMPLATE,
        js_on_load=(ASSETS / "lapse.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id=name,
    )


def last_words(texts: Texts, language: str, run: RunState) -> Markup:
    """What a run whose weights did not stay answered to held-out questions, folded."""
    if not run.last_words.answers:
        return Markup("")
    row = Markup('<li><p class="asked">{}</p><p class="said">{}</p><p class="cost">{}</p></li>')
    rows = Markup("").join(
        row.format(
            probe.question,
            answer or texts.say(language, "tuning.lapse.empty"),
            texts.say(language, "tuning.lapse.expected", expected=probe.expected),
        )
        for probe, answer in zip(
            run.last_words.probes, run.last_words.answers[-1].answers, strict=False
        )
    )
    html = Markup('<details><summary>{}</summary><ol class="lapse-answers">{}</ol></details>')
    return html.format(texts.say(language, "tuning.last_words"), rows)


def value(texts: Texts, language: str, run: RunState | None) -> dict[str, Any]:
    """What the component shows of a run; nothing before its first answers."""
    if run is None or not run.time_lapse.answers:
        return dict(EMPTY)
    return played(texts, language, run.id, run.time_lapse)


def played(texts: Texts, language: str, key: str, lapse: TimeLapse) -> dict[str, Any]:
    """What the component shows of a time-lapse; another key begins anew."""
    return {
        "run": key,
        "probes": [{"question": p.question, "expected": p.expected} for p in lapse.probes],
        "answers": [{"step": a.step, "answers": list(a.answers)} for a in lapse.answers],
        "words": texts.node(language, "say.tuning.lapse"),
    }
