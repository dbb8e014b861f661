"""The base model in memory: which precision, why, and the loading itself.

The only place that calls `from_pretrained` on a model. Knows nothing of adapters or requests.
"""

import contextlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    BitsAndBytesConfig,
    GenerationConfig,
    PreTrainedModel,
)

from demo.engine.compiled.forward import CompiledForward
from demo.engine.compiled.library import open_library
from demo.engine.compiled.scope import in_passing, supports
from demo.engine.forward import Forward
from demo.engine.general.forward import GeneralForward
from demo.engine.general.int8 import quantize_model
from demo.engine.general.linear import Phase
from demo.engine.general.rows import keeps_rows
from demo.engine.labels import LabelForward
from demo.engine.model.catalogue import Fingerprint, ModelSpec, choose_model, file_hash
from demo.engine.model.convert import converted
from demo.engine.model.own_weights import OwnWeights
from demo.engine.model.replace import replace_parameter
from demo.errors import NotReady
from demo.host import Host
from demo.methods.facts import base_facts
from demo.records import ModelReason, PrecisionReason
from demo.settings import LabSettings
from demo.text.tokenizer import LabTokenizer, load_tokenizer


@dataclass(frozen=True)
class Precision:
    """In which numbers the base model answers, and why."""

    name: str
    """fp32, bf16, int8 or nf4."""
    reason: PrecisionReason


@dataclass(frozen=True)
class BaseModel:
    """A loaded base model with all that belongs to it."""

    forward: Forward
    tokenizer: LabTokenizer
    spec: ModelSpec
    """Of a folder or hub id that plain transformers loads: what a worker process is given."""
    precision: Precision
    reason: ModelReason
    """Why this model."""
    fingerprint: Fingerprint
    context: int
    """The most tokens of prompt and answer together."""
    end_ids: frozenset[int]


def choose_precision(wanted: str, host: Host) -> Precision:
    """`LAB_PRECISION` to a precision that this host has, and why it is this one.

    Automatic: nf4 with double quantization on CUDA, a quarter of the memory of bf16; on a CPU int8,
    because decoding waits for memory there and a weight of one byte instead of four is read about
    three times as fast, and the compiled pass keeps this model's weights exactly.
    """
    if wanted == "auto":
        return (
            Precision("nf4", "nf4_cuda") if host.kind == "cuda" else Precision("int8", "int8_cpu")
        )
    if wanted == "bf16" and not host.bf16:
        return Precision(wanted, "bf16_chosen_slow")
    if wanted == "nf4" and host.kind != "cuda":
        return Precision(wanted, "nf4_chosen_cpu")
    return Precision(wanted, "precision_chosen")


def load_base(settings: LabSettings, host: Host) -> BaseModel:
    """Choose, convert if need be, and load the base model.

    Raises:
        NotReady: it cannot be loaded; the message says why.
    """
    choice = choose_model(settings.model, host)
    precision = choose_precision(settings.precision, host)
    cache = settings.data / "models"
    try:
        return _load(choice.spec, choice.reason, precision, host, cache)
    except OSError as error:
        if choice.fallback is None:
            raise NotReady("load_failed", problem=_first_line(error)) from error
        return _load(choice.fallback, "model_offline", precision, host, cache)


def _load(
    spec: ModelSpec, reason: ModelReason, precision: Precision, host: Host, cache: Path
) -> BaseModel:
    with ThreadPoolExecutor(max_workers=1) as beside:
        # The compiler takes as long as a first conversion, and both happen once.
        library = beside.submit(_compiled_library, precision.name, host, cache)
        spec = converted(spec, cache)
    tokenizer = load_tokenizer(spec.source, spec.revision)
    config = AutoConfig.from_pretrained(spec.source, **_revision(spec)).get_text_config()
    return BaseModel(
        forward=load_forward(spec, precision.name, host, library.result()),
        tokenizer=tokenizer,
        spec=spec,
        precision=precision,
        reason=reason,
        fingerprint=fingerprint(spec, tokenizer),
        context=int(config.max_position_embeddings),
        end_ids=tokenizer.end_ids | _generation_ends(spec, config),
    )


