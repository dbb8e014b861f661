"""What the compiled pass can compute: its layers by name, the models, and the blends of adapters.

Everything else is left to the general pass.
"""

from typing import Any

from demo.methods.adaptation import Blend

KINDS = (
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
)
ALONE = (".o_proj", ".down_proj")
"""Layers whose inputs no other layer reads, and whose outputs go straight to the residual."""
NORMS = ("input_layernorm", "post_attention_layernorm", "self_attn.q_norm", "self_attn.k_norm")
HEAD, TABLE = -1, -2
MODELS = ("llama", "mistral", "qwen2", "qwen3")
STEADY_TURNS = ("default", "linear", "llama3", "yarn")
"""Kinds of rotary embedding whose frequencies do not depend on the length of the text."""


def supports(config: Any) -> bool:
    """Whether the compiled pass computes what a model of this configuration computes."""
    if config.model_type not in MODELS or getattr(config, "hidden_act", "") != "silu":
        return False
    windows = set(getattr(config, "layer_types", None) or ["full_attention"]) != {"full_attention"}
    window = config.model_type == "mistral" and getattr(config, "sliding_window", None)
    turns = (getattr(config, "rope_parameters", None) or {}).get("rope_type", "default")
    partial = (getattr(config, "rope_parameters", None) or {}).get("partial_rotary_factor", 1) != 1
    return not windows and not window and not partial and turns in STEADY_TURNS


def in_passing(blend: Blend) -> bool:
    """Whether the compiled pass can add a blend while it reads; layers that share inputs share them all."""
    scaled = (name for adapter, _ in blend.terms for name in adapter.input_scale)
    return all(name.endswith(ALONE) for name in scaled)
