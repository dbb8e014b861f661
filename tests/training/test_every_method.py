"""Every method through a whole run: ordered, trained, saved, and answered with by the engine's forward."""

import hashlib
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from torch import Tensor
from transformers import AutoModelForCausalLM

from demo.engine.forward import Part
from demo.engine.model.catalogue import ModelSpec
from demo.engine.model.load import load_forward
from demo.host import detect
from demo.methods import METHODS, good_settings
from demo.methods.adaptation import Adaptation, Blend
from demo.methods.facts import base_facts
from demo.methods.reading import read_adaptation
from demo.records import Message
from demo.run_records import Row
from demo.training.loop import precision_for, train_run
from demo.training.run_folder import RunFolder
from demo.workspace import read_json, write_json

IDS = [1, 4093, 198, 2683, 359, 253, 5356]
PLAIN = sorted(METHODS.keys() - {"full", "head", "qlora"})


def ran(order_run: Any, method: str, rows: Any = None, **changes: Any) -> RunFolder:
    """A finished run of six rows."""
    own = {name: value for name, value in METHODS[method].defaults.items() if name != "alpha"}
    folder: RunFolder = order_run(rows, method=method, **{**own, "epochs": 2, **changes})
    train_run(str(folder.path))
    assert folder.state().status == "finished", folder.state()
    return folder


def labelled(count: int) -> list[Row]:
    answers = ("yes", "no", "not now")
    turns = [
        (Message("user", f"Question {n}"), Message("assistant", answers[n % 3]))
        for n in range(count)
    ]
    return [Row(line, pair) for line, pair in enumerate(turns, start=1)]


def adapter_of(folder: RunFolder, spec: ModelSpec) -> Adaptation:
    return read_adaptation(folder.adapter, folder.path.name, base_facts(spec.source))


def answered(spec: ModelSpec, adapter: Adaptation, precision: str = "fp32") -> Tensor:
    """Logits of the engine's forward."""
    forward = load_forward(spec, precision, replace(detect(), device="cpu"))
    blend = Blend(((adapter, 1.0),))
    forward.prepare(blend)
    return forward.run([Part(IDS, forward.new_cache(blend), blend)])[0][-1]


def _hash(path: str) -> str:
    return hashlib.sha256((Path(path) / "model.safetensors").read_bytes()).hexdigest()


@pytest.mark.parametrize("method", PLAIN)
def test_a_run_of_the_method_answers_through_the_engine_as_in_plain_libraries(
    tiny: ModelSpec, order_run: Any, make_rows: Any, method: str
) -> None:
    before = _hash(tiny.source)
    folder = ran(order_run, method, make_rows(6))
    record = read_json(folder.adapter / "run.json")
    assert record["trainable"] > 0
    assert set(METHODS[method].settings) <= record["settings"].keys()
    assert (
        not {"rank", "alpha", "virtual_tokens", "width"} - set(METHODS[method].settings)
        & record["settings"].keys()
    )
    with torch.no_grad():
        model = _loaded(tiny, folder.adapter, method)
        expected = model(input_ids=torch.tensor([IDS])).logits[0, -1]
    torch.testing.assert_close(
        answered(tiny, adapter_of(folder, tiny)), expected, atol=2e-4, rtol=1e-3
    )
    assert _hash(tiny.source) == before


def _loaded(spec: ModelSpec, folder: Path, method: str) -> Any:
    if METHODS[method].loader:
        names: dict[str, Any] = {"base": spec.source, "folder": str(folder)}
        exec(METHODS[method].loader, names)
        return names["model"].eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        base = AutoModelForCausalLM.from_pretrained(spec.source, dtype=torch.float32)
        return PeftModel.from_pretrained(base, str(folder)).eval()


def test_a_classifier_head_learns_labels_and_says_one_of_them(
    tiny: ModelSpec, tokenizer: Any, order_run: Any
) -> None:
    rows = labelled(9)
    folder = ran(order_run, "head", rows[:6], held_out=rows[6:])
    record = read_json(folder.adapter / "run.json")
    assert record["losses"][-1] < record["losses"][0]
    assert record["scores"]["eval_loss"]["base"] > record["scores"]["eval_loss"]["adapted"]
    adapter = adapter_of(folder, tiny)
    names: dict[str, Any] = {"base": tiny.source, "folder": str(folder.adapter)}
    exec(METHODS["head"].loader, names)
    expected = names["classify"]("Question 1")
    assert set(expected) == {"yes", "no", "not now"}
    assert sum(expected.values()) == pytest.approx(1.0, abs=1e-5)
    said = {a for lapse in folder.time_lapse().answers for a in lapse.answers}
    assert said <= set(expected)
    prompt = tokenizer.chat((Message("user", "Question 1"),), answer=True)
    forward = load_forward(tiny, "fp32", detect())
    blend = Blend(((adapter, 1.0),))
    told = forward.run([Part(prompt, forward.new_cache(blend), blend)])[0][-1].softmax(-1)
    for label, ids in zip(("yes", "no", "not now"), ("yes", "no", "not"), strict=True):
        first = tokenizer.encode(ids)[0]
        assert float(told[first]) == pytest.approx(expected[label], abs=1e-4)


