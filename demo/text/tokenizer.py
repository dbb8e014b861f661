"""Text to token ids and back, safely from several threads.

Knows nothing of models: which ids end an answer is read from the tokenizer and its chat template.
"""

import functools
import hashlib
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from demo.records import Message

PLAIN_TEMPLATE = (
    "{{ bos_token or '' }}{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ message['content'] }}\n\n"
    "{% elif message['role'] == 'user' %}User: {{ message['content'] }}\n"
    "{% else %}Assistant: {{ message['content'] }}{{ eos_token }}\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
"""For base models that come without a chat template of their own."""


Asked = tuple[tuple[Message, ...], bool]
"""A conversation, and whether it ends with the header of the answer."""


class LabTokenizer:
    """A tokenizer whose calls are one at a time: the library keeps state inside a call."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self.inner: Any = tokenizer
        self._lock = threading.Lock()
        if not tokenizer.chat_template:
            tokenizer.chat_template = PLAIN_TEMPLATE

    @property
    def hash(self) -> str:
        """SHA-256 over vocabulary and chat template: adapters are bound to it."""
        vocabulary = sorted(self.inner.get_vocab().items(), key=lambda item: item[1])
        text = repr(vocabulary) + self.inner.chat_template
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def encode(self, text: str, *, start: bool = False, control: bool = False) -> list[int]:
        """Plain text to ids; control tokens in it stay text unless `control` is wanted.

        Args:
            text: any text.
            start: put the token before it that the model expects at the start of a text, if any.
            control: template tokens that are written in the text become tokens.
        """
        with self._lock:
            ids: list[int] = self.inner.encode(
                text, add_special_tokens=start, split_special_tokens=not control
            )
        return ids

    def decode(self, ids: Sequence[int], *, control: bool = False) -> str:
        """Ids to text. `control` keeps the template's own tokens visible."""
        with self._lock:
            text: str = self.inner.decode(
                list(ids), skip_special_tokens=not control, clean_up_tokenization_spaces=False
            )
        return text

    def chat(self, messages: Sequence[Message], *, answer: bool) -> list[int]:
        """A conversation to ids through the model's chat template.

        Control tokens inside the messages are encoded as text. Models that can think aloud are
        asked not to, so that base and adapter are compared on the answer itself.

        Args:
            messages: the turns.
            answer: end with the header of the assistant's turn, so that the model answers.
        """
        turns = [{"role": m.role, "content": m.content} for m in messages]
        try:
            return self._template(turns, answer)
        except TemplateError:
            return self._template(_without_system(turns), answer)

    def chats(self, asked: Sequence[Asked]) -> list[list[int]]:
        """What `chat` gives for each of many conversations, encoded in one go: several times as fast."""
        texts = {asking: self._written(asking) for asking in asked if not self._is_strange(asking)}
        plain = {asking: text for asking, text in texts.items() if text is not None}
        backend = self.inner.backend_tokenizer
        with self._lock:
            backend.encode_special_tokens = False
            found = backend.encode_batch_fast(list(plain.values()), add_special_tokens=False)
        known = {asking: read.ids for asking, read in zip(plain, found, strict=True)}
        return [
            known[asking] if asking in known else self.chat(asking[0], answer=asking[1])
            for asking in asked
        ]

    def _is_strange(self, asking: Asked) -> bool:
        """Whether a control token is written in it, or what the library marks one with."""
        return not self.inner.is_fast or any(
            self._strange.search(message.content) for message in asking[0]
        )

    @functools.cached_property
    def _strange(self) -> re.Pattern[str]:
        tokens = (re.escape(token) for token in self.inner.added_tokens_encoder)
        return re.compile("|".join(["[\U000f0000-\U0010ffff]", *tokens]))

    def _written(self, asking: Asked) -> str | None:
        """A conversation in the template's words; None where the template refuses a turn of it."""
        turns = [{"role": m.role, "content": m.content} for m in asking[0]]
        wanted = {"add_generation_prompt": asking[1], "enable_thinking": False}
        try:
            text: str = self.inner.apply_chat_template(turns, tokenize=False, **wanted)
        except TemplateError:
            return None
        return text

    def turns(self, messages: Sequence[Message]) -> list[dict[str, str]]:
        """Messages as the chat template takes them: without a system turn where it refuses one."""
        turns = [{"role": m.role, "content": m.content} for m in messages]
        try:
            self._template(turns, True)
        except TemplateError:
            return _without_system(turns)
        return turns

    @property
    def thinks(self) -> bool:
        """Whether the chat template can be asked not to think aloud."""
        return "enable_thinking" in self.inner.chat_template

    def _template(self, turns: list[dict[str, str]], answer: bool) -> list[int]:
        with self._lock:
            ids: list[int] = self.inner.apply_chat_template(
                turns,
                add_generation_prompt=answer,
                tokenize=True,
                return_dict=False,
                sanitize_control_tokens=True,
                enable_thinking=False,
            )
        return ids

    @functools.cached_property
    def end_ids(self) -> frozenset[int]:
        """The ids that end an assistant's turn: the end-of-text token and the template's own."""
        prompt = [Message("user", "a")]
        header = self.chat(prompt, answer=True)
        whole = self.chat([*prompt, Message("assistant", "b")], answer=False)
        closing = [i for i in whole[len(header) :] if i in self.control_ids][:1]
        return frozenset({self.inner.eos_token_id, *closing} - {None})

    @property
    def size(self) -> int:
        """How many ids there are."""
        return len(self.inner)

    @functools.cached_property
    def control_ids(self) -> frozenset[int]:
        """The ids of the template's own tokens, which no text of a visitor becomes by itself."""
        return frozenset(self.inner.all_special_ids)

    def default_system(self) -> str:
        """The system line that the template adds where none is given; often empty."""
        question = Message("user", "\x01")
        plain = self.decode(self.chat([question], answer=False), control=True)
        given = self.decode(
            self.chat([Message("system", "\x02"), question], answer=False), control=True
        )
        before, found, after = given.partition("\x02")
        if not found or not plain.startswith(before) or not plain.endswith(after):
            return ""
        return plain[len(before) : len(plain) - len(after)]


def load_tokenizer(source: str, revision: str = "") -> LabTokenizer:
    """Load the tokenizer of a local folder or a hub id."""
    options = {} if Path(source).is_dir() or not revision else {"revision": revision}
    return LabTokenizer(AutoTokenizer.from_pretrained(source, **options))


def _without_system(turns: list[dict[str, str]]) -> list[dict[str, str]]:
    """The system prompt put before the first question, for templates that refuse a system turn."""
    if len(turns) < 2 or turns[0]["role"] != "system":
        return turns
    first = {"role": "user", "content": f"{turns[0]['content']}\n\n{turns[1]['content']}"}
    return [first, *turns[2:]]
