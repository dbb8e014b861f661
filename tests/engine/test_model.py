"""The model itself: conversion, precisions, quantization, adapters, against plain transformers and PEFT."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from demo.engine.forward import Part
from demo.engine.model import load
from demo.engine.model.adapters import AdapterCache, AdapterShelf, describe
from demo.engine.model.catalogue import Fingerprint, ModelChoice, ModelSpec, choose_model, embedded
from demo.engine.model.convert import converted, intact
from demo.engine.model.load import choose_precision, load_general
from demo.engine.service import Engine
from demo.engine.turns.sample import Sampler
from demo.errors import BadInput, NotReady
from demo.host import Host, detect
from demo.methods.adaptation import Blend
from demo.methods.facts import base_facts
from demo.records import Sampling
from demo.settings import LabSettings
from tests.engine.asking import ask, request

TEXT = (
    "The Eagle is a low-priced coffee shop by the river that serves Italian food to families. "
    "In spring the water rises, and the road along the bank is closed for some days each year. "
    "People who live there have learned to leave their cars on the hill and to walk down home."
)
CPU = Host("cpu", "cpu", "2 CPU cores", 2, bf16=False)
CUDA = Host("cuda", "cuda", "a GPU", 2, bf16=True)


def test_a_conversion_is_reused_when_intact_and_made_again_when_a_byte_flipped(
    engine: Engine, tmp_path: Path
) -> None:
    folder = tmp_path / Path(engine.spec.source).name
    shutil.copytree(engine.spec.source, folder)
    assert intact(folder)
    spec = embedded()
    assert spec is not None
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert converted(spec, tmp_path).source == str(folder)
    assert (folder / "model.safetensors").stat().st_mtime_ns == before
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"\xff\x00\xff\x00")
    assert not intact(folder)
    assert converted(spec, tmp_path).source == str(folder)
    assert intact(folder)
    ours = load_file(folder / "model.safetensors")
    theirs = load_file(Path(engine.spec.source) / "model.safetensors")
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_greedy_in_fp32_equals_generate_of_transformers(fp32: Any, lab_home: Path) -> None:
    plain = Engine(LabSettings(home=lab_home, precision="fp32"))
    plain.start()
    plain.wait_ready(240)
    asked = request("Write a sentence about a dog.")
    ids = torch.tensor([plain.render(asked).ids])
    wanted = fp32.generate(
        ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=24
    )
    text = plain.tokenizer.decode(wanted[0, ids.shape[1] :].tolist())
    assert ask(plain, "Write a sentence about a dog.").text == text
    plain.close()


@torch.inference_mode()
def test_int8_of_the_general_pass_keeps_perplexity_reading_and_decoding(
    engine: Engine, fp32: Any
) -> None:
    ids = engine.tokenizer.encode(TEXT)
    wanted = _loss(fp32(torch.tensor([ids])).logits[0], ids)
    forward = load_general(engine.spec, "int8", CPU)
    (read,) = forward.run([Part(ids, forward.new_cache(), wanted="all")])
    assert math.exp(_loss(read, ids) - wanted) < 1.005
    cache = forward.new_cache()
    decoded = [forward.run([Part([token], cache, decoding=True)])[0] for token in ids]
    assert math.exp(_loss(torch.cat(decoded), ids) - wanted) < 1.005


def _loss(logits: torch.Tensor, ids: list[int]) -> float:
    return float(torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(ids[1:])))


@pytest.mark.parametrize("precision", ["bf16", "nf4"])
def test_every_other_precision_answers_on_a_cpu(lab_home: Path, precision: str) -> None:
    other = Engine(LabSettings(home=lab_home, precision=precision))
    other.start()
    other.wait_ready(240)
    assert other.status().precision == precision
    assert ask(other, "What is the capital of France?", max_new_tokens=8).tokens
    other.close()


def test_the_choice_of_precision_gives_its_reason() -> None:
    assert choose_precision("auto", CPU).name == "int8"
    assert choose_precision("auto", CUDA).name == "nf4"
    assert choose_precision("bf16", CPU).reason == "bf16_chosen_slow"
    assert choose_precision("nf4", CPU).reason == "nf4_chosen_cpu"


def test_the_choice_of_model_gives_its_reason_or_the_list_of_names(tmp_path: Path) -> None:
    assert choose_model("auto", CPU).spec.gguf
    assert choose_model("auto", CUDA).spec.title == "Qwen3-1.7B"
    assert choose_model("Qwen3-0.6B", CPU).spec.revision
    with pytest.raises(BadInput, match=r"LAB_MODEL=Qwen9 cannot be used.*Qwen3-0\.6B"):
        choose_model("Qwen9", CPU)
    with pytest.raises(BadInput, match=r"no config\.json"):
        choose_model(str(tmp_path), CPU)


@torch.inference_mode()
def test_a_low_rank_row_has_the_logits_of_peft(
    engine: Engine, adapter_folders: list[Path], fp32: Any
) -> None:
    base = engine.require_ready()
    cache = AdapterCache(base_facts(base.spec.source, base.spec.revision), base.fingerprint)
    blend = Blend(((cache.get(adapter_folders[0]), 1.0),))
    forward = load_general(base.spec, "fp32", detect())
    prompt = engine.render(request("Name a colour.")).ids
    ours = forward.run([Part(prompt, forward.new_cache(blend), blend)])[0][-1]
    fresh = AutoModelForCausalLM.from_pretrained(base.spec.source, dtype=torch.float32)
    peft = PeftModel.from_pretrained(fresh, str(adapter_folders[0])).eval()
    theirs = peft(torch.tensor([prompt])).logits[0, -1]
    assert torch.allclose(ours, theirs, atol=2e-3)
    assert not torch.allclose(ours, fp32(torch.tensor([prompt])).logits[0, -1], atol=0.1)


def test_an_adapter_is_refused_when_it_is_not_exactly_what_it_says(
    engine: Engine, adapter_folders: list[Path], tmp_path: Path
) -> None:
    def changed(name: str) -> Path:
        folder = tmp_path / name
        shutil.copytree(adapter_folders[0], folder)
        return folder

    def tensors(folder: Path, change: Any) -> None:
        found = load_file(folder / "adapter_model.safetensors")
        change(found)
        save_file(found, folder / "adapter_model.safetensors")

    extra = changed("extra")
    tensors(extra, lambda t: t.update({"base_model.model.lm_head.weight": torch.zeros(2, 2)}))
    nan = changed("nan")
    tensors(nan, lambda t: t[min(t)].fill_(float("nan")))
    missing = changed("missing")
    (missing / "adapter_model.safetensors").unlink()
    foreign = changed("foreign")
    run = json.loads((foreign / "run.json").read_text())
    run["base"]["lineage"] = "somebody/else#0"
    (foreign / "run.json").write_text(json.dumps(run))
    for folder, problem in (
        (extra, "tensors do not match"),
        (nan, "NaN or infinity"),
        (missing, "adapter_model.safetensors is missing"),
        (foreign, "was trained on somebody/else"),
    ):
        with pytest.raises(BadInput, match=problem):
            engine.stream([request("Hi")], [folder])
    assert engine.base_proof().unchanged


def test_a_broken_shipped_folder_is_listed_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "half").mkdir()
    base, half = AdapterShelf(tmp_path).list(None)
    assert base.name == "base"
    assert "adapter_config.json is missing" in half.problem


def test_an_adapter_of_other_weights_of_the_same_model_is_a_warning(
    engine: Engine, adapter_folders: list[Path]
) -> None:
    fingerprint = engine.fingerprint()
    assert fingerprint is not None
    other = Fingerprint(fingerprint.lineage, "another file")
    info = describe(adapter_folders[0], "x", "shipped", other)
    assert info.base_differs
    assert not info.problem


def test_the_embedded_model_answers_when_no_hub_can_be_reached(
    lab_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    wanted = ModelSpec("Big", "nobody/big-model", "nobody/big-model", "0" * 40)
    choice = ModelChoice(wanted, "model_gpu", fallback=embedded())
    monkeypatch.setattr(load, "choose_model", lambda *_: choice)
    base = load.load_base(LabSettings(home=lab_home), CPU)
    assert base.spec.lineage == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert base.reason == "model_offline"
    unlucky = ModelChoice(wanted, "model_chosen")
    monkeypatch.setattr(load, "choose_model", lambda *_: unlucky)
    with pytest.raises(NotReady, match="The model could not be loaded"):
        load.load_base(LabSettings(home=lab_home), CPU)


def test_sampling_keeps_to_its_top_k_and_top_p() -> None:
    logits = torch.tensor([5.0, 4.0, 3.0, 2.0, 1.0, 0.0])
    kept = {
        Sampler(Sampling(temperature=1.0, top_k=2, seed=seed), ()).draw(logits)
        for seed in range(60)
    }
    assert kept == {0, 1}
    nucleus = {
        Sampler(Sampling(temperature=1.0, top_p=0.6, seed=seed), ()).draw(logits)
        for seed in range(60)
    }
    assert nucleus == {0}


def test_a_repetition_penalty_turns_greedy_away_from_what_was_said() -> None:
    logits = torch.tensor([2.0, 1.9, 0.0])
    assert Sampler(Sampling(), (0,)).draw(logits) == 0
    assert Sampler(Sampling(repetition_penalty=1.5), (0,)).draw(logits) == 1
