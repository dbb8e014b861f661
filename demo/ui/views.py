"""What the page shows of the lab's state, of data and of runs, as HTML built from escaped values only.

Gradio's `{{ }}` templates are evaluated a second time as JavaScript template literals, so `${…}` in a
visitor's text would run. Every text is therefore escaped here and handed over as one finished value.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from markupsafe import Markup

from demo.records import BaseProof, LabStatus, Message
from demo.run_records import DatasetInfo, Row, RunState
from demo.ui.language import Texts

LIVE = ("queued", "running")
CELL = 400
"""Characters of a preview's cell; the rest is cut with an ellipsis."""


def joined(parts: Iterable[Any]) -> Markup:
    """Parts put together, each escaped unless it is markup already."""
    return Markup("").join(parts)


def notice(text: str, kind: str = "error") -> Markup:
    """A message in the flow of the page, announced by screen readers; empty text shows nothing."""
    if not text:
        return Markup("")
    role = "alert" if kind == "error" else "status"
    return Markup('<p class="notice {}" role="{}">{}</p>').format(kind, role, text)


def header(texts: Texts, language: str, status: LabStatus) -> Markup:
    """Model, precision and device, with the reasons folded; what still works while it loads."""
    device = cores(texts, language, status.cores) if status.cores else status.device
    megabytes = texts.number(language, round(status.resident_bytes / 1e6))
    resident = texts.say(language, "resident", megabytes=megabytes)
    facts = (status.model, status.precision, resident, device)
    known = facts if status.state == "ready" else ()
    line = " · ".join(known)
    reasons = joined(
        Markup("<li>{}</li>").format(texts.say(language, f"reasons.{reason}"))
        for reason in (status.model_reason, status.precision_reason, status.forward)
        if reason
    )
    why = Markup("<details><summary>{}</summary><ul>{}</ul></details>").format(
        texts.say(language, "why"), reasons
    )
    return Markup('<div class="machine {}"><span class="model">{}</span>{}{}</div>').format(
        status.state, line, why if reasons else "", _state(texts, language, status)
    )


def cores(texts: Texts, language: str, count: int) -> str:
    """A number of CPU cores."""
    return counted(texts, language, "cores", count)


def counted(texts: Texts, language: str, key: str, count: int) -> str:
    """A number of things; Polish has another form for 2 to 4, but not for 12 to 14."""
    few = count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14)
    form = "one" if count == 1 else "few" if few else "many"
    return texts.say(language, f"{key}.{form}", count=count)


def _state(texts: Texts, language: str, status: LabStatus) -> Markup:
    if status.state == "loading":
        return Markup('<p class="state" role="status"><span class="pulse"></span>{}</p>').format(
            texts.say(language, "loading")
        )
    if status.state == "failed":
        return notice(texts.node(language, "errors.load_failed").format(problem=status.problem))
    return Markup("")


def banner(texts: Texts, language: str, run: RunState | None) -> dict[str, Any]:
    """The line that follows a run through every tab, and what the browser's tab is called."""
    title = texts.say(language, "title")
    if run is None:
        return {"html": "", "title": title, "live": False}
    said = run_line(texts, language, run)
    if run.status in LIVE:
        share = 100 * run.step / run.steps if run.steps else 0
        html = Markup(
            '<p class="run live"><span class="pulse"></span>{}<progress max="100" value="{:.0f}" aria-label="{}"></progress></p>'
        )
        return {
            "html": html.format(said, share, said),
            "title": f"{share:.0f} % · {title}",
            "live": True,
        }
    html = Markup('<p class="run {}" role="status">{}</p>').format(run.status, said)
    return {
        "html": html,
        "title": f"{texts.say(language, f'title_{run.status}', name=run.name)} · {title}",
        "live": False,
    }


def run_line(texts: Texts, language: str, run: RunState) -> str:
    """A run in one sentence."""
    if run.status == "queued":
        left = duration(texts, language, run.eta_seconds or 0)
        return texts.say(language, "run_queued", name=run.name, waiting=run.waiting, left=left)
    if run.status == "stopped" and not run.has_adapter:
        return texts.say(language, "run_stopped_empty", name=run.name)
    if run.status == "running" and run.stopping:
        return texts.say(language, "run_stopping", name=run.name)
    if run.status != "running":
        return texts.say(language, f"run_{run.status}", name=run.name)
    if not run.step or run.eta_seconds is None:
        return texts.say(language, "run_starting", name=run.name)
    share = round(100 * run.step / max(run.steps, 1))
    left = duration(texts, language, run.eta_seconds)
    return texts.say(language, "run_running", name=run.name, share=share, left=left)


