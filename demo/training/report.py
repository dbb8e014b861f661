"""What stands beside an adapter's weights: `run.json` for machines, and the card written from it.

Does not measure anything itself.
"""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from demo.methods import method_of
from demo.methods.method import Method
from demo.training.run_folder import RunOrder

LIBRARIES = ("torch", "transformers", "peft")
SIGNS = {"rank": "r", "virtual_tokens": "n", "width": "w"}
"""How the setting that gives an adapter its size is written in one line."""
HUB_LICENCES = {
    "Apache-2.0": "apache-2.0",
    "MIT": "mit",
    "CC BY 4.0": "cc-by-4.0",
    "CC BY-SA 4.0": "cc-by-sa-4.0",
    "CC0 1.0": "cc0-1.0",
}
"""How the hub spells a dataset's licence, as far as it is written before any bracket."""


@dataclass(frozen=True)
class Measured:
    """What a run measured beside its losses."""

    status: str
    rows: int
    """Rows that at least one step read."""
    rows_given: int
    """Rows that the run was given to learn."""
    eval_rows: int
    too_long: int
    trainable: int
    seconds: float
    """From the first step to the saved weights."""
    tokens_per_second: float
    losses: tuple[float, ...]
    best_step: int
    """Whose weights these are; 0 where no eval loss told."""
    base_loss: float | None
    adapted_loss: float | None
    device: str
    spent: float = 0.0
    """The budget of CPU seconds that ended it; 0 where none did."""
    cpu_seconds: float = 0.0
    """Of all cores, once the base was loaded; on a GPU the seconds of the wall clock."""
    peak_bytes: int = 0
    """Memory that the training process, or the GPU for it, held at most."""


def run_record(order: RunOrder, measured: Measured) -> dict[str, Any]:
    """The content of `run.json`."""
    record: dict[str, Any] = {
        "name": order.name,
        "status": measured.status,
        "settings": method_of(order.settings.method).relevant(order.settings),
        "seed": order.settings.seed,
        "dataset": order.dataset,
        "rows": measured.rows,
        "rows_given": measured.rows_given,
        "eval_rows": measured.eval_rows,
        "too_long": measured.too_long,
        "base": order.fingerprint,
        "trainable": measured.trainable,
        "versions": {"python": platform.python_version(), **{n: version(n) for n in LIBRARIES}},
        "device": measured.device,
        "seconds": round(measured.seconds, 3),
        "cpu_seconds": round(measured.cpu_seconds, 3),
        "cpu_budget": order.cpu_budget,
        "spent": measured.spent,
        "peak_bytes": measured.peak_bytes,
        "tokens_per_second": round(measured.tokens_per_second, 1),
        "losses": [round(loss, 4) for loss in measured.losses],
        "best_step": measured.best_step,
        "scores": {},
    }
    if measured.base_loss is not None and measured.adapted_loss is not None:
        losses = round(measured.base_loss, 4), round(measured.adapted_loss, 4)
        add_score(record, "eval_loss", *losses, n=measured.eval_rows)
    record["summary"] = summary(record)
    return record


def add_score(record: dict[str, Any], name: str, base: float, adapted: float, *, n: int) -> None:
    """Add what base and adapted scored on `n` prompts."""
    record["scores"][name] = {"base": base, "adapted": adapted, "n": n}
    record["summary"] = summary(record)


def summary(record: Mapping[str, Any]) -> str:
    """One line for lists: method, rows, scores. Read in every language, so mostly numbers."""
    settings = record["settings"]
    method = method_of(settings["method"])
    sizes = [f"{sign}={settings[name]}" for name, sign in SIGNS.items() if name in settings]
    parts = [" ".join([method.title, *sizes]), f"{record['rows']} rows"]
    parts += [
        f"{name.replace('_', ' ')} {score['base']:.4g} → {score['adapted']:.4g} (n={score['n']})"
        for name, score in record["scores"].items()
    ]
    return " · ".join(parts)


