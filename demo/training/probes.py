"""Fixed questions that a run is asked again and again while it learns: a time-lapse of its answers.

Two come from rows that it does not learn, with the answer that stands there; one is about something
else, and shows what is forgotten. Asks the model in training itself, so that a run needs nobody else.
"""

import time
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from demo.methods.tuning.head import LabelHeadLayer, head_of, last_hidden
from demo.records import Message
from demo.run_records import Probe, ProbeAnswers, Row
from demo.text.tokenizer import LabTokenizer
from demo.training.loss import virtual_tokens

FROM_ROWS = 2
LONGEST_QUESTION = 200
"""Tokens; a longer question would cost more time than it shows."""
LONGEST_ANSWER = 24
"""Tokens of each answer."""
ELSEWHERE = Probe("What is the capital of France?", "Paris")
SHARE = 0.08
"""Of the run's expected seconds may go into answers, the first and the last always among them."""
MOST = 12
"""Answers between the first and the last."""


def chosen(
    tokenizer: LabTokenizer, rows: Sequence[Row], most: int = FROM_ROWS
) -> tuple[Probe, ...]:
    """The first different short questions of some rows, and one from elsewhere."""
    found: dict[str, Probe] = {}
    for row in rows:
        asked = [(m.role, m.content) for m in row.messages]
        if [role for role, _ in asked[-2:]] != ["user", "assistant"]:
            continue
        question, expected = asked[-2][1], asked[-1][1]
        if question not in found and len(tokenizer.encode(question)) <= LONGEST_QUESTION:
            found[question] = Probe(question, expected)
        if len(found) == most:
            break
    return (*found.values(), ELSEWHERE)


class Prober:
    """Asks the model in training, greedily, all questions as one batch."""

    def __init__(
        self,
        model: Any,
        tokenizer: LabTokenizer,
        probes: Sequence[Probe],
        longest: int = LONGEST_ANSWER,
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.longest = longest
        self.prompts = [
            tokenizer.chat((Message("user", probe.question),), answer=True) for probe in probes
        ]
        self.seconds = 0.0
        """What the last asking took."""

    def ask(self, step: int) -> ProbeAnswers:
        """The answers as the weights stand now."""
        begun = time.monotonic()
        self.model.eval()
        head = head_of(self.model)
        answers = self._written() if head is None else self._chosen(head)
        self.seconds = time.monotonic() - begun
        return ProbeAnswers(step, answers)

    def steps(self, last: int, seconds: float) -> set[int]:
        """The steps after which to ask again, before the end.

        Args:
            last: the run's last step.
            seconds: that the run is expected to take.
        """
        parts = 1 + min(MOST, int(SHARE * seconds / max(self.seconds, 0.001)) - 2)
        return {round(last * part / parts) for part in range(1, max(parts, 1))} - {0, last}

    def _written(self) -> tuple[str, ...]:
        # PEFT has no positions for padded rows: their virtual tokens would stand too far away.
        alone = virtual_tokens(self.model) > 0
        batches = [[prompt] for prompt in self.prompts] if alone else [self.prompts]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # PEFT says so every time.
            return tuple(text for prompts in batches for text in self._answers(prompts))

    @torch.no_grad()
    def _answers(self, prompts: list[list[int]]) -> tuple[str, ...]:
        ids, mask = self._padded(prompts)
        said = self.model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=self.longest,
            do_sample=False,
            pad_token_id=0,
            eos_token_id=sorted(self.tokenizer.end_ids),
        )
        return tuple(self._text(row) for row in said[:, ids.shape[1] :].tolist())

    @torch.no_grad()
    def _chosen(self, head: LabelHeadLayer) -> tuple[str, ...]:
        """The likeliest label for each question."""
        device = next(self.model.parameters()).device
        asked = [torch.tensor([prompt], device=device) for prompt in self.prompts]
        hidden = torch.cat([last_hidden(self.model, ids, torch.ones_like(ids)) for ids in asked])
        return tuple(self._text(list(head.labels[n].ids)) for n in head(hidden).argmax(1).tolist())

    def _padded(self, prompts: list[list[int]]) -> tuple[Tensor, Tensor]:
        """Prompts padded on the left, so that all answers begin at the same place."""
        length = max(map(len, prompts))
        ids = [[0] * (length - len(prompt)) + prompt for prompt in prompts]
        mask = [[0] * (length - len(p)) + [1] * len(p) for p in prompts]
        device = next(self.model.parameters()).device
        return torch.tensor(ids, device=device), torch.tensor(mask, device=device)

    def _text(self, ids: list[int]) -> str:
        return self.tokenizer.decode(list(self._until_end(ids)))

    def _until_end(self, ids: list[int]) -> Iterator[int]:
        for token in ids:
            if token in self.tokenizer.end_ids:
                return
            yield token