def progress_bar(said: str, done: int, total: int) -> Markup:
    """How far something in the background has come, in words and as a bar."""
    return Markup(
        '<p class="batch-progress">{}<progress max="{}" value="{}" aria-label="{}"></progress></p>'
    ).format(said, max(total, 1), done, said)


def duration(texts: Texts, language: str, seconds: float) -> str:
    """Seconds as people say them: 75 s, 12 min."""
    if seconds < 120:
        return texts.say(language, "seconds", count=max(round(seconds), 1))
    return texts.say(language, "minutes", count=round(seconds / 60))


def dataset_facts(texts: Texts, language: str, info: DatasetInfo) -> Markup:
    """Rows, columns, source and licence in one line."""
    facts = [texts.say(language, "rows", count=info.rows)]
    if info.skipped:
        facts.append(texts.say(language, "skipped", count=info.skipped))
    if info.damaged:
        facts.append(texts.say(language, "damaged", count=len(info.damaged)))
    if info.fixes:
        facts.append(texts.say(language, "fixed", count=len(info.fixes)))
    if info.shape:
        facts.append(texts.say(language, f"shapes.{info.shape}"))
    if info.encoding.why != "valid":
        name = texts.say(language, f"encodings.{info.encoding.name}")
        facts.append(texts.say(language, f"letters.{info.encoding.why}", name=name))
    if info.source:
        facts.append(texts.say(language, "source", source=info.source))
    if info.licence:
        facts.append(texts.say(language, "licence", licence=info.licence))
    return Markup('<p class="facts">{}</p>').format(" · ".join(facts))


def preview(texts: Texts, language: str, rows: Sequence[Row]) -> Markup:
    """The first rows as plain text: what is read, and what is learned."""
    talks = any(m.role == "assistant" for row in rows for m in row.messages[:-1])
    keys = ("row", "conversation") if talks else ("row", "prompt", "completion")
    heads = joined(
        Markup('<th scope="col">{}</th>').format(texts.say(language, key)) for key in keys
    )
    body = joined(_conversation(row) if talks else _pair(row) for row in rows)
    table = Markup(
        '<div class="scroll" tabindex="0" role="region" aria-label="{}"><table class="rows"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    )
    return table.format(texts.say(language, "preview"), heads, body)


def _pair(row: Row) -> Markup:
    html = Markup('<tr><td>{}</td><td>{}</td><td class="learned">{}</td></tr>')
    return html.format(row.line, _cell(row.messages[:-1]), _cell(row.messages[-1:]))


def _conversation(row: Row) -> Markup:
    """Every turn in order: a model learns from each assistant's turn, not from the last one alone."""
    turn = Markup('<p class="{}">{}: {}</p>')
    turns = joined(
        turn.format("learned" if m.role == "assistant" else "read", m.role, _cut(m.content))
        for m in row.messages
    )
    return Markup("<tr><td>{}</td><td>{}</td></tr>").format(row.line, turns)


def _cell(messages: Sequence[Message]) -> str:
    return _cut(
        "\n".join(m.content if len(messages) == 1 else f"{m.role}: {m.content}" for m in messages)
    )


def _cut(text: str) -> str:
    return text if len(text) <= CELL else text[:CELL] + "…"


def proof_badge(texts: Texts, language: str, proof: BaseProof | None) -> Markup:
    """Whether the base column is the base; without a proof yet, that it is still to come."""
    if proof is None:
        return Markup('<p class="proof">{}</p>').format(texts.say(language, "proof_coming"))
    key = "proof_unchanged" if proof.unchanged else "proof_changed"
    difference = (
        texts.number(language, float(f"{proof.difference:.2g}"))
        if proof.difference
        else texts.number(language, 0.0)
    )
    kind = "good" if proof.unchanged else "bad"
    said = texts.say(language, key, probes=proof.probes, difference=difference)
    return Markup('<p class="proof {}">{}</p>').format(kind, said)
