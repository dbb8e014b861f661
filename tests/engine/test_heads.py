"""A classifier head behind the engine's door: answers, the lens, scores and refusals."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from demo.engine.service import Engine
from demo.errors import BadInput
from demo.methods import METHODS, good_settings
from demo.methods.method import Label, Work
from demo.records import ScoreRequest
from demo.workspace import write_json
from tests.engine.asking import ask, request
from tests.engine.tiny import save_tiny, tiny_engine

TEXTS = ("positive", "negative", "not sure")
QUESTION = "The soup was cold."


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = save_tiny(tmp_path_factory.mktemp("tiny"))
    engine = tiny_engine(folder, tmp_path_factory.mktemp("home"))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def head(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A head whose weights are chance."""
    folder = tmp_path_factory.mktemp("adapters") / "head"
    folder.mkdir()
    end = min(engine.tokenizer.end_ids)
    labels = tuple(Label(text, (*engine.tokenizer.encode(text), end)) for text in TEXTS)
    model = AutoModelForCausalLM.from_pretrained(engine.spec.source, dtype=torch.float32)
    model = METHODS["head"].build(model, Work(good_settings("head"), labels=labels))
    torch.manual_seed(0)
    torch.nn.init.normal_(model.label_head.weight, std=0.05)
    METHODS["head"].save(model, folder, "tiny")
    fingerprint = engine.fingerprint()
    assert fingerprint is not None
    base = {"lineage": fingerprint.lineage, "weights": fingerprint.weights}
    write_json(folder / "run.json", {"name": "head", "base": base})
    (folder / "README.md").write_text("made by a test")
    return folder


def test_an_answer_is_a_label_alone_and_beside_the_base(engine: Engine, head: Path) -> None:
    alone = ask(engine, QUESTION, head)
    assert alone.text in TEXTS
    *_, answers = engine.stream([request(QUESTION)] * 3, [None, head, None])
    assert answers[1].text == alone.text
    assert answers[0].text == answers[2].text == ask(engine, QUESTION).text
    assert alone.reason == "end"


def test_draws_are_labels_and_the_same_seed_draws_the_same(engine: Engine, head: Path) -> None:
    drawn = [ask(engine, QUESTION, head, temperature=1.0, seed=seed).text for seed in range(12)]
    assert set(drawn) <= set(TEXTS)
    assert len(set(drawn)) > 1
    assert ask(engine, QUESTION, head, temperature=1.0, seed=3).text == drawn[3]


def test_the_next_token_and_the_scores_tell_how_likely_each_label_is(
    engine: Engine, head: Path
) -> None:
    scored = engine.score(ScoreRequest(request(QUESTION).messages, TEXTS, closed=True), head)
    likely = [math.exp(sum(token.logprob for token in one.tokens)) for one in scored]
    assert sum(likely) == pytest.approx(1.0, abs=1e-3)
    look = engine.next_token(request(QUESTION), head)
    found = {c.text: c.logit for c in look.candidates}
    assert math.exp(found["p"]) == pytest.approx(likely[0], abs=1e-3)
    assert math.exp(found["n"]) == pytest.approx(likely[1] + likely[2], abs=1e-3)


def test_nobody_begins_weakens_or_merges_a_heads_answer(engine: Engine, head: Path) -> None:
    begun = replace(request(QUESTION), begun=(engine.tokenizer.encode("p")[0],))
    merged = replace(request(QUESTION), merged=True)
    for asked, source in ((begun, head), (merged, head), (request(QUESTION), [(head, 0.5)])):
        with pytest.raises(BadInput, match="by its name alone"):
            engine.stream([asked], [source])
