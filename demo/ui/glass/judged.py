"""Continuations that were judged, as the browser keeps them and as the page shows them.

Knows no component and no model; texts of visitors and models are escaped.
"""

import math
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from demo.prompting.characters import REPLACEMENT, Piece, pieces
from demo.prompting.judging import MOST, Verdict, flips, packed, verdict
from demo.records import Scored, TokenChoice
from demo.ui.glass.distribution import percent, visible
from demo.ui.language import Texts
from demo.ui.views import joined, notice

SURE = (0.1, 0.3, 0.6, 0.9)
"""Probabilities at which a token's colour changes."""
MANY = 1000
"""A larger ratio is said to be more than this."""
MOST_TOKENS = 2_000
LONGEST = 400
"""Characters of a text that a sentence names."""

Judged = tuple[tuple[str, Scored], ...]
"""Continuations, each with its score."""


def kept(judged: Judged) -> list[list[Any]]:
    """The scores as a browser keeps them."""
    return [[text, packed(score)] for text, score in judged]


def read_kept(value: Any) -> Judged:
    """What a browser has kept; nothing when it is not what was given to it."""
    given = value.get("judged") if isinstance(value, dict) else None
    try:
        return tuple((str(text), _score(tokens)) for text, tokens in (given or ())[:MOST])
    except (KeyError, TypeError, ValueError, OverflowError):
        return ()


def _score(tokens: Sequence[Any]) -> Scored:
    told = tuple(
        TokenChoice(int(i), str(text), _finite(logprob), int(rank))
        for i, text, logprob, rank in tokens[:MOST_TOKENS]
    )
    return Scored(told, 0)


def read_repeated(value: Any) -> int:
    """How many continuations were left out as equal to another, as a browser has kept it."""
    count = value.get("repeated") if isinstance(value, dict) else 0
    return min(max(count, 0), MOST_TOKENS) if type(count) is int else 0


def repeated_note(texts: Texts, language: str, count: int) -> Markup:
    """Says that equal continuations were judged once; nothing where there were none."""
    if not count:
        return Markup("")
    return notice(texts.say(language, "judge.repeated", count=count), "quiet")


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number) or number > 0:
        raise ValueError
    return number


def view(texts: Texts, language: str, judged: Judged, per_token: bool) -> Markup:
    """The verdict in words, every token tinted by its probability, and the numbers."""
    if len(judged) < 2:
        return Markup("")
    scores = [score for _, score in judged]
    found = verdict(scores, per_token=per_token)
    shares = _shares(scores, per_token)
    rows = joined(
        _row(texts, language, text, score, (shares[n], n == found.winner))
        for n, (text, score) in enumerate(judged)
    )
    return joined(
        [
            _verdict(texts, language, judged, found, per_token),
            _legend(texts, language),
            Markup('<ol class="options">{}</ol>').format(rows),
            _numbers(texts, language, judged),
        ]
    )


def ratio_in_words(texts: Texts, language: str, ratio: float) -> str:
    """How many times as probable: a readable number, or that it is beyond counting."""
    if ratio > MANY:
        return texts.say(language, "judge.more_than", ratio=MANY)
    return texts.say(language, "judge.times", ratio=float(ratio))


def _verdict(
    texts: Texts, language: str, judged: Judged, found: Verdict, per_token: bool
) -> Markup:
    names = [_short(text) for text, _ in judged]
    key = "judge.wins_per_token" if per_token else "judge.wins"
    times = ratio_in_words(texts, language, found.ratio)
    said = texts.say(
        language, key, winner=names[found.winner], second=names[found.order[1]], times=times
    )
    scores = [score for _, score in judged]
    other = names[verdict(scores, per_token=not per_token).winner]
    turned = texts.say(
        language, "judge.flips" if per_token else "judge.flips_per_token", other=other
    )
    html = Markup('<p class="verdict" role="status">{}</p>').format(said)
    if flips(scores):
        return html + Markup('<p class="turned">{}</p>').format(turned)
    return html + notice(texts.say(language, "judge.stays"), "quiet")