def card(record: Mapping[str, Any]) -> str:
    """The adapter's model card, README.md."""
    dataset = record["dataset"]
    model = record["base"]["lineage"].partition("#")[0]
    settings = record["settings"]
    method = method_of(settings["method"])
    learned = {name: settings[name] for name in method.settings}
    trained = ("learning_rate", "epochs", "batch_size", "max_length", "max_steps", "seed")
    lines = [
        "---",
        f"base_model: {model}",
        f"library_name: {'transformers' if method.loader else 'peft'}",
        f"pipeline_tag: text-{'classification' if method.objective == 'labels' else 'generation'}",
        f"tags: [{settings['method']}, adaptation-lab]",
        f"license: {HUB_LICENCES.get(dataset['licence'].partition(' (')[0], 'other')}",
        "---",
        f"# {plain(record['name'])}",
        "",
        f"A {method.title} adapter ({method.source}) for `{model}`, trained by the Adaptation Lab."
        f" Status of the run: {record['status']}.{_spent(record)}",
        "",
        "## Data",
        f"{plain(dataset['name'])}: {record['rows']} of {record['rows_given']} rows learned,"
        f" {record['eval_rows']} held out,"
        f" {record['too_long']} left out as too long. SHA-256 `{dataset['sha256']}`.",
        *_mended(dataset),
        *([f"Source: {plain(dataset['source'])}"] if dataset["source"] else []),
        *([f"Licence: {plain(dataset['licence'])}"] if dataset["licence"] else []),
        "",
        "## Settings",
        *(f"- {name}: {value}" for name, value in learned.items()),
        *(f"- {name}: {settings[name]}" for name in trained),
        "",
        "## Scores: base vs adapted",
        *score_lines(record["scores"]),
        "",
        *loading(method, "answers" not in record),
        "## Limits",
        "Scores hold for rows like those it was trained on. What the base model knew of other tasks may"
        " have been lost. All numbers of this card stand in `run.json`.",
    ]
    return "\n".join(lines) + "\n"


def _mended(dataset: Mapping[str, Any]) -> list[str]:
    """What the dataset doctor changed before any row was learned."""
    said = []
    for fix in dataset.get("fixes", ()):
        over = f" over {fix['limit']} tokens" if fix.get("limit") else ""
        rows = f"{fix['changed']} changed, {fix['before']} → {fix['after']} rows"
        said.append(f"{plain(fix['fix'].replace('_', ' '))}{over} ({rows})")
    return [f"Rows mended before training: {'; '.join(said)}."] if said else []


def _spent(record: Mapping[str, Any]) -> str:
    """What ended it, where it was not its last step; records of older runs do not say."""
    budget = record.get("spent", 0.0)
    return f" It ended at its budget of {budget:g} CPU seconds." if budget else ""


def loading(method: Method, kept: bool) -> list[str]:
    """How to load what PEFT itself cannot."""
    if not kept:
        return [
            "## Weights",
            "The weights were not kept: they are as large as the model itself.",
            "",
        ]
    if not method.loader:
        return []
    about = "PEFT does not know this method. `base` is the model above, `folder` this one:"
    return ["## Loading", about, "```python", method.loader, "```", ""]


def score_lines(
    scores: Mapping[str, Any], none: str = "No rows were held out, so nothing was measured."
) -> list[str]:
    """Scores of base and adapted as a table, or the sentence that there are none."""
    if not scores:
        return [none]
    rows = [
        f"| {name.replace('_', ' ')} | {score['base']:.4g} | {score['adapted']:.4g} | {score['n']} |"
        for name, score in scores.items()
    ]
    return ["| score | base | adapted | n |", "|---|---|---|---|", *rows]


def plain(text: str) -> str:
    """A visitor's words on one line, so that they cannot write front matter or markup of their own."""
    return " ".join(text.split()).translate({ord(c): f"\\{c}" for c in "\\`*_[]<>#|"})
