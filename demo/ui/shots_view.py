"""The shots as they stand in a prompt, what they cost, and what was taken as an answer, as HTML.

Knows no tab and no control; texts of visitors and models are escaped.
"""

import re

from markupsafe import Markup

from demo.prompting.build import Built
from demo.prompting.extract import taken
from demo.prompting.shots import Shot
from demo.ui.language import Texts
from demo.ui.views import joined, notice

SHOWN = 240
"""Characters of one side of a shot; the rest is cut with an ellipsis."""


def shots_view(
    texts: Texts, language: str, built: Built, cost: tuple[int, int, int], wanted: int = 0
) -> Markup:
    """The shots in their order under what the prompt costs.

    Args:
        texts: the sentences.
        language: of the page.
        built: the prompt.
        cost: tokens of the whole prompt, tokens that a prompt may have with the answer's taken off,
            and how many of the shots would fit.
        wanted: K, as it was chosen.
    """
    tokens, most, fit = cost
    costs = texts.say(language, "shots.cost", count=len(built.shots), tokens=tokens, most=most)
    told = [Markup('<p class="facts" role="status">{}</p>').format(costs)]
    if tokens > most:
        key = "shots.overflow" if fit else "shots.overflow_alone"
        told = [
            notice(
                texts.say(language, key, count=len(built.shots), tokens=tokens, most=most, fit=fit)
            )
        ]
    if wanted > len(built.shots):
        told.append(notice(texts.say(language, "shots.fewer", count=len(built.shots)), "quiet"))
    if built.chain == "worked" and not built.shots:
        told.append(notice(texts.say(language, "shots.worked_none"), "quiet"))
    items = joined(_item(shot, worked=built.chain == "worked") for shot in built.shots)
    listed = Markup('<ol class="shot-list" tabindex="0" aria-label="{}">{}</ol>')
    shown = listed.format(texts.say(language, "shots.listed"), items) if built.shots else ""
    return joined([*told, shown])


def _item(shot: Shot, *, worked: bool) -> Markup:
    html = Markup('<li><span class="shot-input">{}</span><span class="shot-output">{}</span></li>')
    return html.format(_cut(shot.input), _cut(shot.output if worked else shot.short))


def _cut(text: str) -> str:
    text = re.sub(r"\n\s*\n", "\n", text)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def marked(rule: str, answer: str) -> Markup:
    """An answer with the place marked that a rule takes from it; as it is where there is no rule."""
    found = taken(rule, answer)
    if rule in ("", "none") or not found.answer:
        return Markup("{}").format(answer)
    html = Markup('{}<mark class="taken">{}</mark>{}')
    return html.format(answer[: found.start], answer[found.start : found.end], answer[found.end :])


def taken_line(texts: Texts, language: str, rule: str, answer: str) -> Markup:
    """What a rule took as the answer, or that it found none; nothing where there is no rule."""
    if rule in ("", "none") or not answer.strip():
        return Markup("")
    looked_for = texts.say(language, f"taken.{rule}")
    found = taken(rule, answer).answer
    if not found:
        said = texts.say(language, "taken.nothing", looked_for=looked_for)
        return Markup('<p class="taken-line">{}</p>').format(said)
    html = Markup('<p class="taken-line" title="{}">{} <strong>{}</strong></p>')
    return html.format(looked_for, texts.say(language, "taken.answer"), _cut(found))
