"""What the compiled pass tells of its attention, against transformers' eager one."""

from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

from demo.engine.compiled.forward import CompiledForward
from demo.engine.forward import Part
from demo.engine.service import Engine
from demo.methods.adaptation import Adaptation, Blend
from tests.engine.compiled.test_forward import OTHER, PROMPT, a_model

__all__ = ["a_model"]


@torch.inference_mode()
def eager_weights(model: PreTrainedModel, ids: list[int]) -> Tensor:
    """[layers, heads, tokens]: how much the last token draws from each."""
    model.set_attn_implementation("eager")
    read = model(torch.tensor([ids]), output_attentions=True)
    return torch.stack([layer[0, :, -1] for layer in read.attentions])


def look(forward: CompiledForward, ids: list[int], blend: Blend = Blend()) -> Tensor:
    cache = forward.new_cache(blend)
    if ids[1:]:
        forward.run([Part(ids[:-1], cache, blend, wanted="none")])
    return forward.attention(Part(ids[-1:], cache, blend))


def test_every_head_has_the_weights_of_transformers(library: Any, model: PreTrainedModel) -> None:
    forward = CompiledForward(model, library, 2)
    for ids in (PROMPT, OTHER, PROMPT * 4, PROMPT[:1]):
        ours, wanted = look(forward, ids), eager_weights(model, ids)
        assert ours.shape == wanted.shape
        assert torch.allclose(ours.sum(-1), torch.ones(ours.shape[:2]), atol=1e-5)
        assert float((ours - wanted).abs().max()) < 0.02


def test_looking_changes_no_bit_of_what_is_read_afterwards(
    library: Any, model: PreTrainedModel
) -> None:
    forward = CompiledForward(model, library, 2)
    plain, looked = forward.new_cache(), forward.new_cache()
    forward.run([Part(PROMPT, plain)])
    forward.run([Part(PROMPT[:-1], looked)])
    forward.attention(Part(PROMPT[-1:], looked))
    one, other = forward.run([Part(OTHER, plain), Part(OTHER, looked)])
    assert torch.equal(one, other)


def test_places_of_a_prefix_come_first(library: Any, model: PreTrainedModel) -> None:
    torch.manual_seed(1)
    config = model.config
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    shape = (config.num_hidden_layers, config.num_key_value_heads, 5, width)
    prefix = Adaptation("prefix", keys_values=(torch.randn(shape), torch.randn(shape)))
    ours = look(CompiledForward(model, library, 2), PROMPT, Blend(((prefix, 1.0),)))
    assert ours.shape[-1] == 5 + len(PROMPT)
    assert torch.allclose(ours.sum(-1), torch.ones(ours.shape[:2]), atol=1e-5)
    assert float(ours[..., :5].sum(-1).min()) > 0


@pytest.mark.parametrize(
    "text", ["The cat sat on the mat because it was", "A macska, aki ott ült,"]
)
def test_the_real_model_looks_where_it_does_in_full_precision(
    engine: Engine, library: Any, fp32: Any, text: str
) -> None:
    ids = engine.tokenizer.encode(text, start=True)
    ours, wanted = look(CompiledForward(fp32, library, 2), ids), eager_weights(fp32, ids)
    assert float((ours - wanted).abs().max()) < 0.05
    assert float((ours - wanted).abs().mean()) < 0.002