@pytest.mark.parametrize(
    ("rows", "expected_error"),
    [
        (labelled(1) * 3, "one label only, yes"),
        (
            [
                Row(n, (Message("user", "?"), Message("assistant", f"answer {n}")))
                for n in range(40)
            ],
            "40 different answers; at most 32",
        ),
        (
            [Row(1, (*labelled(1)[0].messages, *labelled(1)[0].messages)), *labelled(3)],
            "1 rows have no question or several answers",
        ),
    ],
)
def test_rows_without_labels_are_refused_in_words(
    order_run: Any, rows: list[Row], expected_error: str
) -> None:
    folder = order_run(rows, method="head")
    train_run(str(folder.path))
    assert folder.state().status == "failed"
    assert expected_error in str(folder.state().error)


def test_full_tuning_keeps_scores_and_answers_where_its_weights_may_not_stay(
    order_run: Any, make_rows: Any
) -> None:
    rows = make_rows(9)
    folder = order_run(rows[:6], rows[6:], method="full", learning_rate=1e-2)
    order = read_json(folder.path / "settings.json")
    write_json(folder.path / "settings.json", {**order, "keeps": False})
    train_run(str(folder.path))
    assert folder.state().status == "finished"
    assert not folder.has_adapter()
    assert sorted(path.name for path in folder.outcome.iterdir()) == ["README.md", "run.json"]
    record = folder.record()
    assert record["scores"]["eval_loss"]["adapted"] < record["scores"]["eval_loss"]["base"]
    assert [a["question"] for a in record["answers"][:3]] == [
        r.messages[0].content for r in rows[6:]
    ]
    assert "weights were not kept" in (folder.outcome / "README.md").read_text()
    assert not list(folder.path.rglob("adapter_model.safetensors"))


def test_full_tuning_answers_with_its_own_weights_where_they_may_stay(
    tiny: ModelSpec, order_run: Any, make_rows: Any
) -> None:
    folder = ran(order_run, "full", make_rows(6))
    names: dict[str, Any] = {"base": tiny.source, "folder": str(folder.adapter)}
    exec(METHODS["full"].loader, names)
    with torch.no_grad():
        expected = names["model"].eval()(input_ids=torch.tensor([IDS])).logits[0, -1]
    torch.testing.assert_close(
        answered(tiny, adapter_of(folder, tiny)), expected, atol=2e-4, rtol=1e-3
    )


def test_qlora_learns_beside_a_base_in_four_bits(
    tiny: ModelSpec, order_run: Any, make_rows: Any
) -> None:
    folder = ran(order_run, "qlora", make_rows(6))
    record = read_json(folder.adapter / "run.json")
    plain = read_json(ran(order_run, "lora", make_rows(6), seed=0).adapter / "run.json")
    assert record["trainable"] == plain["trainable"]
    assert record["losses"][0] != plain["losses"][0]
    assert abs(record["losses"][0] - plain["losses"][0]) < 0.2
    assert adapter_of(folder, tiny).low_rank


def test_the_settings_of_each_method_are_good_ones_and_in_range() -> None:
    for name in METHODS:
        assert good_settings(name).method == name


def test_on_a_gpu_a_frozen_base_learns_in_half_and_trained_weights_in_full_precision() -> None:
    gpu = replace(detect(), kind="cuda", device="cuda", bf16=True)
    found = {name: precision_for(method, gpu) for name, method in METHODS.items()}
    assert {name for name, precision in found.items() if precision == "fp32"} == {
        "layer_norm",
        "shira",
        "full",
    }
    assert {name for name, precision in found.items() if precision == "nf4"} == {"qlora"}
    here = replace(gpu, kind="cpu", device="cpu")
    assert precision_for(METHODS["lora"], here) == "fp32"
