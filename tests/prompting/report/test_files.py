"""A report's files: JSON is exact, CSV holds nothing that a spreadsheet would compute."""

import csv
import io
import json
import math

import pytest

from demo.prompting.report.files import as_csv, as_json, cell
from demo.prompting.report.records import Part, Report

DRAWS = {
    "draws": [{"text": "=1+1", "tokens": 3, "odd": [1, -2]}, {"text": "b", "tokens": 1}],
    "warmth": 0.8,
}


def report(question: str = "=1+1", **data: object) -> Report:
    return Report(
        facts={"model": "M"},
        settings={"speaks": "base", "temperature": 0.0},
        prompt={"text": f"<|im_start|>user\n{question}", "tokens": 2, "ids": [1, 2]},
        answers=({"question": question, "speaker": "base", "answer": "-2", "tokens": 2},),
        code="import torch\n",
        parts=tuple(Part(name, name, value) for name, value in data.items()),
    )


def rows(found: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(found.decode("utf-8-sig"), newline="")))


def test_json_is_exact() -> None:
    found = report("=1+1 ő\u2028\ud800", draws=DRAWS)
    assert json.loads(as_json(found)) == json.loads(json.dumps(found.document()))
    assert json.loads(as_json(report("ő")))["answers"][0]["question"] == "ő"


def test_csv_has_a_row_for_each_item_and_each_value() -> None:
    found = rows(as_csv(report(draws=DRAWS)))
    (answer,) = [row for row in found if row["part"] == "answers"]
    assert (answer["item"], answer["question"], answer["answer"]) == ("1", "'=1+1", "'-2")
    draws = [row for row in found if row["part"] == "draws.draws"]
    assert [(row["text"], row["tokens"], row["odd"]) for row in draws] == [
        ("'=1+1", "3", "[1, -2]"),
        ("b", "1", ""),
    ]
    assert {"part": "draws", "name": "warmth", "value": "0.8"}.items() <= found[
        found.index(draws[0]) + 2
    ].items()


@pytest.mark.parametrize(
    "risky",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", " \t@x", "\uff1d1+1", "\u00a0=1"],
)  # fmt: skip
def test_no_text_begins_a_formula_wherever_it_stands(risky: str) -> None:
    assert cell(risky) == f"'{risky}"
    found = as_csv(report(risky, **{risky: {risky: risky, "list": [risky, {risky: [risky]}]}}))
    for row in csv.reader(io.StringIO(found.decode("utf-8-sig"), newline="")):
        assert not [
            text for text in row if text.lstrip().startswith(("=", "+", "-", "@", "\uff1d"))
        ]


def test_numbers_stay_numbers() -> None:
    assert cell(-1.5) == -1.5
    assert cell(True) == "true"
    assert cell(None) == cell(math.inf) == cell(math.nan) == ""


def test_a_value_named_like_a_column_does_not_overwrite_it() -> None:
    (row,) = [r for r in rows(as_csv(report(x=[{"part": "p", "value": 1}]))) if r["part"] == "x"]
    assert (row["part_"], row["value_"]) == ("p", "1")
