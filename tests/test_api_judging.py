"""The scoring endpoint, called by a script on a running lab."""

from types import SimpleNamespace

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from demo.judging_records import Scoreboard
from demo.ui import api_judging


@pytest.fixture(scope="module")
def client(running_app):
    return Client(running_app.url, verbose=False)


def evaluate(client, **given):
    asked = {"dataset": "sample:reviews", "adapters": ["base"], "questions": 4}
    return client.predict(api_name="/evaluate", **(asked | {"max_new_tokens": 6} | given))


def test_a_script_gets_scores_with_n_interval_and_difference(client):
    told = evaluate(client, adapters=["base", "restaurants"], answers=True)
    assert (told["n"], told["stopped"], told["learned"]) == (4, False, 0)
    base, adapted = told["columns"]
    assert (base["adapter"], adapted["adapter"]) == ("base", "restaurants")
    assert {"bleu", "f1", "rougeL", "perplexity", "length", "label_accuracy"} <= set(base["scores"])
    for score in adapted["scores"].values():
        assert score["n"] == 4
        assert score["low"] <= score["value"] + 1e-6
    assert "difference" not in base["scores"]["f1"]
    assert 0 < adapted["scores"]["f1"]["chance"] <= 1
    assert [len(row["answers"]) for row in told["rows"]] == [2] * 4


def test_one_metric_alone_can_be_asked_for(client):
    (column,) = evaluate(client, metric="bleu")["columns"]
    assert list(column["scores"]) == ["bleu"]


def test_a_script_that_leaves_leaves_its_board(monkeypatch):
    left = []

    def boards(asked):
        try:
            while True:
                yield Scoreboard(total=asked.questions)
        finally:
            left.append(asked.visitor)

    monkeypatch.setattr(api_judging, "TELL_SECONDS", 0.0)
    lab = SimpleNamespace(judging=SimpleNamespace(scoreboard=boards))
    page = SimpleNamespace(session_hash="gone")
    steps = api_judging.Judging(lab).evaluate(page, "sample:reviews", ["base"])
    assert next(steps) == {"n": 0, "asked": 0, "total": 48}
    steps.close()
    assert left == ["gone"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"metric": "beauty"}, "metric must be one of"),
        ({"adapters": []}, "columns"),
        ({"questions": 100_000}, "questions"),
        ({"questions": "many"}, "questions"),
        ({"prompt": "../secret"}, "prompt must be one of"),
        ({"rule": "eval"}, "rule must be one of"),
        ({"dataset": "sample:../../x"}, "Nothing was found"),
        ({"dataset": None}, "Nothing was found"),
        ({"adapters": ["nobody"]}, "Nothing was found"),
    ],
)
def test_what_cannot_be_scored_is_refused_in_one_sentence(client, given, said):
    with pytest.raises(AppError, match=said):
        evaluate(client, **given)
