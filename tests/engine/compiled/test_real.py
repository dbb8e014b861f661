"""The embedded model through the compiled pass: what int8 costs, and that it is the one that answers."""

import math
from typing import Any

import pytest
import torch

from demo.engine.compiled.forward import CompiledForward
from demo.engine.forward import Part
from demo.engine.model.adapters import AdapterCache
from demo.engine.service import Engine
from demo.methods.adaptation import Blend
from demo.methods.facts import base_facts
from demo.records import Message
from demo.settings import ROOT


@pytest.fixture(scope="module")
def real(library: Any, fp32: Any) -> CompiledForward:
    """The embedded model, compiled."""
    return CompiledForward(fp32, library, 2)


TEXTS = {
    "English": "In spring the water rises, and the road along the bank is closed for some days each "
    "year. People who live there have learned to leave their cars on the hill and to walk down home.",
    "Hungarian": "Tavasszal megemelkedik a víz, és a part menti utat minden évben lezárják néhány napra. "
    "Aki ott lakik, megtanulta, hogy a dombon hagyja az autóját, és gyalog menjen haza.",
    "E2E": "name[The Eagle], eatType[coffee shop], food[Italian], priceRange[less than £20], area[riverside]\n"
    "The Eagle is a low-priced coffee shop by the river that serves Italian food to families.",
}


@pytest.mark.parametrize("language", TEXTS)
def test_int8_keeps_the_perplexity_of_fp32(
    engine: Engine, real: CompiledForward, fp32: Any, language: str
) -> None:
    ids = engine.tokenizer.encode(TEXTS[language], start=True)
    with torch.inference_mode():
        wanted = fp32(torch.tensor([ids])).logits[0]
    (ours,) = real.run([Part(ids, real.new_cache(), wanted="all")])
    target = torch.tensor(ids[1:])
    losses = [torch.nn.functional.cross_entropy(logits[:-1], target) for logits in (wanted, ours)]
    assert math.exp(abs(float(losses[1] - losses[0]))) < 1.001
    assert torch.allclose(ours, wanted, atol=0.1)


@pytest.mark.parametrize("strength", [1.0, -0.5])
def test_a_merged_adapter_answers_as_the_one_in_passing(engine: Engine, strength: float) -> None:
    base = engine.require_ready()
    cache = AdapterCache(base_facts(base.spec.source), base.fingerprint)
    adapter = cache.get(ROOT / "adapters" / "restaurants")
    ids = engine.tokenizer.chat([Message("user", "What is the capital of France?")], answer=True)
    logs = []
    for merged in (False, True):
        blend = Blend(((adapter, strength),), merged)
        base.forward.prepare(blend)
        part = Part(ids, base.forward.new_cache(blend), blend, wanted="all")
        logs.append(base.forward.run([part])[0][-8:].log_softmax(-1))
        base.forward.release(blend)
    passing, folded = logs
    divergence = (passing.exp() * (passing - folded)).sum(-1).mean()
    assert float(divergence) < 3e-3


def test_the_engine_of_this_machine_answers_with_it(engine: Engine, library: Any) -> None:
    assert library is not None
    assert engine.require_ready().forward.name == "compiled"
