"""A report's files: JSON is exact, CSV holds nothing that a spreadsheet would compute."""

import csv
import io
import json
import math
from base64 import b64encode

import pytest

from demo.prompting.report import tabular
from demo.prompting.report.files import as_csv, as_json, cell
from demo.prompting.report.readable import readable
from demo.prompting.report.records import Part, Report

ASKED = {"question": "=2+2", "mode": "plain", "temperature": 0.8}
JUDGED = {
    "asked": ASKED,
    "judged": [[" Paris.", [[3, " Paris", -0.5, 1], [4, ".", -0.25, 2]]], [" Rome.", [[5, " Rome.", -2.0, 9]]]],
    "per_token": True,
    "repeated": 0,
}  # fmt: skip
LOOK = {
    "tokens": ["a", "b"],
    "layers": 2,
    "heads": 1,
    "weights": b64encode(bytes([255, 0, 0, 255])).decode(),
    "question": "q",
}

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
    assert [(row["text"], row["tokens"]) for row in draws] == [("'=1+1", "3"), ("b", "1")]
    odd = [row for row in found if row["part"] == "draws.draws.odd"]
    assert [(row["item"], row["value"]) for row in odd] == [("1.1", "1"), ("1.2", "-2")]
    (warmth,) = [row for row in found if row["part"] == "draws"]
    assert (warmth["name"], warmth["value"]) == ("warmth", "0.8")


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


def test_the_judge_has_a_row_for_each_continuation_and_each_token() -> None:
    found = rows(as_csv(report(judge=readable("judge", JUDGED))))
    told = [row for row in found if row["part"] == "judge.continuations"]
    assert [(row["continuation"], row["logprob"], row["tokens"]) for row in told] == [
        (" Paris.", "-0.75", "2"),
        (" Rome.", "-2.0", "1"),
    ]
    tokens = [row for row in found if row["part"] == "judge.tokens"]
    assert [(row["of"], row["token"], row["rank"]) for row in tokens] == [
        ("1", " Paris", "1"),
        ("1", ".", "2"),
        ("2", " Rome.", "9"),
    ]
    asked = {row["name"]: row["value"] for row in found if row["part"] == "judge.asked"}
    assert asked == {"question": "'=2+2", "mode": "plain", "temperature": "0.8"}


def test_a_pair_is_one_row_with_both_sentences_and_scores() -> None:
    data = readable("judge_pronouns", {"kind": "pronouns", "scores": [[-3.0, -1.0], [-1.0, -2.0]]})
    first, second = [r for r in rows(as_csv(report(p=data))) if r["part"] == "p.pairs"]
    assert first["first"] != first["second"]
    assert first["first"].split()[:3] == first["second"].split()[:3]
    assert (first["first_logprob"], first["second_logprob"]) == ("-3.0", "-1.0")
    assert (first["likelier"], second["likelier"]) == ("second", "first")
    assert {first["right"], second["right"]} == {"first", "second"}


def test_attention_has_a_row_for_each_token_under_each_head(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = readable("attention", LOOK)
    found = rows(as_csv(report(attention=data)))
    heads = [r for r in found if r["part"] == "attention.heads"]
    assert [(r["layer"], r["head"], r["token"], r["weight"]) for r in heads] == [
        ("1", "1", "a", "1.0"),
        ("1", "1", "b", "0.0"),
        ("2", "1", "a", "0.0"),
        ("2", "1", "b", "1.0"),
    ]
    means = [r["weight"] for r in found if r["part"] == "attention.tokens"]
    assert means == ["0.5", "0.5"]
    monkeypatch.setattr(tabular, "MOST_ROWS", 3)
    found = rows(as_csv(report(attention=data)))
    assert not [r for r in found if r["part"] == "attention.heads"]
    assert tabular.LEFT_OUT in [r["value"] for r in found]


def test_no_cell_holds_a_list_or_a_mapping() -> None:
    odd = {"a": [[1, [2, {"b": [3]}]], []], "c": [{"d": {"e": [4, 5]}}]}
    parts = {"judge": readable("judge", JUDGED), "attention": readable("attention", LOOK)}
    for row in rows(as_csv(report(odd=odd, **parts))):
        assert not [text for text in row.values() if text.startswith(("[", "{"))]
