"""What the general pass tells of its attention, on tiny models of many kinds."""

import pytest
import torch

from demo.engine.forward import Part
from tests.engine.general.test_forward import ANSWER, CONFIGS, PROMPT, decode, forward, make


@pytest.mark.parametrize("kind", CONFIGS)
@torch.inference_mode()
def test_every_head_has_the_weights_of_eager_transformers(kind: str) -> None:
    plain = make(kind)
    plain.set_attn_implementation("eager")
    wanted = plain(torch.tensor([PROMPT]), output_attentions=True).attentions
    model = forward(kind)
    cache = model.new_cache()
    model.run([Part(PROMPT[:-1], cache, wanted="none")])
    ours = model.attention(Part(PROMPT[-1:], cache))
    assert torch.allclose(ours, torch.stack([layer[0, :, -1] for layer in wanted]), atol=1e-5)
    assert cache.length == len(PROMPT)


@pytest.mark.parametrize("kind", ["llama", "mistral with a window", "gpt2"])
def test_answers_after_a_look_are_those_without_one(kind: str) -> None:
    model = forward(kind)
    before, cache = model.new_cache(), model.new_cache()
    model.run([Part(PROMPT, before)])
    model.run([Part(PROMPT[:-1], cache, wanted="none")])
    model.attention(Part(PROMPT[-1:], cache))
    wanted = decode(model, before, ANSWER)
    assert torch.allclose(decode(model, cache, ANSWER), wanted, atol=1e-5)


def test_a_quantized_model_tells_its_attention_too() -> None:
    model = forward("llama", "int8")
    cache = model.new_cache()
    model.run([Part(PROMPT[:-1], cache, wanted="none")])
    ours = model.attention(Part(PROMPT[-1:], cache))
    assert torch.allclose(ours.sum(-1), torch.ones(3, 4), atol=1e-5)
