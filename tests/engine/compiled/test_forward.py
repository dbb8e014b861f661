"""The compiled forward pass against plain transformers and PEFT, on tiny models of every family it knows and on the real one."""

from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from demo.engine.compiled.forward import CompiledForward
from demo.engine.compiled.scope import supports
from demo.engine.forward import Part
from demo.methods.adaptation import Adaptation, Blend

SIZES: dict[str, Any] = {
    "vocab_size": 211,
    "hidden_size": 64,
    "intermediate_size": 100,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.2,
}
LLAMA3_TURNS = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
FAMILIES: dict[str, Any] = {
    "SmolLM": lambda: LlamaForCausalLM(
        LlamaConfig(
            **{**SIZES, "num_attention_heads": 3, "num_key_value_heads": 1, "hidden_size": 96},
            tie_word_embeddings=True,
        )
    ),
    "TinyLlama": lambda: LlamaForCausalLM(
        LlamaConfig(
            **{**SIZES, "num_attention_heads": 8, "num_key_value_heads": 1},
            tie_word_embeddings=False,
        )
    ),
    "Llama 3": lambda: LlamaForCausalLM(
        LlamaConfig(**SIZES, rope_parameters=LLAMA3_TURNS, attention_bias=True, mlp_bias=True)
    ),
    "Mistral": lambda: MistralForCausalLM(MistralConfig(**SIZES, sliding_window=None)),
    "Qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SIZES)),
    "Qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**SIZES, head_dim=24)),
}
PROMPT = [7, 3, 99, 150, 42, 7, 8, 1, 200, 13, 77, 5, 61, 18, 101, 33, 2, 90, 44]
OTHER = [55, 4, 150, 12, 9]


@pytest.fixture(params=FAMILIES, name="model")
def a_model(request: pytest.FixtureRequest) -> PreTrainedModel:
    """A tiny random model whose weights fall on the grid that the compiled pass stores."""
    torch.manual_seed(3)
    model: PreTrainedModel = FAMILIES[request.param]().eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() == 2:
                weight.copy_(_on_grid(weight))
            else:
                weight.add_(torch.randn_like(weight) * 0.1)
            assert torch.isfinite(weight).all(), name
    return model


def _on_grid(weight: Tensor) -> Tensor:
    """Blocks of 32 with 16 evenly spaced values between their smallest and largest, as in Q4_1."""
    padded = torch.nn.functional.pad(weight, (0, -weight.shape[1] % 32), mode="replicate")
    blocks = padded.unflatten(1, (-1, 32))
    low, high = blocks.amin(2, keepdim=True), blocks.amax(2, keepdim=True)
    step = (high - low) / 15
    return (((blocks - low) / step).round() * step + low).flatten(1)[:, : weight.shape[1]]


@torch.inference_mode()
def _plain(model: PreTrainedModel, ids: list[int]) -> Tensor:
    logits: Tensor = model(torch.tensor([ids])).logits[0]
    return logits


def _all(forward: CompiledForward, ids: list[int], blend: Blend = Blend()) -> Tensor:
    return forward.run([Part(ids, forward.new_cache(blend), blend, wanted="all")])[0]


def _close(ours: Tensor, wanted: Tensor) -> bool:
    """Within what keys and values in half precision cost: a wrong formula misses by a hundred times more."""
    return float((ours - wanted).abs().max()) < 0.02 * float(wanted.std())


def test_logits_equal_those_of_transformers(library: Any, model: PreTrainedModel) -> None:
    assert supports(model.config)
    ours = _all(CompiledForward(model, library, 2), PROMPT)
    assert _close(ours, _plain(model, PROMPT))


def test_logits_are_the_same_bits_whatever_the_pieces_and_the_neighbours(
    library: Any, model: PreTrainedModel
) -> None:
    forward = CompiledForward(model, library, 2)
    alone, other = _all(forward, PROMPT), _all(forward, OTHER)
    cache = forward.new_cache()
    pieces = [
        forward.run([Part(PROMPT[at : at + 3], cache, wanted="all")])[0]
        for at in range(0, len(PROMPT), 3)
    ]
    assert torch.equal(torch.cat(pieces), alone)
    crowd = [
        Part(ids, forward.new_cache(), wanted="all") for ids in (OTHER, PROMPT, OTHER, PROMPT) * 3
    ]
    for part, logits in zip(crowd, forward.run(crowd), strict=True):
        assert torch.equal(logits, alone if part.ids is PROMPT else other)


def test_a_cache_is_cut_back_copied_and_outgrown(library: Any, model: PreTrainedModel) -> None:
    forward = CompiledForward(model, library, 1)
    long = PROMPT * 20
    cache = forward.new_cache()
    whole = forward.run([Part(long, cache, wanted="all")])[0]
    assert cache.length == len(long)
    copied = cache.copy(150)
    cache.keep(40)
    assert (copied.length, cache.length) == (150, 40)
    for one, start in ((cache, 40), (copied, 150)):
        again = forward.run([Part(long[start:], one, wanted="all")])[0]
        assert torch.equal(again, whole[start:])


def test_wanted_logits_alone_are_returned(library: Any, model: PreTrainedModel) -> None:
    forward = CompiledForward(model, library, 2)
    parts = [Part(PROMPT, forward.new_cache(), wanted=w) for w in ("none", "last", "all")]
    none, last, everything = forward.run(parts)
    assert (len(none), len(last), len(everything)) == (0, 1, len(PROMPT))
    assert torch.equal(last[0], everything[-1])


