"""Bottleneck adapters in every forward, against what their card says in plain transformers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from demo.engine.compiled.forward import CompiledForward
from demo.engine.compiled.library import open_library
from demo.engine.compiled.scope import in_passing
from demo.engine.forward import Forward, Part
from demo.engine.general.forward import GeneralForward
from demo.engine.model.own_weights import OwnWeights
from demo.engine.model.replace import replace_parameter
from demo.methods.adaptation import PLAIN, Adaptation, Blend
from demo.methods.limits import check_blend
from tests.methods.making import (
    CONFIGS,
    as_the_card_says,
    facts,
    load,
    make_adapter,
    make_own,
    read,
    with_peft,
)

IDS = [5, 17, 80, 3, 44, 9, 60, 2, 31]
TARGETS = ("o_proj", "down_proj")
NEAR = {"general": 2e-4, "compiled": 0.06}
"""Logits have a spread of about 1; the compiled pass rounds random weights to 8 bits."""


@pytest.fixture(scope="module")
def folders(base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("adapters")
    return {
        "one": make_own(base, root / "one", "bottleneck", width=12),
        "two": make_own(base, root / "two", "bottleneck", seed=2, width=5),
        "lora": make_adapter(base, root / "lora", CONFIGS["lora"]()),
        "shira": make_adapter(base, root / "shira", CONFIGS["shira"]()),
    }


@pytest.fixture(scope="module")
def adapters(base: Path, folders: dict[str, Path]) -> dict[str, Adaptation]:
    return {name: read(base, folder) for name, folder in folders.items()}


@pytest.fixture(params=["general", "compiled"])
def forward(request: pytest.FixtureRequest, base: Path, lab_home: Path) -> Any:
    """A forward with copies for own weights, and how near it must come."""
    library = open_library(lab_home / "data" / "compiled")

    def make(changed: Any = None) -> Forward:
        model = load(base)
        for name, value in (changed or {}).items():
            replace_parameter(model, name, value)
        if request.param == "general":
            return GeneralForward(model)
        return CompiledForward(model, library, 2)

    if request.param == "compiled" and library is None:
        pytest.skip("this machine has no C++ compiler")
    passing: Callable[[Blend], bool] = in_passing if request.param == "compiled" else lambda _: True
    return OwnWeights(make(), make, facts(base).weight, passing), NEAR[request.param]


def asked(forward: OwnWeights, blend: Blend) -> Tensor:
    check_blend(blend.terms, blend.merged)
    forward.prepare(blend)
    try:
        return forward.run([Part(IDS, forward.new_cache(blend), blend, wanted="all")])[0]
    finally:
        forward.release(blend)


@torch.no_grad()
def plain(model: Any, terms: list[tuple[Adaptation, float]]) -> Tensor:
    """The logits of a plain model whose layers' outputs go through bottlenecks at strengths."""

    def through(name: str) -> Any:
        def after(_module: Any, _inputs: Any, y: Tensor) -> Tensor:
            total = y.clone()
            for adapter, strength in terms:
                down, a, up, b = adapter.bottlenecks[name].tensors
                total += strength * (torch.relu(y @ down.T + a) @ up.T + b)
            return total

        return after

    for name, module in model.named_modules():
        if name.endswith(TARGETS):
            module.register_forward_hook(through(name))
    logits: Tensor = model(torch.tensor([IDS])).logits[0]
    return logits


def test_a_bottleneck_answers_as_its_card_loads_it(
    base: Path, folders: dict[str, Path], adapters: dict[str, Adaptation], forward: Any
) -> None:
    engine, near = forward
    model = as_the_card_says(base, folders["one"], "bottleneck")["model"].eval()
    with torch.no_grad():
        expected = model(torch.tensor([IDS])).logits[0]
    got = asked(engine, Blend(((adapters["one"], 1.0),)))
    assert float((got - expected).abs().max()) < near
    assert float((got - asked(engine, PLAIN)).abs().max()) > 5 * NEAR["compiled"]


@pytest.mark.parametrize("strengths", [(0.5,), (-0.5,), (1.0, 1.0), (0.7, 1.5)])
def test_strengths_and_sums_of_bottlenecks(
    base: Path, adapters: dict[str, Adaptation], forward: Any, strengths: tuple[float, ...]
) -> None:
    engine, near = forward
    terms = list(zip((adapters["one"], adapters["two"]), strengths, strict=False))
    got = asked(engine, Blend(tuple(terms)))
    assert float((got - plain(load(base), terms)).abs().max()) < near


@pytest.mark.filterwarnings("ignore:Sparse invariant")
@pytest.mark.parametrize("other", ["lora", "shira"])
@pytest.mark.parametrize("merged", [False, True])
def test_a_bottleneck_beside_changed_weights(
    base: Path,
    folders: dict[str, Path],
    adapters: dict[str, Adaptation],
    forward: Any,
    other: str,
    merged: bool,
) -> None:
    engine, near = forward
    blend = Blend(((adapters[other], 1.0), (adapters["one"], 0.8)), merged)
    changed = with_peft(base, folders[other]).merge_and_unload()
    expected = plain(changed, [(adapters["one"], 0.8)])
    assert float((asked(engine, blend) - expected).abs().max()) < near


def test_rows_with_and_without_a_bottleneck_share_a_call_and_change_nothing(
    adapters: dict[str, Adaptation], forward: Any
) -> None:
    engine, _ = forward
    blends = [PLAIN, Blend(((adapters["one"], 1.0),)), Blend(((adapters["lora"], 1.0),)), PLAIN]
    alone = [asked(engine, blend) for blend in blends]
    for blend in blends:
        engine.prepare(blend)
    parts = [Part(IDS, engine.new_cache(blend), blend, wanted="all") for blend in blends]
    for together, expected in zip(engine.run(parts), alone, strict=True):
        assert torch.equal(together, expected)
    step = [Part([7], part.cache, part.blend, decoding=True) for part in parts]
    decoded = engine.run(step)
    assert torch.equal(decoded[0], decoded[3])
    assert not torch.allclose(decoded[0], decoded[1], atol=0.01)