def _short(text: str) -> str:
    """A text as a sentence names it: its own full stop would end that sentence."""
    text = text.strip().removesuffix(".")
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _shares(scores: Sequence[Scored], per_token: bool) -> list[float]:
    """What each has of the probability of all that were given."""
    measures = [score.mean_logprob if per_token else score.logprob for score in scores]
    weights = [math.exp(measure - max(measures)) for measure in measures]
    return [weight / sum(weights) for weight in weights]


def sure(probability: float) -> int:
    """The step of the scale of colours, 0 to 4."""
    return sum(probability >= edge for edge in SURE)


def _legend(texts: Texts, language: str) -> Markup:
    edges = [texts.number(language, round(100 * edge)) for edge in SURE]
    labels = [f"< {edges[0]} %", *(f"≥ {edge} %" for edge in edges)]
    keys = joined(
        Markup('<span class="scored" data-sure="{}">{}</span>').format(n, label)
        for n, label in enumerate(labels)
    )
    return Markup('<p class="scale">{} {}</p>').format(texts.say(language, "judge.legend"), keys)


def _row(
    texts: Texts, language: str, text: str, score: Scored, standing: tuple[float, bool]
) -> Markup:
    share, wins = standing
    told = [token.text for token in score.tokens]
    tokens = joined(
        _piece(texts, language, piece, score.tokens[piece.places]) for piece in pieces(told, text)
    )
    facts = texts.say(
        language,
        "judge.sums",
        total=round(score.logprob, 2),
        tokens=score.count,
        mean=round(score.mean_logprob, 2),
    )
    html = Markup(
        '<li class="{}"><p class="tokens" aria-label="{}">{}</p><div class="bar" aria-hidden="true"><i class="after" style="width:{:.1f}%"></i></div><p class="facts">{} · {}</p></li>'
    )
    part = texts.say(language, "judge.share", share=percent(texts, language, share))
    return html.format("wins" if wins else "", text, tokens, 100 * share, part, facts)


def _piece(texts: Texts, language: str, piece: Piece, tokens: Sequence[TokenChoice]) -> Markup:
    """A token tinted by its probability; those that only together are a character by their product."""
    logprob = sum(token.logprob for token in tokens)
    probability = math.exp(logprob)
    told = f"{percent(texts, language, probability)} · {texts.number(language, logprob)}"
    if piece.count > 1:
        told = f"{texts.say(language, 'judge.pieces', count=piece.count)} · {told}"
    return Markup('<span class="scored" data-sure="{}" title="{}">{}</span>').format(
        sure(probability), told, piece.text
    )


def _numbers(texts: Texts, language: str, judged: Judged) -> Markup:
    """Every token in a table: what the colours say, for whoever cannot see or hover them."""
    heads = joined(
        Markup('<th scope="col">{}</th>').format(texts.say(language, f"judge.{key}"))
        for key in ("token", "probability", "logprob", "rank")
    )
    bodies = joined(
        Markup('<tbody><tr><th colspan="4" scope="rowgroup">{}</th></tr>{}</tbody>').format(
            _short(text), joined(_cells(texts, language, token) for token in score.tokens)
        )
        for text, score in judged
    )
    html = Markup(
        '<details class="in-numbers"><summary>{}</summary><div class="scroll" tabindex="0" role="region" aria-label="{}"><table class="scores"><thead><tr>{}</tr></thead>{}</table></div></details>'
    )
    title = texts.say(language, "judge.numbers")
    return html.format(title, title, heads, bodies)


def _cells(texts: Texts, language: str, token: TokenChoice) -> Markup:
    html = Markup("<tr><td><code>{}</code>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>")
    part = Markup(' <span class="lens-pieces">{}</span>').format(texts.say(language, "lens.piece"))
    return html.format(
        visible(token.text),
        part if REPLACEMENT in token.text else "",
        percent(texts, language, math.exp(token.logprob)),
        # Adding zero takes the sign from a zero.
        texts.number(language, round(float(token.logprob), 2) + 0.0),
        texts.number(language, token.rank),
    )