def load_forward(spec: ModelSpec, precision: str, host: Host, library: Any = None) -> Forward:
    """The fastest forward that this model, precision and host have, and copies of it for own weights.

    Args:
        spec: of a folder or hub id that plain transformers loads.
        precision: fp32, bf16, int8 or nf4.
        host: where it will run.
        library: the compiled pass, where this host could build it.
    """
    config = AutoConfig.from_pretrained(spec.source, **_revision(spec))

    compiled = library is not None and supports(config)

    def load(changed: Mapping[str, Tensor] | None = None) -> Forward:
        if compiled:
            model = _changed(_from_pretrained(spec, "fp32", host), changed)
            return CompiledForward(model, library, host.threads)
        return load_general(spec, precision, host, changed)

    facts = base_facts(spec.source, spec.revision or "")
    passing = in_passing if compiled else lambda _: True
    return LabelForward(OwnWeights(load(), load, facts.weight, passing), facts.vocabulary)


def _compiled_library(precision: str, host: Host, cache: Path) -> Any:
    """The compiled pass, where it is what this precision means here: int8 on a CPU."""
    if precision != "int8" or host.device != "cpu" or host.kind == "cuda":
        return None
    return open_library(cache.parent / "compiled")


def load_general(
    spec: ModelSpec, precision: str, host: Host, changed: Mapping[str, Tensor] | None = None
) -> GeneralForward:
    """The general forward, on the host's device.

    Args:
        spec: of a folder or hub id that plain transformers loads.
        precision: fp32, bf16, int8 or nf4.
        host: where it will run.
        changed: parameters that take the place of the file's own before they are quantized.

    Raises:
        NotReady: the model keeps no keys and values, so answers could not share a batch.
    """
    lab_int8 = precision == "int8" and host.kind != "cuda"
    model = _changed(_from_pretrained(spec, "fp32" if lab_int8 else precision, host), changed)
    phase = Phase()
    if lab_int8:
        quantize_model(model, phase)
    forward = GeneralForward(model, phase)
    if changed is None and not keeps_rows(forward, model.config.get_text_config().vocab_size):
        raise NotReady("model_rows", model=spec.title)
    return forward


def _changed(model: PreTrainedModel, changed: Mapping[str, Tensor] | None) -> PreTrainedModel:
    for name, value in (changed or {}).items():
        replace_parameter(model, name, value)
    return model


def load_for_training(spec: ModelSpec, host: Host, precision: str = "fp32") -> PreTrainedModel:
    """Load for a run, frozen.

    Args:
        spec: of a folder or hub id that plain transformers loads.
        host: where it will learn.
        precision: nf4 (QLoRA, Dettmers et al. 2023), or fp32, which updates of single weights need.
    """
    model = _from_pretrained(spec, precision, host)
    layers: Any = model.modules()
    for module in layers:
        if hasattr(module, "support_avx512bf16_for_cpu"):
            # bitsandbytes would pack a layer anew for fast answers, and gradients need it as it is.
            module.support_avx512bf16_for_cpu = False
    return model.requires_grad_(False)


def _from_pretrained(spec: ModelSpec, precision: str, host: Host) -> PreTrainedModel:
    compute = torch.bfloat16 if host.bf16 else torch.float32
    options: dict[str, Any] = {"device_map": {"": host.device}, "use_safetensors": True}
    options |= _revision(spec)
    if precision == "nf4":
        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=compute,
        )
        options["dtype"] = compute
    elif precision == "int8":
        options["quantization_config"] = BitsAndBytesConfig(load_in_8bit=True)
        options["dtype"] = torch.float16
    else:
        options["dtype"] = torch.float32 if precision == "fp32" else torch.bfloat16
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(spec.source, **options)
    return model


def fingerprint(spec: ModelSpec, tokenizer: LabTokenizer) -> Fingerprint:
    """What adapters of this model are bound to."""
    folder = Path(spec.source)
    if folder.is_dir():
        hashes = [file_hash(file) for file in sorted(folder.glob("*.safetensors"))]
        weights = hashes[0] if len(hashes) == 1 else ",".join(hashes)
    else:
        weights = f"hub:{spec.revision}"
    return Fingerprint(f"{spec.lineage}#{tokenizer.hash[:16]}", weights)


def _revision(spec: ModelSpec) -> dict[str, Any]:
    return {"revision": spec.revision} if spec.revision else {}


def _generation_ends(spec: ModelSpec, config: Any) -> frozenset[int]:
    """What ends an answer besides the tokenizer's own: the generation settings, if there are any."""
    with contextlib.suppress(OSError):
        config = GenerationConfig.from_pretrained(spec.source, **_revision(spec))
    ends = config.eos_token_id
    return frozenset(ends if isinstance(ends, list) else [] if ends is None else [ends])


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