def _random_adapter(model: PreTrainedModel, key: str) -> Adaptation:
    torch.manual_seed(len(key))
    low_rank, rows, columns = {}, {}, {}
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and name != "lm_head":
            out, width = module.weight.shape
            low_rank[name] = (torch.randn(3, width) * 0.1, torch.randn(out, 3) * 0.1)
            rows[name] = torch.randn(out) * 0.1
            if name.endswith(("o_proj", "down_proj")):
                columns[name] = torch.randn(width) * 0.1
    norms = {
        name: torch.randn(module.weight.shape) * 0.1
        for name, module in model.named_modules()
        if name.endswith("norm") and hasattr(module, "weight")
    }
    return Adaptation(key, low_rank, rows, columns, norms)


@torch.no_grad()
def _merged(model: PreTrainedModel, blend: Blend) -> Any:
    """The same model with a blend worked into a copy of its weights, in plain torch."""
    copy = type(model)(model.config).eval()
    copy.load_state_dict(model.state_dict())
    for name, module in copy.named_modules():
        weight = getattr(module, "weight", None)
        before = None if weight is None else weight.clone()
        for adapter, strength in blend.terms:
            if name in adapter.low_rank:
                down, up = adapter.low_rank[name]
                weight += strength * (up @ down)
            if name in adapter.row_scale:
                weight += strength * adapter.row_scale[name][:, None] * before
            if name in adapter.input_scale:
                weight += strength * adapter.input_scale[name] * before
            if name in adapter.norms:
                weight += strength * adapter.norms[name]
    return copy


@pytest.mark.parametrize("strengths", [(1.0,), (-0.5,), (0.7, 0.4)])
def test_adapters_at_any_strength_equal_weights_that_hold_them(
    library: Any, model: PreTrainedModel, strengths: tuple[float, ...]
) -> None:
    adapters = [_random_adapter(model, "a"), _random_adapter(model, "bb")]
    if len(strengths) == 2:
        # A row scale times an input scale is no sum: such a pair is not what a sum means.
        adapters = [Adaptation(a.key, a.low_rank, norms=a.norms) for a in adapters]
    else:
        adapters = [
            Adaptation(
                a.key,
                a.low_rank,
                {n: v for n, v in a.row_scale.items() if n not in a.input_scale},
                a.input_scale,
                a.norms,
            )
            for a in adapters
        ]
        # PEFT's scales multiply a layer's bias or not by method: layers without bias are compared.
        if any(getattr(m, "bias", None) is not None for m in model.modules()):
            adapters = [Adaptation(a.key, a.low_rank, norms=a.norms) for a in adapters]
    blend = Blend(tuple(zip(adapters, strengths, strict=False)))
    forward = CompiledForward(model, library, 2)
    wanted = _plain(_merged(model, blend), PROMPT)
    ours = _all(forward, PROMPT, blend)
    assert _close(ours, wanted)
    assert not torch.allclose(ours, _plain(model, PROMPT), atol=0.1)


def test_rows_with_other_adapters_leave_a_row_as_it_is(
    library: Any, model: PreTrainedModel
) -> None:
    forward = CompiledForward(model, library, 2)
    blends = [
        Blend(),
        Blend(((_random_adapter(model, "a"), 1.0),)),
        Blend(((_random_adapter(model, "bb"), 0.5),)),
    ]
    for blend in blends:
        forward.prepare(blend)
    alone = [_all(forward, PROMPT, blend) for blend in blends]
    together = forward.run([Part(PROMPT, forward.new_cache(b), b, wanted="all") for b in blends])
    assert all(torch.equal(*pair) for pair in zip(alone, together, strict=True))
    assert not torch.equal(alone[0], alone[1])
    for blend in blends:
        forward.release(blend)
    assert not forward._adapters


@torch.inference_mode()
def test_a_prefix_and_a_soft_prompt_stand_before_the_tokens(
    library: Any, model: PreTrainedModel
) -> None:
    forward = CompiledForward(model, library, 2)
    lead = OTHER
    soft = model.get_input_embeddings()(torch.tensor(lead))
    blend = Blend(((Adaptation("soft", embeddings=soft), 1.0),))
    wanted = _plain(model, [*lead, *PROMPT])[len(lead) :]
    ours = _all(forward, PROMPT, blend)
    assert _close(ours, wanted)
    past = model(torch.tensor([lead]), use_cache=True).past_key_values
    keys = torch.stack([layer.keys[0] for layer in past.layers])
    values = torch.stack([layer.values[0] for layer in past.layers])
    blend = Blend(((Adaptation("prefix", keys_values=(keys, values)), 1.0),))
    cache = forward.new_cache(blend)
    ours = forward.run([Part(PROMPT, cache, blend, wanted="all")])[0]
    assert _close(ours, wanted)
    assert cache.length == len(PROMPT)
    assert torch.equal(forward.run([Part(PROMPT[9:], cache.copy(9), blend)])[0][0], ours[-1])


def test_models_that_it_would_compute_wrongly_are_left_to_the_general_pass() -> None:
    assert not supports(MistralConfig(**SIZES, sliding_window=16))
    assert not supports(LlamaConfig(**SIZES, hidden_act="gelu"))
    dynamic = {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0}
    assert not supports(LlamaConfig(**SIZES, rope_parameters=dynamic))


def test_a_bad_token_or_a_third_adapter_is_refused_before_any_memory_is_touched(
    library: Any, model: PreTrainedModel
) -> None:
    forward = CompiledForward(model, library, 1)
    for ids in ([5, 211], [-1]):
        with pytest.raises(IndexError):
            _all(forward, ids)
    crowd = Blend(((_random_adapter(model, "a"), 0.1),) * 3)
    with pytest.raises(ValueError, match="at most 2"):
        _all(forward, PROMPT, crowd)
