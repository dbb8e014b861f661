"""A tiny random Llama with a tokenizer of bytes, saved as any local model is: real, and loaded in a blink."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from demo.engine.forward import Forward, Part, RowCache
from demo.engine.model.load import BaseModel, load_base
from demo.engine.service import Engine
from demo.host import Host
from demo.methods.adaptation import PLAIN, Blend
from demo.settings import LabSettings

CONTROL = ["<|im_start|>", "<|im_end|>"]
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def save_tiny(folder: Path) -> Path:
    """A model with 3 layers that has learned nothing: its texts are noise, but always the same."""
    torch.manual_seed(7)
    words = Tokenizer(models.BPE(vocab=_vocabulary(), merges=[("a", "b")]))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, eos_token=CONTROL[1], additional_special_tokens=CONTROL
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        initializer_range=0.3,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def _vocabulary() -> dict[str, int]:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    return {token: number for number, token in enumerate([*letters, "ab"])}


class Meddling:
    """A forward that does something of its own before each call: a fault, a pause, a note."""

    def __init__(self, inner: Forward, meddle: Callable[[Sequence[Part]], None]) -> None:
        self.inner = inner
        self.meddle = meddle
        self.begin: Callable[[], None] = lambda: None
        self.name = inner.name
        self.exact_reuse = inner.exact_reuse
        self.prepared = 0

    @property
    def resident_bytes(self) -> int:
        return self.inner.resident_bytes

    def new_cache(self, blend: Blend = PLAIN, room: int = 0) -> RowCache:
        self.begin()
        return self.inner.new_cache(blend, room)

    def run(self, parts: Sequence[Part]) -> list[Tensor]:
        # A fault comes after the work, so that the caches have grown already.
        result = self.inner.run(parts)
        self.meddle(parts)
        return result

    def attention(self, part: Part) -> Tensor:
        return self.inner.attention(part)

    def prepare(self, blend: Blend) -> None:
        self.prepared += 1
        self.inner.prepare(blend)

    def release(self, blend: Blend) -> None:
        self.prepared -= 1
        self.inner.release(blend)


def nothing(parts: Sequence[Part]) -> None:
    """Meddles with nothing."""


def tiny_engine(folder: Path, home: Path, **settings: int) -> Engine:
    """An engine on the tiny model whose forward can be meddled with; ready."""

    def load(given: LabSettings, host: Host) -> BaseModel:
        base = load_base(given, host)
        return replace(base, forward=Meddling(base.forward, nothing))

    engine = Engine(LabSettings(home=home, model=str(folder), precision="fp32", **settings), load)
    engine.start()
    engine.wait_ready(60)
    return engine


def forward_of(engine: Engine) -> Meddling:
    """The forward of a tiny engine."""
    forward = engine.require_ready().forward
    assert isinstance(forward, Meddling)
    return forward


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something that is bound to come true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)
