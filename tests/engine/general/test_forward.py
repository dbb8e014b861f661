"""The general forward against plain transformers and PEFT, on tiny random models of many kinds."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PrefixTuningConfig, PromptTuningConfig, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    GPT2Config,
    LlamaConfig,
    MistralConfig,
    PreTrainedModel,
    Qwen2Config,
    Qwen3Config,
)

from demo.engine.forward import Part
from demo.engine.general.forward import GeneralForward
from demo.engine.general.int8 import Int8Head, quantize_model
from demo.engine.general.linear import Phase
from demo.engine.model.catalogue import ModelSpec
from demo.engine.model.load import load_general
from demo.host import Host
from demo.methods.adaptation import Adaptation, Blend

CPU = Host("cpu", "cpu", "2 CPU cores", 2, bf16=False)
SHAPE = {
    "vocab_size": 300,
    "hidden_size": 64,
    "intermediate_size": 160,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 128,
}
WINDOW = {"sliding_window": 6}
CONFIGS = {
    "llama": LlamaConfig(**SHAPE, tie_word_embeddings=True),
    "mistral": MistralConfig(**SHAPE, sliding_window=None),
    "mistral with a window": MistralConfig(**SHAPE, **WINDOW),
    "qwen2": Qwen2Config(**{k: v for k, v in SHAPE.items() if k != "head_dim"}),
    "qwen3": Qwen3Config(**SHAPE),
    "gemma2": Gemma2Config(**SHAPE, **WINDOW, query_pre_attn_scalar=16),
    "gpt2": GPT2Config(vocab_size=300, n_embd=64, n_layer=3, n_head=4, n_positions=128),
}
PROMPT = [7, 250, 31, 5, 98, 211, 160, 44, 3, 77, 120]
ANSWER = [19, 201, 66, 8]


def make(kind: str) -> PreTrainedModel:
    torch.manual_seed(0)
    model: PreTrainedModel = AutoModelForCausalLM.from_config(CONFIGS[kind]).eval()
    for parameter in model.parameters():
        # As it is initialized, a tiny model hardly looks at its input.
        parameter.data += 0.1 * torch.randn_like(parameter)
    return model


def forward(kind: str, precision: str = "fp32") -> GeneralForward:
    model, phase = make(kind), Phase()
    if precision == "bf16":
        model = model.to(torch.bfloat16)
    if precision == "int8":
        quantize_model(model, phase)
    return GeneralForward(model, phase)


def decode(model: GeneralForward, cache: Any, tokens: list[int]) -> torch.Tensor:
    return torch.cat([model.run([Part([t], cache, decoding=True)])[0] for t in tokens])


@pytest.mark.parametrize("kind", CONFIGS)
@torch.inference_mode()
def test_prompt_and_decode_have_the_logits_of_plain_transformers(kind: str) -> None:
    wanted = make(kind)(torch.tensor([PROMPT + ANSWER])).logits[0]
    model = forward(kind)
    cache = model.new_cache()
    prompt = model.run([Part(PROMPT, cache, wanted="all")])[0]
    assert torch.allclose(prompt, wanted[: len(PROMPT)], atol=1e-4)
    assert torch.allclose(decode(model, cache, ANSWER), wanted[len(PROMPT) :], atol=1e-4)
    assert cache.length == len(PROMPT + ANSWER)


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_prompt_in_pieces_has_the_logits_of_one_read_at_once(kind: str) -> None:
    model = forward(kind)
    whole = model.run([Part(PROMPT, model.new_cache())])[0]
    cache = model.new_cache(room=40)
    pieces = [PROMPT[:4], PROMPT[4:5], PROMPT[5:]]
    first, second, last = (
        model.run([Part(piece, cache, wanted="last" if piece is pieces[2] else "none")])[0]
        for piece in pieces
    )
    assert first.shape == second.shape == (0, 300)
    assert torch.allclose(last, whole, atol=1e-4)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
@pytest.mark.parametrize("kind", CONFIGS)
def test_a_decoded_row_is_bit_equal_whoever_else_is_in_the_batch(kind: str, precision: str) -> None:
    model = forward(kind, precision)
    caches = []
    for row in range(8):
        caches.append(model.new_cache())
        model.run([Part([*PROMPT[row:], row], caches[row], wanted="none")])
    lengths = [cache.length for cache in caches]

    def step(rows: list[int]) -> dict[int, torch.Tensor]:
        parts = [Part([17 + row], caches[row], decoding=True) for row in rows]
        logits = model.run(parts)
        for row in rows:
            caches[row].keep(lengths[row])
        return dict(zip(rows, logits, strict=True))

    alone = {row: step([row])[row] for row in range(8)}
    for rows in (list(range(8)), [2, 0, 5], [7, 6, 5, 4, 3, 2, 1, 0]):
        assert all(torch.equal(alone[row], logits) for row, logits in step(rows).items())


@pytest.mark.parametrize("kind", ["llama", "mistral with a window"])
def test_rows_that_decode_and_prompts_of_one_call_are_answered_in_order(kind: str) -> None:
    model = forward(kind)
    one, other, new = (model.new_cache() for _ in range(3))
    model.run([Part(PROMPT, one), Part(PROMPT[:3], other)])
    saved = one.copy(one.length), other.copy(other.length)
    answers = model.run(
        [
            Part([5], one, decoding=True),
            Part(PROMPT, new, wanted="all"),
            Part([9], other, decoding=True, wanted="none"),
        ]
    )
    assert [len(answer) for answer in answers] == [1, len(PROMPT), 0]
    assert torch.equal(answers[0], decode(model, saved[0], [5]))
    assert (one.length, other.length, new.length) == (12, 4, 11)


@pytest.mark.parametrize("kind", ["llama", "mistral with a window", "gpt2"])
def test_a_cache_can_be_cut_back_and_copied(kind: str) -> None:
    model = forward(kind)
    cache = model.new_cache()
    model.run([Part(PROMPT, cache)])
    twin = cache.copy(8)
    first = decode(model, cache, ANSWER)
    cache.keep(len(PROMPT))
    assert torch.equal(decode(model, cache, ANSWER), first)
    assert twin.length == 8
    last = model.run([Part(PROMPT[8:], twin)])[0]
    assert torch.allclose(last, model.run([Part(PROMPT, model.new_cache())])[0], atol=1e-4)
    assert twin.bytes > 0


def test_a_long_answer_outgrows_the_room_that_was_foreseen() -> None:
    model = forward("llama")
    cache = model.new_cache(room=12)
    model.run([Part(PROMPT, cache)])
    tokens = [(13 * step) % 300 for step in range(100)]
    decoded = decode(model, cache, tokens)
    whole = model.run([Part(PROMPT + tokens, model.new_cache(), wanted="all")])[0]
    assert torch.allclose(decoded, whole[len(PROMPT) :], atol=1e-4)


@pytest.mark.parametrize("method", [PrefixTuningConfig, PromptTuningConfig])
@pytest.mark.parametrize("kind", ["llama", "mistral with a window", "qwen3", "gpt2"])
@torch.inference_mode()
def test_virtual_tokens_have_the_logits_of_peft(kind: str, method: Any) -> None:
    config = method(num_virtual_tokens=5, task_type="CAUSAL_LM")
    with torch.inference_mode(False):
        peft = get_peft_model(make(kind), config).eval()
        for parameter in peft.prompt_encoder.parameters():
            parameter.data = torch.randn_like(parameter)
    ids = torch.tensor([PROMPT + ANSWER])
    wanted = peft(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0][-ids.shape[1] :]
    blend = Blend(((_adaptation(peft.get_prompt(1)), 1.0),))
    model = forward(kind)
    cache = model.new_cache(blend)
    assert cache.length == 0
    prompt = model.run([Part(PROMPT, cache, blend, wanted="all")])[0]
    assert torch.allclose(prompt, wanted[: len(PROMPT)], atol=1e-4)
    saved = cache.copy(len(PROMPT))
    assert torch.allclose(decode(model, cache, ANSWER), wanted[len(PROMPT) :], atol=1e-4)
    cache.keep(len(PROMPT))
    assert torch.equal(decode(model, cache, [9]), decode(model, saved, [9]))


def _adaptation(prompt: Any) -> Adaptation:
    if isinstance(prompt, torch.Tensor):
        return Adaptation("soft", embeddings=prompt[0])
    keys = torch.stack([layer.keys[0] for layer in prompt.layers])
    values = torch.stack([layer.values[0] for layer in prompt.layers])
    return Adaptation("prefix", keys_values=(keys, values))


def test_a_row_with_a_prefix_and_a_plain_row_decode_together() -> None:
    model = forward("llama")
    pair = torch.randn(3, 2, 5, 16), torch.randn(3, 2, 5, 16)
    blend = Blend(((Adaptation("prefix", keys_values=pair), 1.0),))
    caches = [model.new_cache(blend), model.new_cache()]
    for cache in caches:
        model.run([Part(PROMPT, cache)])
    alone = [decode(model, cache.copy(cache.length), [4]) for cache in caches]
    parts = [Part([4], caches[0], blend, True), Part([4], caches[1], decoding=True)]
    together = model.run(parts)
    assert all(torch.equal(one, row) for one, row in zip(alone, together, strict=True))
    assert not torch.allclose(alone[0], alone[1], atol=1e-2)


def test_a_pass_that_fails_leaves_the_caches_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    model = forward("llama")
    cache = model.new_cache()
    model.run([Part(PROMPT, cache)])
    before = decode(model, cache.copy(cache.length), [3])
    with monkeypatch.context() as patch:
        patch.setattr(model.model.model.layers[2].mlp, "forward", _break)
        with pytest.raises(RuntimeError, match="broken"):
            decode(model, cache, [3])
    assert cache.length == len(PROMPT)
    assert torch.equal(decode(model, cache, [3]), before)


def _break(_: Any) -> None:
    raise RuntimeError("broken")


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8", "nf4"])
def test_a_model_is_loaded_with_other_values_for_some_parameters(
    tmp_path: Path, precision: str
) -> None:
    plain = make("llama")
    plain.save_pretrained(tmp_path)
    name = "model.layers.1.mlp.down_proj.weight"
    value = plain.get_parameter(name).detach() * -2
    spec = ModelSpec("tiny", str(tmp_path), "nobody/tiny")
    changed = copy.deepcopy(plain)
    changed.get_parameter(name).data = value
    changed.save_pretrained(tmp_path / "changed")
    wanted = load_general(ModelSpec("tiny", str(tmp_path / "changed"), "x"), precision, CPU)
    given = load_general(spec, precision, CPU, {name: value})
    base = load_general(spec, precision, CPU)
    logits = [m.run([Part(PROMPT, m.new_cache())])[0] for m in (wanted, given, base)]
    assert torch.equal(logits[0], logits[1])
    assert not torch.allclose(logits[0], logits[2], atol=1e-2)
    assert given.resident_bytes == base.resident_bytes


def test_four_bit_rows_are_bit_equal_in_any_batch(tmp_path: Path) -> None:
    make("llama").save_pretrained(tmp_path)
    model = load_general(ModelSpec("tiny", str(tmp_path), "nobody/tiny"), "nf4", CPU)
    caches = [model.new_cache() for _ in range(3)]
    for row, cache in enumerate(caches):
        model.run([Part(PROMPT[row:], cache)])
    alone = [decode(model, cache.copy(cache.length), [4]) for cache in caches]
    together = model.run([Part([4], cache, decoding=True) for cache in caches])
    assert all(torch.equal(one, row) for one, row in zip(alone, together, strict=True))


def test_the_int8_head_computes_likely_tokens_exactly() -> None:
    torch.manual_seed(0)
    weight, x = torch.randn(1000, 64), torch.randn(3, 1, 64)
    head = Int8Head(weight, None, Phase(decoding=True))
    wanted, logits = x @ weight.t(), head(x)
    assert torch.allclose(logits, wanted, atol=0.3)
    likely = wanted.topk(100).indices
    assert torch.allclose(logits.gather(-1, likely), wanted.gather(-1, likely), atol=2e-3)
