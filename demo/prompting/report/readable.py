"""What the folds keep in short, written out: tokens with probabilities, candidates, scores, attention.

A browser kept it, so anything may be in it: what cannot be read stays as it is, under `as_kept`. Knows no
file format.
"""

import math
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from demo.errors import LabError
from demo.prompting.branches import tree_of
from demo.prompting.judging import Question, joined_to, questions
from demo.records import TokenChoice

SHOWN = ("html", "language")
"""What a fold's value keeps of its own look."""


def readable(name: str, value: Any) -> Any:
    """A fold's value as people read it, without its picture.

    Args:
        name: the fold's.
        value: what its component held.
    """
    if not isinstance(value, dict):
        return None
    data = {key: one for key, one in value.items() if key not in SHOWN}
    try:
        return WRITTEN_OUT[name](data) if name in WRITTEN_OUT and data else data
    except (LabError, KeyError, TypeError, ValueError, ArithmeticError, LookupError):
        return {"as_kept": data}


def _lens(value: Mapping[str, Any]) -> dict[str, Any]:
    if not value["branches"]:
        return {}
    tree = tree_of(value["branches"])
    branches = [
        {
            "branch": number,
            "leaves": branch.parent if branch.parent >= 0 else None,
            "at_token": branch.place if branch.parent >= 0 else None,
            "ended": branch.reason,
            # Tokens that are parts of one character can only be read together.
            "text": str(value["branches"][number].get("text") or "")
            or "".join(token.text for token in tree.path(number)),
            "tokens": [_token(token) for token in branch.tokens],
        }
        for number, branch in enumerate(tree.branches)
    ]
    return {"question": value["question"], "asked": value["asked"], "branches": branches}


def _token(choice: TokenChoice) -> dict[str, Any]:
    likeliest = [
        {"token": a.text, "id": a.id, "probability": share(a.logprob)} for a in choice.alternatives
    ]
    return {
        "token": choice.text,
        "id": choice.id,
        "probability": share(choice.logprob),
        "rank": choice.rank,
        "likeliest": likeliest,
    }  # fmt: skip


def _next_token(value: Mapping[str, Any]) -> dict[str, Any]:
    """Candidates with probabilities; what is told in bins counts as well."""
    candidates = [
        (int(i), str(text), float(logit), bool(said))
        for i, text, logit, said in value["candidates"]
    ]
    tail = [(float(logit), int(count)) for logit, count in value["tail"]]
    highest = max(logit for _, _, logit, _ in candidates)
    whole = sum(math.exp(c[2] - highest) for c in candidates)
    whole += sum(count * math.exp(logit - highest) for logit, count in tail)
    return _asked(value) | {
        "after": value["after"],
        "prompt_tokens": value["prompt_tokens"],
        "other_tokens": sum(count for _, count in tail),
        "candidates": [
            {"token": text, "id": i, "logit": logit, "in_prompt": said,
             "probability": round(math.exp(logit - highest) / whole, 6)}
            for i, text, logit, said in candidates
        ],
    }  # fmt: skip


def _attention(value: Mapping[str, Any]) -> dict[str, Any]:
    if not value["tokens"] and not value["weights"]:
        return {}
    tokens, layers, heads = value["tokens"], int(value["layers"]), int(value["heads"])
    roots = b64decode(value["weights"], validate=True)
    width = len(tokens)
    if not tokens or len(roots) != layers * heads * width:
        raise ValueError
    weights = [round((root / 255) ** 2, 4) for root in roots]
    rows = [
        {
            "layer": at // heads + 1,
            "head": at % heads + 1,
            "weights": weights[at * width : (at + 1) * width],
        }
        for at in range(layers * heads)
    ]
    who = {name: value[name] for name in ("question", "speaks") if name in value}
    return who | {"looking": tokens[-1], "tokens": list(tokens), "attention": rows}


def _judge(value: Mapping[str, Any]) -> dict[str, Any]:
    """One entry for each continuation, and one for each of their tokens."""
    continuations: list[dict[str, Any]] = []
    tokens: list[dict[str, Any]] = []
    for number, (text, scored) in enumerate(value["judged"], 1):
        total = sum(float(logprob) for _, _, logprob, _ in scored)
        summed = {"logprob": round(total, 5), "tokens": len(scored)}
        mean = {"mean_logprob": round(total / max(len(scored), 1), 5)}
        continuations.append({"continuation": str(text), **summed, **mean})
        tokens += [
            {"of": number, "place": place, "token": str(token), "id": int(i),
             "logprob": float(logprob), "probability": share(float(logprob)), "rank": int(rank)}
            for place, (i, token, logprob, rank) in enumerate(scored, 1)
        ]  # fmt: skip
    how = {name: value[name] for name in ("per_token", "repeated") if name in value}
    return _asked(value) | how | {"continuations": continuations, "tokens": tokens}


def _pairs(value: Mapping[str, Any]) -> dict[str, Any]:
    """One entry for each pair of sentences, both written out."""
    asked = questions(value["kind"])
    pairs = [_pair(*one) for one in zip(asked, value["scores"], strict=False)]
    return _asked(value) | {"kind": value["kind"], "pairs": pairs} if pairs else {}


def _pair(question: Question, scores: Sequence[Any]) -> dict[str, Any]:
    names = ("first", "second")
    first, second = (question.before + end for end in joined_to(question.before, question.options))
    one, other = (float(score) for score in scores)
    right = {} if question.right is None else {"right": names[question.right]}
    return {
        "first": first,
        "second": second,
        "first_logprob": one,
        "second_logprob": other,
        "likelier": names[other > one],
        **right,
    }


def _asked(value: Mapping[str, Any]) -> dict[str, Any]:
    """The question and the settings, where they were kept."""
    return {"asked": value["asked"]} if "asked" in value else {}


def share(logprob: float) -> float:
    """A probability, short enough to be read."""
    return round(math.exp(min(logprob, 0.0)), 6)


def mean_attention(rows: Sequence[Mapping[str, Any]]) -> list[float]:
    """What all heads together draw from each token."""
    columns = zip(*(row["weights"] for row in rows), strict=True)
    return [sum(column) / len(rows) for column in columns]


WRITTEN_OUT: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "lens": _lens,
    "next_token": _next_token,
    "attention": _attention,
    "judge": _judge,
    "judge_pronouns": _pairs,
    "judge_words": _pairs,
}
