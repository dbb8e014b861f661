"""Trains the adapters that ship with the lab anew: `make adapters`, or name one of them.

The same loop, samples and files as a visitor's run; scores on prompts that were not trained on are
added to `run.json` and to the card.
"""

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.runs import SAMPLES, Answers, Base, answer, open_base, sample, train
from demo.evaluation.bleu import bleu
from demo.run_records import TrainSettings
from demo.settings import ROOT
from demo.training.report import add_score, card
from demo.training.run_folder import RunFolder
from demo.workspace import read_json, write_atomic, write_json

ANSWER_LINE = re.compile(r"^#### *\$?(-?[\d,.]*\d)\.?\s*$", re.MULTILINE)
"""A line of its own, so that a heading such as `#### 1. Add` is no answer. The base model has met
this format and often adds a sentence after the line, which is allowed; the last such line counts."""


@dataclass(frozen=True)
class Comparison:
    """One score of base and adapted."""

    name: str
    base: float
    adapted: float
    n: int


@dataclass(frozen=True)
class Recipe:
    """How one shipped adapter is made."""

    title: str
    sample: str
    settings: TrainSettings
    score: Callable[[Base, RunFolder], Sequence[Comparison]]


def score_restaurants(base: Base, run: RunFolder) -> list[Comparison]:
    """BLEU against all references, on restaurants whose names were not trained on."""
    lines = (SAMPLES / "restaurants" / "scoring.jsonl").read_text("utf-8").splitlines()
    scoring = [json.loads(line) for line in lines]
    answers = answer(base, run.adapter, [line["prompt"] for line in scoring], 80)
    references = [line["references"] for line in scoring]
    before, after = (bleu(texts, references) for texts in (answers.base, answers.adapted))
    return [Comparison("bleu", round(before, 1), round(after, 1), len(scoring))]


def score_worked_steps(base: Base, run: RunFolder) -> list[Comparison]:
    """Percent of the held-out problems answered with an answer line, and with the right one."""
    rows = run.eval_rows()
    wanted = [_result(row.messages[-1].content) for row in rows]
    answers = answer(base, run.adapter, [row.messages[-2].content for row in rows], 200)
    return [
        _percent("answer_line_percent", answers, [lambda text: bool(_result(text))] * len(rows)),
        _percent("exact_match_percent", answers, [_is_result(result) for result in wanted]),
    ]


def _result(text: str) -> str:
    found = ANSWER_LINE.findall(text)
    return found[-1].replace(",", "") if found else ""


def _is_result(wanted: str) -> Callable[[str], bool]:
    return lambda text: _result(text) == wanted


def _percent(name: str, answers: Answers, tests: Sequence[Callable[[str], bool]]) -> Comparison:
    def share(texts: list[str]) -> float:
        passed = sum(test(text) for test, text in zip(tests, texts, strict=True))
        return round(100 * passed / len(tests), 1)

    return Comparison(name, share(answers.base), share(answers.adapted), len(tests))


RECIPES = {
    "restaurants": Recipe(
        "Restaurant sentences",
        "restaurants",
        TrainSettings(epochs=2, learning_rate=1e-3),
        score_restaurants,
    ),
    "worked-steps": Recipe(
        "Worked steps",
        "word-problems",
        TrainSettings(epochs=2, learning_rate=5e-4, eval_share=0.2),
        score_worked_steps,
    ),
}


def make(name: str, base: Base, target: Path) -> None:
    """Train one adapter, score it, and replace its folder."""
    recipe = RECIPES[name]
    with tempfile.TemporaryDirectory() as runs:
        run = train(base, recipe.title, sample(recipe.sample), recipe.settings, Path(runs))
        record = read_json(run.adapter / "run.json")
        for score in recipe.score(base, run):
            add_score(record, score.name, score.base, score.adapted, n=score.n)
        write_json(run.adapter / "run.json", record)
        write_atomic(run.adapter / "README.md", card(record))
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(run.adapter, target)
        for file in target.iterdir():
            file.chmod(0o644)
    print(f"{name}: {record['summary']}, {record['seconds']} s")


def main(names: Sequence[str]) -> None:
    """Make the named adapters, or all."""
    base = open_base()
    for name in names or RECIPES:
        make(name, base, ROOT / "adapters" / name)


if __name__ == "__main__":
    main(sys.argv[1:])
