"""What a run would take, beside what full tuning would; and afterwards what was foretold beside what it took.

Draws what the lab has planned or measured; computes no cost.
"""

from collections.abc import Iterable
from typing import Any

from markupsafe import Markup

from demo.errors import LabError, NotReady
from demo.run_records import Cost, RunPlan, RunState, TrainSettings
from demo.ui.language import Texts
from demo.ui.shell import Shell
from demo.ui.tabs.data_step import settings_of
from demo.ui.tuning.about import about
from demo.ui.views import duration, joined, notice

MILLION = 1_000_000
NEGLIGIBLE = 0.01
"""Percent below which a share is only said to be less."""


def plan(shell: Shell, **given: Any) -> tuple[Any, Any, Any]:
    """The plan in two lines, its table, and what is told of the method; errors stand in the first."""
    language, texts, method = given["language"], shell.texts, str(given["method"])
    if not given["dataset"]:
        return "", "", about(texts, language, method)
    try:
        workspace = shell.open_workspace(given["memory"])
        settings = settings_of(given)
        planned = shell.lab.plan_run(workspace, given["dataset"], settings)
    except NotReady:
        loading = notice(texts.say(language, "plan_loading"), "quiet")
        return loading, "", about(texts, language, method)
    except LabError as error:
        return notice(shell.explain(language, error)), "", about(texts, language, method)
    told = about(texts, language, method, planned.layers)
    return lines(texts, language, planned, settings), table(texts, language, planned), told


def lines(texts: Texts, language: str, planned: RunPlan, settings: TrainSettings) -> Markup:
    """What is trained, and how much is read."""
    share = 100 * planned.trainable / max(planned.parameters, 1)
    low = share < NEGLIGIBLE
    first = texts.say(
        language,
        "tuning.plan_low" if low else "tuning.plan_method",
        method=texts.say(language, f"methods.titles.{settings.method}"),
        trainable=weights(texts, language, planned.trainable),
        parameters=weights(texts, language, planned.parameters),
        share=texts.number(language, NEGLIGIBLE if low else share),
        size=size(texts, language, planned.adapter_bytes),
    )
    said = [first, _work(texts, language, planned)]
    if planned.passes < 1:
        read = texts.number(language, round(100 * planned.passes))
        said.append(texts.say(language, "tuning.plan_part", share=read))
    if planned.too_long:
        said.append(texts.say(language, "plan_too_long", count=planned.too_long))
    return joined(Markup('<p class="plan">{}</p>').format(line) for line in said) + _cut(
        texts, language, planned
    )


def _cut(texts: Texts, language: str, planned: RunPlan) -> Markup:
    """That the operator's budget will end the run before its last step, where it will."""
    if not planned.cut_after:
        return Markup("")
    time = duration(texts, language, planned.cut_after)
    return notice(texts.say(language, "tuning.plan_cut", time=time), "warn")


def _work(texts: Texts, language: str, planned: RunPlan) -> str:
    said = texts.say(
        language,
        "tuning.plan_work",
        rows=planned.rows,
        eval_rows=planned.eval_rows,
        steps=planned.steps,
        time=duration(texts, language, planned.seconds),
    )
    return f"{said} ({texts.say(language, 'tuning.guessed')})" if planned.guessed else said


def table(texts: Texts, language: str, planned: RunPlan) -> Markup:
    """This run beside full tuning of the same rows, number by number."""
    own = Cost(planned.trainable, planned.adapter_bytes, planned.peak_bytes, planned.seconds)
    tokens = texts.number(language, planned.tokens)
    learned = texts.number(language, planned.trained_tokens)
    same = [("steps", str(planned.steps)), ("tokens", tokens), ("learned", learned)]
    rows = [
        *_pairs(texts, language, own, planned.full),
        *((name, value, value) for name, value in same),
    ]
    heads = [texts.say(language, f"tuning.{key}") for key in ("number", "this_run", "full_run")]
    why = "tuning.cost_guess" if planned.guessed else "tuning.cost_note"
    note = Markup('<p class="hint">{}</p>').format(texts.say(language, why))
    return _table(texts, language, heads, rows) + note


def _pairs(texts: Texts, language: str, own: Cost, full: Cost) -> Iterable[tuple[str, str, str]]:
    for name, said in (
        ("trainable", lambda cost: weights(texts, language, cost.trainable)),
        ("file", lambda cost: size(texts, language, cost.adapter_bytes)),
        ("peak", lambda cost: size(texts, language, cost.peak_bytes)),
        ("time", lambda cost: duration(texts, language, cost.seconds)),
    ):
        yield name, said(own), said(full)


def _table(
    texts: Texts, language: str, heads: Iterable[str], rows: Iterable[tuple[str, str, str]]
) -> Markup:
    head = joined(Markup('<th scope="col">{}</th>').format(one) for one in heads)
    row = Markup('<tr><th scope="row">{}</th><td>{}</td><td>{}</td></tr>')
    body = joined(
        row.format(texts.say(language, f"tuning.costs.{name}"), first, second)
        for name, first, second in rows
    )
    html = Markup('<table class="scores costs"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>')
    return html.format(head, body)


def truth(texts: Texts, language: str, run: RunState) -> Markup:
    """Foretold and measured seconds and memory of a run that has ended, each with the estimate's error."""
    planned, taken = run.planned, run.taken
    facts = []
    if taken.seconds and planned.seconds and run.status == "finished" and not run.spent:
        values = (
            duration(texts, language, planned.seconds),
            duration(texts, language, taken.seconds),
        )
        facts.append(("time", *values, taken.seconds / planned.seconds))
    if taken.peak_bytes and planned.peak_bytes:
        values = (
            size(texts, language, planned.peak_bytes),
            size(texts, language, taken.peak_bytes),
        )
        facts.append(("peak", *values, taken.peak_bytes / planned.peak_bytes))
    return joined(_fact(texts, language, *fact) for fact in facts)


def _fact(texts: Texts, language: str, name: str, planned: str, taken: str, ratio: float) -> Markup:
    error = round(100 * (ratio - 1))
    said = texts.say(
        language,
        "tuning.truth",
        what=texts.say(language, f"tuning.costs.{name}"),
        planned=planned,
        taken=taken,
        error=("+" if error > 0 else "\N{MINUS SIGN}" if error < 0 else "±") + str(abs(error)),
    )
    return Markup('<p class="facts truth">{}</p>').format(said)


def weights(texts: Texts, language: str, count: int) -> str:
    """A number of weights: whole below a million, in millions above."""
    if count < MILLION:
        return texts.number(language, count)
    return texts.say(language, "tuning.million", count=count / MILLION)


def size(texts: Texts, language: str, count: int) -> str:
    """Bytes as people say them."""
    if count < 1e6:
        return texts.say(language, "tuning.kilobytes", count=max(1, round(count / 1e3)))
    if count < 1e9:
        return texts.say(language, "tuning.megabytes", count=count / 1e6)
    return texts.say(language, "tuning.gigabytes", count=count / 1e9)
