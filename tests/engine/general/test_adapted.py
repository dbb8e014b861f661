from collections.abc import Sequence
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from peft import PeftModel
from torch import Tensor
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, GPTNeoXConfig, Qwen3Config

from demo.engine.general.adapted import AdaptedRows
from demo.engine.general.int8 import Int8Linear, quantize_model
from demo.engine.general.linear import Phase, use_row_products
from demo.engine.model.own_weights import fold
from demo.methods.adaptation import PLAIN, Adaptation, Blend
from tests.methods.making import (
    CONFIGS,
    IN_PASSING,
    TASK,
    facts,
    load,
    make_adapter,
    make_base,
    read,
    with_peft,
)

IDS = torch.tensor([[5, 17, 80, 3, 44, 9]])
STRENGTHS = (-0.5, 0.5, 1.5)


@pytest.fixture(scope="module")
def folders(base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("adapters")
    return {name: make_adapter(base, root / name, CONFIGS[name]()) for name in IN_PASSING}


@pytest.fixture(scope="module")
def adapters(base: Path, folders: dict[str, Path]) -> dict[str, Adaptation]:
    return {name: read(base, folder) for name, folder in folders.items()}


class Rows:
    """A plain model under hooks, asked for the logits of rows with a blend each."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.adapted = AdaptedRows(model)

    @torch.no_grad()
    def __call__(self, blends: Sequence[Blend], ids: Tensor = IDS) -> Tensor:
        self.adapted.use(blends, "cpu")
        logits: Tensor = self.model(ids.expand(len(blends), -1)).logits
        return logits


@torch.no_grad()
def merged(base: Path, blend: Blend) -> Tensor:
    """The logits of a model whose weights were changed by hand."""
    model = load(base)
    for name, value in fold(blend, facts(base).weight).items():
        model.get_parameter(name).copy_(value)
    logits: Tensor = model(IDS).logits
    return logits


@torch.no_grad()
@pytest.mark.parametrize("method", IN_PASSING)
def test_a_row_has_the_logits_of_peft(
    base: Path, folders: dict[str, Path], adapters: dict[str, Adaptation], method: str
) -> None:
    ours = Rows(load(base))([Blend(((adapters[method], 1.0),))])
    theirs = with_peft(base, folders[method])(IDS).logits
    assert torch.allclose(ours, theirs, atol=1e-4)
    assert not torch.allclose(ours, load(base)(IDS).logits, atol=0.01)


@torch.no_grad()
def test_adalora_whose_ranks_were_shared_out_has_the_logits_of_peft(
    base: Path, tmp_path: Path
) -> None:
    kept = {"0.self_attn.q_proj": [True, False, True, False], "1.mlp.down_proj": [False] * 4}
    ranks = {f"model.layers.{name}.lora_E.default": ranks for name, ranks in kept.items()}
    folder = make_adapter(base, tmp_path / "shared", CONFIGS["adalora"](), ranks=ranks)
    adapter = read(base, folder)
    assert adapter.low_rank["model.layers.0.self_attn.q_proj"][0].shape == (2, 64)
    assert "model.layers.1.mlp.down_proj" not in adapter.low_rank
    ours = Rows(load(base))([Blend(((adapter, 1.0),))])
    assert torch.allclose(ours, with_peft(base, folder)(IDS).logits, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("method", ["lora", "dora", "ln"])
@pytest.mark.parametrize("strength", STRENGTHS)
def test_a_strength_is_a_share_of_the_difference_to_the_base(
    base: Path,
    folders: dict[str, Path],
    adapters: dict[str, Adaptation],
    method: str,
    strength: float,
) -> None:
    whole = with_peft(base, folders[method]).merge_and_unload().state_dict()
    model = load(base)
    for name, weight in model.named_parameters():
        weight.add_(whole[name] - weight, alpha=strength)
    ours = Rows(load(base))([Blend(((adapters[method], strength),))])
    assert torch.allclose(ours, model(IDS).logits, atol=1e-4)


@pytest.mark.parametrize("method", IN_PASSING)
def test_strength_zero_is_the_base_to_the_last_bit(
    base: Path, adapters: dict[str, Adaptation], method: str
) -> None:
    rows = Rows(load(base))
    assert torch.equal(rows([Blend(((adapters[method], 0.0),))]), rows([PLAIN]))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("lora", "rslora"),
        ("lora", "dora"),
        ("dora", "ia3"),
        ("ia3", "lora"),
        ("ln", "ia3"),
        ("ln", "ln"),
    ],
)
def test_a_sum_of_two_is_their_differences_added_up(
    base: Path, adapters: dict[str, Adaptation], first: str, second: str
) -> None:
    blend = Blend(((adapters[first], 0.7), (adapters[second], -0.3)))
    assert torch.allclose(Rows(load(base))([blend]), merged(base, blend), atol=1e-4)


def test_scales_of_inputs_and_outputs_of_one_layer_add_up_too(base: Path, tmp_path: Path) -> None:
    inputs = peft.IA3Config(target_modules=["down_proj"], feedforward_modules=["down_proj"], **TASK)
    outputs = peft.IA3Config(target_modules=["down_proj"], feedforward_modules=[], **TASK)
    first = read(base, make_adapter(base, tmp_path / "inputs", inputs))
    second = read(base, make_adapter(base, tmp_path / "outputs", outputs))
    blend = Blend(((first, 1.0), (second, 1.5)))
    assert torch.allclose(Rows(load(base))([blend]), merged(base, blend), atol=1e-4)


@pytest.mark.parametrize("precision", ["fp32", "rows", "int8"])
@pytest.mark.parametrize("decoding", [False, True])
def test_a_row_among_others_is_the_row_alone_to_the_last_bit(
    base: Path, adapters: dict[str, Adaptation], precision: str, decoding: bool
) -> None:
    model, phase = load(base), Phase(decoding)
    if precision == "int8":
        quantize_model(model, phase)
        assert isinstance(model.model.layers[0].mlp.up_proj, Int8Linear)
    if precision == "rows":
        use_row_products(model, phase)
    rows = Rows(model)
    every = [Blend(((adapter, 1.0),)) for adapter in adapters.values()]
    blends = [
        PLAIN,
        *every,
        Blend(((adapters["lora"], 0.5),)),
        Blend(((adapters["dora"], 0.5), (adapters["ia3"], 0.5))),
        *every,
        PLAIN,
    ]
    ids = IDS[:, :1] if decoding else IDS
    together = rows(blends, ids)
    exact = precision != "fp32" and decoding
    for row, blend in zip(together, blends, strict=True):
        alone = rows([blend], ids)[0]
        assert torch.equal(row, alone) if exact else torch.allclose(row, alone, atol=1e-5)


def test_the_next_pass_forgets_the_blends_of_the_last(
    base: Path, adapters: dict[str, Adaptation]
) -> None:
    rows = Rows(load(base))
    before = rows([PLAIN])
    for adapter in adapters.values():
        assert not torch.equal(rows([Blend(((adapter, 1.0),))]), before)
        assert torch.equal(rows([PLAIN]), before)


@torch.no_grad()
@pytest.mark.parametrize("method", ["lora", "dora"])
def test_a_bias_is_no_part_of_what_dora_scales(method: str, tmp_path: Path) -> None:
    base = make_base(tmp_path / "base", attention_bias=True)
    folder = make_adapter(base, tmp_path / method, CONFIGS[method]())
    ours = Rows(load(base))([Blend(((read(base, folder), 1.0),))])
    assert torch.allclose(ours, with_peft(base, folder)(IDS).logits, atol=1e-4)


@torch.no_grad()
def test_norms_inside_the_attention_are_tuned_too(tmp_path: Path) -> None:
    config = Qwen3Config(
        vocab_size=96,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=24,
    )
    base = make_base(tmp_path / "base", config)
    tuned = peft.LNTuningConfig(target_modules=["q_norm", "k_norm", "norm"], **TASK)
    folder = make_adapter(base, tmp_path / "ln", tuned)
    ours = Rows(load(base))([PLAIN, Blend(((read(base, folder), 1.0),)), PLAIN])
    assert torch.allclose(ours[1], with_peft(base, folder)(IDS).logits[0], atol=1e-4)
    assert torch.allclose(ours[2], load(base)(IDS).logits[0], atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("target", ["input_layernorm", "query_key_value"])
def test_a_bias_that_an_adapter_changes_needs_weights_of_its_own(
    target: str, tmp_path: Path
) -> None:
    config = GPTNeoXConfig(
        vocab_size=96,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
    )
    base = make_base(tmp_path / "base", config)
    norms = peft.LNTuningConfig(target_modules=[target], **TASK)
    scales = peft.IA3Config(target_modules=[target], feedforward_modules=[], **TASK)
    folder = make_adapter(base, tmp_path / "a", norms if "norm" in target else scales)
    blend = Blend(((read(base, folder), 1.0),))
    assert blend.own_weights
    assert torch.allclose(merged(base, blend), with_peft(base, folder)(IDS).logits, atol=1e-4)


NF4 = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True}
INT8 = {"load_in_8bit": True}
NEEDS_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@torch.no_grad()
@pytest.mark.parametrize("method", ["lora", "ia3"])
@pytest.mark.parametrize(
    ("device", "bits"),
    [
        ("cpu", NF4),
        pytest.param("cuda", NF4, marks=[pytest.mark.gpu, NEEDS_CUDA]),
        pytest.param("cuda", INT8, marks=[pytest.mark.gpu, NEEDS_CUDA]),
    ],
)
@pytest.mark.filterwarnings("ignore:MatMul8bitLt")
def test_layers_of_bitsandbytes_are_adapted_as_peft_does_it(
    method: str, device: str, bits: dict[str, Any], tmp_path: Path
) -> None:
    base = make_base(tmp_path / "base", intermediate_size=128)
    folder = make_adapter(base, tmp_path / method, CONFIGS[method]())

    def quantized() -> Any:
        return AutoModelForCausalLM.from_pretrained(
            base,
            quantization_config=BitsAndBytesConfig(**bits),
            dtype=torch.float16 if bits is INT8 else torch.float32,
            device_map={"": device},
        ).eval()

    rows = AdaptedRows(model := quantized())
    rows.use([PLAIN, Blend(((read(base, folder), 1.0),))], device)
    ours = model(IDS.expand(2, -1).to(device)).logits.float()
    base_logits = quantized()(IDS.to(device)).logits[0].float()
    theirs = PeftModel.from_pretrained(quantized(), str(folder)).eval()
    adapted = theirs(IDS.to(device)).logits[0].float()
    off = 0.02 if bits is INT8 else 1e-4
    assert torch.allclose(ours[0], base_logits, atol=off)
    assert torch.allclose(ours[1], adapted, atol=off)
    assert not torch.allclose(base_logits, adapted, atol=3 * off)
