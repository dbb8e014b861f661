"""Reads methods that put something before the prompt and leave the base's weights as they are.

Prefix tuning (Li & Liang 2021) puts trained keys and values there, prompt tuning (Lester et al.
2021) and P-tuning (Liu et al. 2021) trained embeddings. PEFT saves what comes out of an encoder or
a projection, not the encoder. Does not know training.
"""

from demo.methods.adaptation import Adaptation
from demo.methods.facts import BaseFacts
from demo.methods.readers.saved import Config, Reader, Refused, Saved, Shapes, whole

MOST_TOKENS = 256
TENSOR = "prompt_embeddings"
COMMON = frozenset(
    {"num_virtual_tokens", "token_dim", "num_layers", "num_attention_heads"}
    | {"num_transformer_submodules"}
)


def _tokens(config: Config, token_width: int, facts: BaseFacts) -> int:
    """How many virtual tokens there are, of a base of just this size."""
    if config.get("token_dim") != token_width or config.get("num_layers") != facts.depth:
        raise Refused("its token_dim or num_layers are those of another base model")
    if config.get("num_transformer_submodules") not in (None, 1):
        raise Refused("its num_transformer_submodules is not 1")
    return whole(config, "num_virtual_tokens", 1, MOST_TOKENS)


def _prefix_shapes(config: Config, facts: BaseFacts) -> Shapes:
    if config.get("num_attention_heads") != facts.key_heads:
        raise Refused("its num_attention_heads are those of another base model")
    width = facts.key_heads * facts.head_width
    return {TENSOR: (_tokens(config, width, facts), 2 * facts.depth * width)}


def _read_prefix(saved: Saved) -> Adaptation:
    facts = saved.facts
    # One row per token: keys then values of the first layer, of the second, and so on.
    rows = saved.tensors[TENSOR].view(-1, facts.depth, 2, facts.key_heads, facts.head_width)
    keys, values = rows.permute(2, 1, 3, 0, 4).contiguous()
    return Adaptation(saved.key, keys_values=(keys, values))


def _prompt_shapes(config: Config, facts: BaseFacts) -> Shapes:
    return {TENSOR: (_tokens(config, facts.width, facts), facts.width)}


def _read_prompt(saved: Saved) -> Adaptation:
    return Adaptation(saved.key, embeddings=saved.tensors[TENSOR])


PREFIX_TUNING = Reader(
    known=COMMON | {"encoder_hidden_size", "prefix_projection", "init_weights"},
    shapes=_prefix_shapes,
    adapt=_read_prefix,
)
PROMPT_TUNING = Reader(
    known=COMMON
    | {"prompt_tuning_init", "prompt_tuning_init_text"}
    | {"tokenizer_kwargs", "tokenizer_name_or_path"},
    shapes=_prompt_shapes,
    adapt=_read_prompt,
)
P_TUNING = Reader(
    known=COMMON
    | {"encoder_reparameterization_type", "encoder_hidden_size"}
    | {"encoder_num_layers", "encoder_dropout"},
    shapes=_prompt_shapes,
    adapt=_read_prompt,
)
