import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from demo.engine.forward import Forward, Part
from demo.engine.general.forward import GeneralForward
from demo.engine.model.catalogue import ModelSpec
from demo.engine.model.load import load_general
from demo.engine.model.own_weights import COPIES, OwnWeights, fold
from demo.errors import Busy
from demo.host import Host
from demo.methods.adaptation import PLAIN, Adaptation, Blend
from tests.methods.making import (
    CONFIGS,
    IN_PASSING,
    facts,
    load,
    make_adapter,
    make_full,
    read,
    with_peft,
)

IDS = [5, 17, 80, 3, 44, 9]
CPU = Host("cpu", "cpu", "1 CPU core", 1, bf16=False)


@pytest.fixture(scope="module")
def folders(base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("adapters")
    made = {
        name: make_adapter(base, root / name, CONFIGS[name]()) for name in (*IN_PASSING, "shira")
    }
    return {**made, "full": make_full(base, root / "full")}


@pytest.fixture(scope="module")
def adapters(base: Path, folders: dict[str, Path]) -> dict[str, Adaptation]:
    return {name: read(base, folder) for name, folder in folders.items()}


class Kept(OwnWeights):
    """On the general forward, counting how many copies were made."""

    def __init__(self, base: Path, precision: str = "fp32") -> None:
        spec = ModelSpec("tiny", str(base), "tiny")
        general = partial(load_general, spec, precision, CPU)
        self.made = 0
        self.slow = threading.Event()
        self.slow.set()

        def make(changed: Mapping[str, Tensor]) -> Forward:
            self.made += 1
            self.slow.wait(30)
            return general(changed)

        super().__init__(general(), make, facts(base).weight)


def logits(forward: Forward, *blends: Blend) -> list[Tensor]:
    """Of one prompt for each blend, all in one call, with a decoded token after it."""
    caches = [forward.new_cache(blend) for blend in blends]
    pairs = list(zip(caches, blends, strict=True))
    read = forward.run([Part(IDS, cache, blend, wanted="all") for cache, blend in pairs])
    more = forward.run([Part([7], cache, blend, decoding=True) for cache, blend in pairs])
    return [torch.cat(both) for both in zip(read, more, strict=True)]


def prepared(forward: Forward, *blends: Blend) -> list[Tensor]:
    """The logits of blends that are prepared just for this."""
    for blend in blends:
        forward.prepare(blend)
    answers = logits(forward, *blends)
    for blend in blends:
        forward.release(blend)
    return answers


@torch.no_grad()
def plain(model: Any) -> Tensor:
    """What a model of transformers or PEFT says to the same tokens."""
    found: Tensor = model(torch.tensor([[*IDS, 7]])).logits[0]
    return found


def only(adapter: Adaptation, strength: float = 1.0, merged: bool = False) -> Blend:
    return Blend(((adapter, strength),), merged)


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")  # PEFT's own sparse tensors
def test_sparse_tuning_has_the_logits_of_peft_beside_the_base_in_one_call(
    base: Path, folders: dict[str, Path], adapters: dict[str, Adaptation]
) -> None:
    before, ours, after = prepared(Kept(base), PLAIN, only(adapters["shira"]), PLAIN)
    assert torch.allclose(ours, plain(with_peft(base, folders["shira"])), atol=1e-4)
    assert torch.allclose(before, plain(load(base)), atol=1e-5)
    assert torch.equal(before, after)
    assert not torch.allclose(ours, before, atol=0.01)


def test_full_tuning_has_the_logits_of_the_trained_model(
    base: Path, folders: dict[str, Path], adapters: dict[str, Adaptation]
) -> None:
    trained = load(base)
    trained.load_state_dict(load_file(folders["full"] / "adapter_model.safetensors"), strict=False)
    (ours,) = prepared(Kept(base), only(adapters["full"]))
    assert torch.allclose(ours, plain(trained), atol=1e-4)


@pytest.mark.parametrize("strength", [-0.5, 0.0, 0.5, 1.5])
@pytest.mark.parametrize("method", ["shira", "full"])
def test_a_strength_is_a_share_of_the_difference_to_the_base(
    base: Path, adapters: dict[str, Adaptation], method: str, strength: float
) -> None:
    model = load(base)
    with torch.no_grad():
        for name, difference in adapters[method].weights.items():
            dense = difference.to_dense() if difference.is_sparse else difference
            model.get_parameter(name).add_(dense, alpha=strength)
    (ours,) = prepared(Kept(base), only(adapters[method], strength))
    assert torch.allclose(ours, plain(model), atol=1e-4)


@pytest.mark.parametrize("method", IN_PASSING)
def test_a_merged_adapter_has_the_logits_of_the_same_one_in_passing(
    base: Path, folders: dict[str, Path], adapters: dict[str, Adaptation], method: str
) -> None:
    blends = [only(adapters[method], merged=merged) for merged in (False, True)]
    passing, merged = prepared(Kept(base), *blends)
    assert torch.allclose(passing, merged, atol=1e-4)
    assert torch.allclose(merged, plain(with_peft(base, folders[method])), atol=1e-4)


def test_a_sum_with_own_weights_adds_up_all_differences(
    base: Path, adapters: dict[str, Adaptation]
) -> None:
    blend = Blend(((adapters["shira"], 0.5), (adapters["dora"], -0.5)))
    model, own = load(base), facts(base).weight
    with torch.no_grad():
        for adapter, strength in blend.terms:
            for name, value in fold(only(adapter), own).items():
                model.get_parameter(name).add_(value - own(name), alpha=strength)
    (ours,) = prepared(Kept(base), blend)
    assert torch.allclose(ours, plain(model), atol=1e-4)


def test_a_copy_is_quantized_like_the_resident_model(
    base: Path, adapters: dict[str, Adaptation]
) -> None:
    exact, ours, resident = prepared(
        Kept(base, "int8"), only(adapters["lora"]), only(adapters["lora"], merged=True), PLAIN
    )
    assert torch.allclose(exact, ours, atol=0.05)
    assert not torch.allclose(resident, ours, atol=0.05)


def test_a_copy_is_made_once_and_leaves_with_its_last_user(
    base: Path, adapters: dict[str, Adaptation]
) -> None:
    own, blend = Kept(base), only(adapters["shira"])
    alone = own.resident_bytes
    own.prepare(blend)
    own.prepare(only(adapters["shira"]))
    assert own.made == 1
    assert own.resident_bytes > 1.5 * alone
    own.release(blend)
    assert logits(own, blend)
    own.release(blend)
    assert own.resident_bytes == alone
    own.prepare(blend)
    assert own.made == 2


def test_two_who_ask_at_once_wait_for_the_same_copy(
    base: Path, adapters: dict[str, Adaptation]
) -> None:
    own, blend = Kept(base), only(adapters["shira"])
    own.slow.clear()
    askers = [threading.Thread(target=own.prepare, args=(blend,)) for _ in range(3)]
    for asker in askers:
        asker.start()
    # Everybody else is answered meanwhile.
    assert torch.allclose(logits(own, PLAIN)[0], plain(load(base)), atol=1e-5)
    own.slow.set()
    for asker in askers:
        asker.join(30)
    assert own.made == 1
    assert logits(own, blend)


def test_one_copy_too_many_is_refused_until_another_is_released(
    base: Path, adapters: dict[str, Adaptation]
) -> None:
    own = Kept(base)
    blends = [only(adapters["lora"], strength, merged=True) for strength in (0.25, 0.5, 0.75)]
    for blend in blends[:COPIES]:
        own.prepare(blend)
    with pytest.raises(Busy, match=f"{COPIES} changed copies"):
        own.prepare(blends[COPIES])
    own.release(blends[0])
    own.prepare(blends[COPIES])


def test_a_copy_that_could_not_be_made_leaves_room_for_the_next_try(
    base: Path, adapters: dict[str, Adaptation]
) -> None:
    resident = load_general(ModelSpec("tiny", str(base), "tiny"), "fp32", CPU)
    tries: list[int] = []

    def fail_once(changed: Mapping[str, Tensor]) -> GeneralForward:
        tries.append(len(changed))
        if len(tries) == 1:
            raise MemoryError
        return resident

    own, blend = OwnWeights(resident, fail_once, facts(base).weight), only(adapters["shira"])
    with pytest.raises(MemoryError):
        own.prepare(blend)
    assert own.resident_bytes == resident.resident_bytes
    own.prepare(blend)
    assert len(tries) == 2
