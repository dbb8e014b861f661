import hashlib
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file

from demo.errors import BadInput
from demo.methods import METHODS, good_settings, method_of
from demo.methods.layers import linear_layers
from demo.methods.method import OWN_SETTINGS, Label, Method, Work
from demo.methods.reading import READERS
from demo.run_records import TrainSettings
from demo.text.template import Sequence
from demo.training.batches import Batch, collate
from demo.training.loss import CompletionLoss
from demo.training.objective import loss_of
from demo.workspace import read_json
from tests.methods.making import facts, load, read, with_peft

STEPS = 10
OWN_FORMAT = {name for name, method in METHODS.items() if method.loader}
IN_PEFT = sorted(METHODS.keys() - OWN_FORMAT)


START = (5, 17, 80, 3, 44, 9, 11, 12, 13)
ANSWERS = ((40, 22, 8, 61, 1), (70, 4, 4, 35, 29, 88, 2, 1), (51, 6, 1))


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Three rows that begin alike and end each in its own way."""
    rows = [
        Sequence((*START, 20 + n, *answer), (*[False] * 10, *[True] * len(answer)))
        for n, answer in enumerate(ANSWERS)
    ]
    return collate(rows, "cpu")


def work(method: Method, **changes: Any) -> Work:
    labels = tuple(Label(str(ids), ids) for ids in ANSWERS)
    settings = good_settings(method.name, **{"width": 12, **changes})
    return Work(settings, STEPS, labels if method.objective == "labels" else ())


def built(base: Path, method: Method, given: Work) -> Any:
    torch.manual_seed(1)
    return method.build(load(base).requires_grad_(False), given)


def trained(base: Path, method: Method, batch: Batch) -> tuple[Any, list[float]]:
    """The model after a few steps, and the loss at each."""
    given = work(method)
    model, losses = built(base, method, given), []
    upkeep, loss = method.upkeep(model), loss_of(model, given.settings)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, given.settings.learning_rate, weight_decay=0.0)
    for step in range(1, STEPS + 1):
        optimizer.zero_grad()
        mean, penalty = loss(batch).mean, upkeep.penalty()
        (mean if penalty is None else mean + penalty).backward()
        optimizer.step()
        upkeep.after_step(step)
        losses.append(mean.item())
    return model.eval(), losses


@pytest.fixture(scope="module", params=METHODS)
def outcome(
    request: pytest.FixtureRequest,
    base: Path,
    batch: Batch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Any:
    """Method, trained model, losses, and the folder that it was saved to."""
    method = METHODS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    model, losses = trained(base, method, batch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        method.save(model, folder, "owner/model")
    return method, model, losses, folder


def test_a_few_steps_lower_the_loss(outcome: Any) -> None:
    _, _, losses, _ = outcome
    assert losses[-1] < losses[0] - 0.01


def test_only_the_methods_own_weights_change(base: Path, outcome: Any) -> None:
    method, model, _, _ = outcome
    frozen = dict(load(base).named_parameters())
    of_base = model.get_base_model() if isinstance(model, PeftModel) else model
    for name, weight in of_base.named_parameters():
        plain = name.replace("base_layer.", "")
        if plain in frozen and not weight.requires_grad:
            assert _hash(weight) == _hash(frozen[plain]), name
    assert method.name == "full" or {
        n for n, w in of_base.named_parameters() if w.requires_grad
    }.isdisjoint(frozen)


def test_size_computed_beforehand_is_the_built_and_saved_one(base: Path, outcome: Any) -> None:
    method, model, _, folder = outcome
    computed = method.size(facts(base), work(method))
    assert computed.trainable == sum(w.numel() for w in model.parameters() if w.requires_grad)
    assert computed.bytes == (folder / "adapter_model.safetensors").stat().st_size


def test_a_saved_folder_is_what_its_reader_expects(base: Path, outcome: Any) -> None:
    _, _, _, folder = outcome
    config = read_json(folder / "adapter_config.json")
    assert config["base_model_name_or_path"] == "owner/model"
    shapes = READERS[config["peft_type"]].shapes(config, facts(base))
    saved = load_file(folder / "adapter_model.safetensors")
    assert {name: tuple(tensor.shape) for name, tensor in saved.items()} == shapes
    assert read(base, folder).bytes > 0


@torch.no_grad()
def test_peft_reads_back_the_logits_of_the_trained_model(
    base: Path, batch: Batch, outcome: Any
) -> None:
    method, model, _, folder = outcome
    if method.name in OWN_FORMAT:
        pytest.skip("PEFT does not know it")
    again = with_peft(base, folder)
    mask = batch.mask
    expected, got = (m(input_ids=batch.ids, attention_mask=mask).logits for m in (model, again))
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", METHODS)
def test_the_fast_loss_is_that_of_the_general_way(base: Path, batch: Batch, name: str) -> None:
    model = built(base, METHODS[name], work(METHODS[name])).eval()
    fast, general = CompletionLoss(model), CompletionLoss(model)
    general.fast = False
    assert fast.fast
    torch.testing.assert_close(fast(batch).losses, general(batch).losses, atol=1e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("name", IN_PEFT)
def test_the_loss_is_that_of_plain_peft_labels(base: Path, batch: Batch, name: str) -> None:
    model = built(base, METHODS[name], work(METHODS[name])).eval()
    ids = batch.ids[:1, : int(batch.mask[0].sum())]
    labels = ids.masked_fill(~batch.trained[:1, : ids.shape[1]], -100)
    expected = model.base_model.model if name == "adalora" else model
    loss = expected(input_ids=ids, labels=labels).loss
    alone = Batch(ids, batch.mask[:1, : ids.shape[1]], batch.trained[:1, : ids.shape[1]], 0, 0)
    torch.testing.assert_close(CompletionLoss(model)(alone).mean, loss, atol=1e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("name", METHODS)
def test_before_the_first_step_the_base_alone_is_measured(
    base: Path, batch: Batch, name: str
) -> None:
    method = METHODS[name]
    model = built(base, method, work(method)).eval()
    expected = CompletionLoss(load(base))(batch).losses
    torch.testing.assert_close(CompletionLoss(model).of_base()(batch).losses, expected)


def test_adalora_gives_ranks_away_and_goes_on_where_it_was(base: Path, batch: Batch) -> None:
    method = METHODS["adalora"]
    model, _ = trained(base, method, batch)
    energies = [w for n, w in model.named_parameters() if "lora_E" in n]
    kept = sum(int((energy != 0).sum()) for energy in energies)
    assert kept == 8 * len(energies)
    before = method.upkeep(model)
    again = method.upkeep(built(base, method, work(method)))
    again.restore(before.save())
    assert again.save().keys() == before.save().keys()
    for name, tensor in before.save().items():
        torch.testing.assert_close(again.save()[name], tensor)


@pytest.mark.parametrize("steps", [1, 2, 3, 5])
def test_adalora_takes_very_short_runs(base: Path, batch: Batch, steps: int) -> None:
    method = METHODS["adalora"]
    model = built(base, method, Work(good_settings("adalora"), steps))
    upkeep = method.upkeep(model)
    for step in range(1, steps + 1):
        model.zero_grad()
        CompletionLoss(model)(batch).mean.backward()
        upkeep.after_step(step)


def test_a_method_that_finds_nothing_to_train_is_refused_in_words(base: Path) -> None:
    other = replace(facts(base), layers={"transformer.h.0.attn.c_attn": (64, 192)})
    for name in ("ia3", "bottleneck"):
        with pytest.raises(BadInput, match=r"cannot train this base model.*nothing that this base"):
            METHODS[name].size(other, work(METHODS[name]))
    with pytest.raises(BadInput, match="more places than"):
        METHODS["shira"].size(facts(base), Work(good_settings("shira", rank=60)))


def test_linear_layers_are_all_but_the_head(base: Path) -> None:
    names = {layer.suffix for layer in linear_layers(load(base))}
    assert names == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


def test_good_settings_are_those_that_apply_and_an_unknown_method_is_refused() -> None:
    for name, method in METHODS.items():
        assert name == method.name
        assert set(method.settings) <= set(OWN_SETTINGS)
        assert set(method.defaults) <= {"learning_rate", *method.settings}
        assert good_settings(name).learning_rate == method.defaults["learning_rate"]
        assert (
            not set(OWN_SETTINGS) - set(method.settings) & method.relevant(TrainSettings()).keys()
        )
    with pytest.raises(BadInput, match=r"method must be one of lora.*got 'lorra'"):
        method_of("lorra")


def _hash(weight: torch.Tensor) -> str:
    return hashlib.sha256(weight.detach().numpy().tobytes()).hexdigest()
