"""Methods that train what stands before every prompt, and leave all weights of the model alone.

Prompt tuning (Lester et al. 2021) trains embeddings, P-tuning (Liu et al. 2021) a small network that
makes them, prefix tuning (Li & Liang 2021) keys and values in every layer. Does not know how they
are read back or served.
"""

from collections.abc import Mapping
from typing import Any

import torch
from peft import PrefixTuningConfig, PromptEncoderConfig, PromptTuningConfig
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from demo.methods.facts import BaseFacts
from demo.methods.method import AdapterSize, Method, Work
from demo.methods.readers.virtual_tokens import P_TUNING as P_TUNING_READER
from demo.methods.readers.virtual_tokens import PREFIX_TUNING as PREFIX_READER
from demo.methods.readers.virtual_tokens import PROMPT_TUNING as PROMPT_READER
from demo.methods.tuning.peft_models import own_facts, save, size_of, wrap


def _values(facts: BaseFacts, work: Work) -> dict[str, Any]:
    return {
        "num_virtual_tokens": work.settings.virtual_tokens,
        "num_layers": facts.depth,
        "token_dim": facts.width,
    }


def _build_prompt(model: PreTrainedModel, work: Work) -> Any:
    # Embeddings of real tokens, as the paper advises: random ones are ten times too long.
    start = {"prompt_tuning_init": "SAMPLE_VOCAB"}
    return wrap(PromptTuningConfig, model, {**_values(own_facts(model), work), **start})


def _encoder(facts: BaseFacts, work: Work) -> dict[str, Any]:
    return {**_values(facts, work), "encoder_hidden_size": work.settings.width}


def _build_p_tuning(model: PreTrainedModel, work: Work) -> Any:
    return wrap(PromptEncoderConfig, model, _encoder(own_facts(model), work))


def _size_p_tuning(facts: BaseFacts, work: Work) -> AdapterSize:
    """The network is trained, and what comes out of it is saved."""
    tokens, width, inner = work.settings.virtual_tokens, facts.width, work.settings.width
    network = (width + 1) * inner + (inner + 1) * inner + (inner + 1) * width
    saved = size_of(P_TUNING_READER, _values)(facts, work)
    return AdapterSize(tokens * width + network, saved.bytes)


def _prefix(facts: BaseFacts, work: Work) -> dict[str, Any]:
    return {
        **_values(facts, work),
        "token_dim": facts.key_heads * facts.head_width,
        "num_attention_heads": facts.key_heads,
    }


def _build_prefix(model: PreTrainedModel, work: Work) -> Any:
    """Begin with the keys and values of real tokens: random ones drown what the prompt says."""
    start = _keys_values(model, work.settings.virtual_tokens)
    adapted = wrap(PrefixTuningConfig, model, _prefix(own_facts(model), work))
    with torch.no_grad():
        adapted.prompt_encoder["default"].embedding.weight.copy_(start)
    return adapted


@torch.no_grad()
def _keys_values(model: PreTrainedModel, tokens: int) -> Tensor:
    """Of random tokens: [tokens, layers x (keys, values) x heads x width], as PEFT lays them out."""
    table: Any = model.get_input_embeddings()
    ids = torch.randint(0, table.num_embeddings, (1, tokens), device="cpu").to(model.device)
    cache = DynamicCache(config=model.config)
    model.get_decoder()(input_ids=ids, past_key_values=cache, use_cache=True)
    layers: Any = cache.layers
    pairs = [torch.stack((layer.keys[0], layer.values[0])) for layer in layers]
    return torch.stack(pairs).permute(3, 0, 1, 2, 4).reshape(tokens, -1).float()


def _method(**parts: Any) -> Method:
    return Method(view="input", family="additive", save=save, **parts)


def _defaults(learning_rate: float, **others: Any) -> Mapping[str, Any]:
    return {"learning_rate": learning_rate, "virtual_tokens": 16, **others}


PROMPT = _method(
    name="prompt",
    title="Prompt tuning",
    touches=frozenset({"embeddings"}),
    settings=("virtual_tokens",),
    defaults=_defaults(5e-2),
    source="Lester et al. 2021",
    size=size_of(PROMPT_READER, _values),
    build=_build_prompt,
)
PREFIX = _method(
    name="prefix",
    title="Prefix tuning",
    touches=frozenset({"keys_values"}),
    settings=("virtual_tokens",),
    defaults=_defaults(5e-2),
    source="Li & Liang 2021",
    size=size_of(PREFIX_READER, _prefix),
    build=_build_prefix,
)
P_TUNING = _method(
    name="p_tuning",
    title="P-tuning",
    touches=frozenset({"embeddings"}),
    settings=("virtual_tokens", "width"),
    defaults=_defaults(1e-2, width=128),
    source="Liu et al. 2021",
    size=_size_p_tuning,
    build=_build_p_tuning,
)
