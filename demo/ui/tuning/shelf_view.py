"""The runs of a workspace as a table: method, settings, losses, seconds and state, a row each.

Draws only; which of them is chosen is the shelf's business.
"""

from collections.abc import Sequence

from markupsafe import Markup

from demo.methods import METHODS
from demo.run_records import RunState
from demo.ui.language import Texts
from demo.ui.views import duration, joined

HEADS = ("name", "method", "settings", "loss", "scores", "time", "state")


def table(texts: Texts, language: str, runs: Sequence[RunState]) -> Markup:
    """Every run, the newest first; what will stand here where there is none."""
    if not runs:
        return Markup('<p class="notice quiet">{}</p>').format(
            texts.say(language, "tuning.no_runs")
        )
    heads = joined(
        Markup('<th scope="col">{}</th>').format(texts.say(language, f"tuning.heads.{key}"))
        for key in HEADS
    )
    html = Markup(
        '<div class="scroll" tabindex="0" role="region" aria-label="{}"><table class="rows runs"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    )
    caption = texts.node(language, "components.finetune.earlier")["label"]
    return html.format(caption, heads, joined(_row(texts, language, run) for run in runs))


def _row(texts: Texts, language: str, run: RunState) -> Markup:
    cells = (
        texts.say(language, f"methods.titles.{run.settings.method}"),
        settings(texts, language, run),
        _change(texts, language, run.scores.get("eval_loss")),
        _scores(texts, language, run),
        duration(texts, language, run.taken.seconds) if run.taken.seconds else "",
        texts.say(language, f"status_{run.status}"),
    )
    row = joined(Markup("<td>{}</td>").format(cell) for cell in cells)
    return Markup('<tr><th scope="row">{}</th>{}</tr>').format(run.name, row)


def settings(texts: Texts, language: str, run: RunState) -> str:
    """What gives an adapter its size, the rate and the epochs, in a few words."""
    own = [
        name for name in METHODS[run.settings.method].settings if name not in ("dropout", "alpha")
    ]
    names = [*own, "learning_rate", "epochs"]
    words = texts.node(language, "fields")
    said = [f"{words[name]} {_number(language, getattr(run.settings, name))}" for name in names]
    return ", ".join([*said, run.dataset])


def _number(language: str, value: float) -> str:
    written = f"{value:g}"
    return written if language == "en" else written.replace(".", ",")


def _change(texts: Texts, language: str, score: dict[str, float] | None) -> str:
    if not score:
        return ""
    before, after = (texts.number(language, round(score[k], 2)) for k in ("base", "adapted"))
    return f"{before} → {after}"


def _scores(texts: Texts, language: str, run: RunState) -> str:
    """Every other score with its count."""
    others = {name: score for name, score in run.scores.items() if name != "eval_loss"}
    return "; ".join(
        f"{name} {_change(texts, language, score)} (n={score['n']})"
        for name, score in others.items()
    )
