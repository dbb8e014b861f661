"""A reshaped distribution as bars in a table: before as an outline, after filled, cut tokens struck.

Knows neither the model nor where the distribution is kept.
"""

from markupsafe import Markup, escape

from demo.look_records import Candidate, NextToken
from demo.prompting.characters import marked
from demo.prompting.reshape import HEAD, Reshaped, Stage
from demo.records import Sampling
from demo.ui.language import Texts
from demo.ui.views import joined

SHOWN = 15
"""Tokens drawn one by one; the others are one bar."""
INVISIBLE = str.maketrans({"\n": "⏎", "\t": "⇥", "\r": "␍", " ": "␣"})


def distribution(
    texts: Texts, language: str, seen: NextToken, shape: Reshaped, sampling: Sampling
) -> Markup:
    """The verdict in a sentence, the bars, and what each control did.

    Args:
        texts: the page's sentences.
        language: the visitor's.
        seen: the model's own distribution.
        shape: what the controls make of it.
        sampling: where the controls stand.
    """
    return joined(
        [
            Markup('<p class="verdict" role="status">{}</p>').format(
                _verdict(texts, language, seen, shape)
            ),
            _bars(texts, language, seen, shape),
            _stages(texts, language, shape, sampling),
        ]
    )


def visible(token: str) -> str:
    """A token with marks for its spaces and line ends, and for what is only a part of a character."""
    return marked(token).translate(INVISIBLE) or "∅"


def percent(texts: Texts, language: str, share: float) -> str:
    """A share as a number and its sign; what rounds to nothing is said to be less."""
    if share == 0:
        return "0 %"
    if share < 0.0001:
        return f"< {texts.number(language, 0.01)} %"
    return f"{texts.number(language, round(100 * share, 2 if share < 0.1 else 1))} %"


def _verdict(texts: Texts, language: str, seen: NextToken, shape: Reshaped) -> str:
    after = shape.after
    if shape.greedy is not None:
        taken = visible(seen.candidates[shape.greedy].text)
        share = percent(texts, language, shape.before.probabilities[shape.greedy])
        return texts.say(language, "next_token.greedy", token=taken, share=share)
    likeliest = max(range(len(seen.candidates)), key=lambda i: after.probabilities[i])
    return texts.say(
        language,
        "next_token.drawn",
        kept=after.kept,
        all=shape.before.kept,
        token=visible(seen.candidates[likeliest].text),
        share=percent(texts, language, after.probabilities[likeliest]),
    )


def _shown(shape: Reshaped) -> list[int]:
    """The places that matter before or after, in the model's own order."""
    before, after = shape.before.probabilities, shape.after.probabilities
    ranked = sorted(range(len(before)), key=lambda i: -max(before[i], after[i]))
    return sorted(ranked[:SHOWN])


def _bars(texts: Texts, language: str, seen: NextToken, shape: Reshaped) -> Markup:
    shown = _shown(shape)
    before, after = shape.before.probabilities, shape.after.probabilities
    rows = [
        _token(texts, language, seen.candidates[i], (before[i], after[i]), shape.cut[i])
        for i in shown
    ]
    rest = [max(0.0, 1.0 - sum(share[i] for i in shown)) for share in (before, after)]
    others = shape.before.kept - len(shown)
    left = max(0, shape.after.kept - sum(after[i] > 0 for i in shown))
    said = texts.say(language, "next_token.rest", count=others)
    why = texts.say(language, "next_token.rest_kept", count=left)
    rows.append(_row(texts, language, escape(said), (rest[0], rest[1]), ("rest", why)))
    heads = joined(
        Markup('<th scope="col">{}</th>').format(texts.say(language, f"next_token.{key}"))
        for key in ("token", "shares", "own", "drawn_from", "fate")
    )
    html = Markup(
        '<table class="next-token"><caption>{}</caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table>'
    )
    return html.format(texts.say(language, "next_token.legend"), heads, joined(rows))


def _token(
    texts: Texts, language: str, token: Candidate, shares: tuple[float, float], cut: str
) -> Markup:
    name = Markup("<code>{}</code>").format(visible(token.text))
    if not cut:
        said = texts.say(language, "next_token.said") if token.said else ""
        return _row(texts, language, name, shares, ("", said))
    control = control_name(texts, language, cut)
    why = texts.say(language, "next_token.cut", control=control)
    return _row(texts, language, Markup("<s>{}</s>").format(name), shares, ("cut", why))


def _row(
    texts: Texts,
    language: str,
    name: Markup,
    shares: tuple[float, float],
    fate: tuple[str, str],
) -> Markup:
    kind, why = fate
    before, after = shares
    bar = Markup(
        '<div class="bar" aria-hidden="true"><i class="after" style="width:{:.2f}%"></i><i class="before" style="width:{:.2f}%"></i></div>'
    )
    html = Markup(
        '<tr class="{}"><th scope="row">{}</th><td class="picture">{}</td><td class="number">{}</td><td class="number">{}</td><td class="fate">{}</td></tr>'
    )
    return html.format(
        kind,
        name,
        bar.format(100 * after, 100 * before),
        percent(texts, language, before),
        percent(texts, language, after),
        why,
    )


def control_name(texts: Texts, language: str, control: str) -> str:
    """What the Playground calls a control."""
    return str(texts.node(language, f"components.sampling.{control}.label"))


def _stages(texts: Texts, language: str, shape: Reshaped, sampling: Sampling) -> Markup:
    """What is left after each control, in the order in which they are applied."""
    heads = joined(
        Markup('<th scope="col">{}</th>').format(
            texts.say(language, f"next_token.{key}", count=HEAD)
        )
        for key in ("control", "kept", "entropy", "tail")
    )
    pairs = zip((None, *shape.stages), shape.stages, strict=False)
    rows = joined(_stage(texts, language, sampling, *pair) for pair in pairs)
    html = Markup(
        '<details class="stages"><summary>{}</summary><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></details>'
    )
    return html.format(texts.say(language, "next_token.step_by_step"), heads, rows)


def _stage(
    texts: Texts, language: str, sampling: Sampling, previous: Stage | None, stage: Stage
) -> Markup:
    name = texts.say(language, "next_token.own")
    if stage.control:
        value = texts.number(language, getattr(sampling, stage.control))
        name = f"{control_name(texts, language, stage.control)} {value}"
    idle = previous is not None and previous.probabilities == stage.probabilities
    html = Markup('<tr class="{}"><th scope="row">{}</th><td>{}</td><td>{}</td><td>{}</td></tr>')
    return html.format(
        "idle" if idle else "",
        name,
        texts.number(language, stage.kept),
        texts.number(language, round(stage.entropy, 2)),
        percent(texts, language, stage.tail),
    )
