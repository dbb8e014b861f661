"""What stands beside an adapter that no run of this lab made: `run.json` for machines, and its card.

What a stranger's `run.json` says is quoted, bounded and named as such; nothing is measured here.
"""

import time
from collections.abc import Mapping
from typing import Any

from demo.engine.model.catalogue import Fingerprint
from demo.errors import BadInput
from demo.methods import METHODS
from demo.methods.travel.config import method_of_config, size_of_config
from demo.training.report import loading, plain, score_lines

LONGEST_QUOTE = 120
"""Characters of a name that somebody else gave."""
MOST_SCORES = 8
LONGEST_SCORE = 40
PARTS = ("base", "adapted", "n")
UNKNOWN = ""
"""In place of the hash of weights that nobody stated."""

Record = dict[str, Any]
Scores = dict[str, dict[str, float]]
Base = tuple[dict[str, str], bool]
"""Lineage and weights, and whether the adapter itself says so."""


def base_of(named: str, run: Mapping[str, Any], here: Fingerprint) -> Base:
    """On which base an adapter says it was trained, and whether it says so at all.

    Args:
        named: the base in its config; empty where it is none.
        run: its `run.json`, or nothing.
        here: the base model of this lab.

    Raises:
        BadInput: it is another model.
    """
    if run.get("base_stated") is False:
        return {"lineage": here.lineage, "weights": here.weights}, False
    claim = _part(run, "base")
    lineage = quoted(claim.get("lineage"))
    model = here.lineage.partition("#")[0]
    same = lineage == here.lineage if lineage else named in ("", model) or "/" not in named
    if not same:
        raise BadInput(
            "adapter_other_base",
            adapter=quoted(run.get("name")) or "adapter_config.json",
            wanted=lineage.partition("#")[0] or named,
            got=model,
        )
    known = bool(lineage) or named == model
    weights = quoted(claim.get("weights")) if lineage else UNKNOWN
    return {"lineage": here.lineage, "weights": weights if known else here.weights}, known


def brought_record(
    name: str, config: Mapping[str, Any], run: Mapping[str, Any], base: Base
) -> Record:
    """The `run.json` of an adapter from elsewhere."""
    before = _part(run, "stated")
    stated = _scores(run.get("scores") or before.get("scores"))
    scores = [
        f"{score.replace('_', ' ')} {v['base']:.4g} → {v['adapted']:.4g} (n={v['n']:g})"
        for score, v in stated.items()
    ]
    return {
        **_record(name, "brought", config),
        "base": base[0],
        "base_stated": base[1],
        "stated": {
            "name": quoted(run.get("name")),
            "dataset": quoted(_part(run, "dataset").get("name") or before.get("dataset")),
            "scores": stated,
        },
        "summary": " · ".join([size_of_config(config), *scores]),
    }


def merged_record(
    name: str, config: Mapping[str, Any], parents: list[Record], base: Base
) -> Record:
    """The `run.json` of a weighted sum; each parent has a name, an id and a weight."""
    sums = " + ".join(f"{parent['weight']:g} x {parent['name']}" for parent in parents)
    return {
        **_record(name, "merged", config),
        "base": base[0],
        "base_stated": base[1],
        "parents": parents,
        "scores": {},
        "summary": f"{size_of_config(config)} · {sums}",
    }


def card(record: Mapping[str, Any]) -> str:
    """The adapter's model card, README.md."""
    method = METHODS[record["method"]]
    model = record["base"]["lineage"].partition("#")[0]
    told = _brought(record) if record["origin"] == "brought" else _merged(record)
    lines = [
        "---",
        f"base_model: {model}",
        f"library_name: {'transformers' if method.loader else 'peft'}",
        f"tags: [{record['method']}, adaptation-lab]",
        "license: other",
        "---",
        f"# {plain(record['name'])}",
        "",
        f"A {method.title} adapter ({method.source}) for `{model}`. {told[0]}",
        "" if record["base_stated"] else "Its base model was not stated; only its shapes fit.",
        "",
        *told[1:],
        "",
        *loading(method, kept=True),
    ]
    return "\n".join(lines) + "\n"


def quoted(text: Any) -> str:
    """A stranger's words on one line and cut; empty for anything else."""
    if not isinstance(text, str):
        return ""
    line = " ".join(
        "".join(c for c in text[: 4 * LONGEST_QUOTE] if c.isprintable() or c.isspace()).split()
    )
    return line[:LONGEST_QUOTE]


def _record(name: str, origin: str, config: Mapping[str, Any]) -> Record:
    method = method_of_config(config)
    return {"name": name, "origin": origin, "method": method, "created": time.time()}


def _part(run: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = run.get(name)
    return part if isinstance(part, dict) else {}


def _scores(given: Any) -> Scores:
    """Scores with a plain name, two numbers and a count; the others are passed over."""
    found: Scores = {}
    for name, score in given.items() if isinstance(given, dict) else ():
        told = score if isinstance(score, dict) else {}
        plain_name = name.isidentifier() and len(name) <= LONGEST_SCORE
        if plain_name and len(found) < MOST_SCORES and all(_is_number(told.get(k)) for k in PARTS):
            found[name] = {key: told[key] for key in PARTS}
    return found


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e9  # Not NaN either.


def _brought(record: Mapping[str, Any]) -> list[str]:
    told = record["stated"]
    names = [
        *([f"Its `run.json` calls it “{plain(told['name'])}”."] if told["name"] else []),
        *([f"It was trained on “{plain(told['dataset'])}”, it says."] if told["dataset"] else []),
    ]
    return [
        "Brought to the Adaptation Lab from elsewhere and written anew there: its numbers are the same,"
        " its other files were left out.",
        *names,
        "",
        "## Scores: base vs adapted",
        "Brought from elsewhere: scores as its own `run.json` states them, not measured here.",
        *score_lines(told["scores"], "It states none."),
        "",
        "## Limits",
        "Who made it, and what it may say, is not known here.",
    ]


def _merged(record: Mapping[str, Any]) -> list[str]:
    return [
        "A weighted sum of other adapters, made by the Adaptation Lab: their low-rank matrices side by"
        " side, each times its weight.",
        "",
        "## Parts",
        *(f"- {part['weight']:g} x {plain(part['name'])}" for part in record["parents"]),
        "",
        "## Scores: base vs adapted",
        "None: nothing was measured. A sum may do worse than each of its parts.",
    ]
