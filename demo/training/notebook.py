"""A run as a notebook: the same rows, order, adapter and steps in plain transformers and PEFT, and in TRL.

Writes cells and runs nothing. Rows stand in it as they were learned; where they are no plain questions
and answers, as the tokens that they became. Knows no model: how the base is loaded it is told.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pprint import pformat
from typing import Any

from demo.data.encode import encode_for
from demo.errors import BadInput
from demo.run_records import Row, TrainSettings
from demo.text.template import Sequence as Tokens
from demo.text.tokenizer import LabTokenizer
from demo.training.batches import whole_order
from demo.training.run_folder import RunFolder
from demo.training.schedule import WARM_UP_SHARE, total_steps
from demo.workspace import read_json

CONFIGS = {
    "lora": "LoraConfig",
    "qlora": "LoraConfig",
    "dora": "LoraConfig",
    "rslora": "LoraConfig",
    "ia3": "IA3Config",
    "layer_norm": "LNTuningConfig",
    "shira": "ShiraConfig",
    "prompt": "PromptTuningConfig",
    "p_tuning": "PromptEncoderConfig",
}
"""Methods that PEFT builds from a config alone."""
INSTEAD = "Run this instead of the loop, in a fresh kernel after the cells before it."
UNTOLD = {"peft_type", "peft_version", "base_model_name_or_path", "inference_mode", "auto_mapping"}
"""What a saved config says of its file, and not of the method."""


@dataclass(frozen=True)
class Trained:
    """What a notebook is written from."""

    name: str
    settings: TrainSettings
    rows: tuple[Row, ...]
    """Those that were learned."""
    sequences: tuple[Tokens, ...]
    """The same in tokens."""
    config: Mapping[str, Any]
    """`adapter_config.json` of what came out."""
    losses: tuple[float, ...]
    parent: bool
    """Whether it began with another run's weights, which a notebook does not have."""
    base_imports: str
    base_lines: str
    """After which `model` and `tokenizer` stand for the base model."""
    versions: Mapping[str, str]


def trained(
    folder: RunFolder, tokenizer: LabTokenizer, base: tuple[str, str], versions: Mapping[str, str]
) -> Trained:
    """What a notebook is written from, as a run's folder tells it.

    Args:
        folder: of a run that has an adapter.
        tokenizer: of the base model.
        base: imports, and the lines that load the base model.
        versions: of the libraries that trained it.
    """
    order, rows = folder.order(), folder.train_rows()
    return Trained(
        name=order.name,
        settings=order.settings,
        rows=rows,
        sequences=encode_for(tokenizer, rows, order.settings).sequences,
        config=read_json(folder.adapter / "adapter_config.json"),
        losses=tuple(read_json(folder.adapter / "run.json")["losses"]),
        parent=bool(order.parent),
        base_imports=base[0],
        base_lines=base[1],
        versions=versions,
    )


def notebook(run: Trained) -> str:
    """The file's content, notebook format 4.

    Raises:
        BadInput: this method is built by more than a config, or the run began with another one's weights.
    """
    if run.settings.method not in CONFIGS:
        raise BadInput("notebook_method", method=run.settings.method)
    if run.parent:
        raise BadInput("notebook_parent")
    cells = [
        ("markdown", _introduction(run)),
        ("code", _imports(run)),
        ("code", run.base_lines),
        ("code", _data(run)),
        ("code", _adapter(run)),
        ("code", _loop(run)),
        ("code", _comparison(run)),
        ("code", 'model.save_pretrained("my-adapter")'),
        ("markdown", f"## The same with TRL\n\n{INSTEAD}"),
        ("code", _trl(run)),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    whole = [_cell(number, *cell) for number, cell in enumerate(cells, 1)]
    shown = {"cells": whole, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(shown, ensure_ascii=False, indent=1)


def _cell(number: int, kind: str, content: str) -> dict[str, Any]:
    cell = {"cell_type": kind, "metadata": {}, "source": content, "id": f"cell-{number}"}
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _introduction(run: Trained) -> str:
    wanted = " ".join(f'"{name}=={number}"' for name, number in run.versions.items())
    name = " ".join(run.name.split()).translate({ord(c): f"\\{c}" for c in "\\`*_[]<>#|"})
    return (
        f"# {name}\n\nThe run of the Adaptation Lab, outside of it: the same rows in the same order, the"
        " same adapter, the same steps. Losses agree to about the third digit; the lab skips work that"
        f" does not change them.\n\n`pip install {wanted} safetensors accelerate`"
    )


def _imports(run: Trained) -> str:
    kind = CONFIGS[run.settings.method]
    return "\n".join([run.base_imports, f"from peft import {kind}, get_peft_model"])


def _data(run: Trained) -> str:
    settings = run.settings
    lengths = [len(sequence.ids) for sequence in run.sequences]
    steps = total_steps(len(run.sequences), settings)
    order = whole_order(lengths, settings.batch_size, settings.seed, settings.epochs, steps)
    drawn = f"# Which rows each step reads, as the lab drew them.\nORDER = {json.dumps(order)}"
    return "\n\n".join([_plain(run) if _is_plain(run) else _tokens(run), drawn])


def _is_plain(run: Trained) -> bool:
    """Whether every row is messages with one answer at the end, written in the model's own template."""
    own = run.settings.template == "own" and run.settings.train_end
    single = all(
        not row.raw and [m.role for m in row.messages].count("assistant") == 1 for row in run.rows
    )
    return own and single and len(run.rows) == len(run.sequences)


def _plain(run: Trained) -> str:
    rows = [[{"role": m.role, "content": m.content} for m in row.messages] for row in run.rows]
    # Python reads this JSON as a literal: it holds lists, dicts and strings only.
    shown = json.dumps(rows, ensure_ascii=True, indent=1)
    return f'''ROWS = {shown}


def encode(messages):
    """Token ids, and which of them are learned: the answer and the token that ends it."""
    def written(turns, answer):
        return tokenizer.apply_chat_template(
            turns, add_generation_prompt=answer, sanitize_control_tokens=True, return_dict=False
        )

    prompt, whole = written(messages[:-1], True), written(messages, False)
    rest = whole[len(prompt) :]
    end = next(i for i, token in enumerate(rest) if token in ENDS) + 1
    return prompt + rest[:end], [False] * len(prompt) + [True] * end


ENDS = set(model.generation_config.eos_token_id)
sequences = [encode(messages) for messages in ROWS]'''


def _tokens(run: Trained) -> str:
    shown = [[list(s.ids), [int(flag) for flag in s.trained]] for s in run.sequences]
    return f"""# Token ids of each row, and 1 where the token is learned.
ROWS = {json.dumps(shown)}
sequences = [(ids, [bool(flag) for flag in learned]) for ids, learned in ROWS]"""


def _adapter(run: Trained) -> str:
    config = {
        name: value
        for name, value in run.config.items()
        if value is not None and value != {} and name not in UNTOLD
    }
    shown = pformat(config, width=88, sort_dicts=True)
    return f"""torch.manual_seed({run.settings.seed})
CONFIG = {shown}
model = get_peft_model(model, {CONFIGS[run.settings.method]}(**CONFIG))
model.print_trainable_parameters()"""


def _loop(run: Trained) -> str:
    s = run.settings
    return f"""WARM = max(1, round(len(ORDER) * {WARM_UP_SHARE}))
weights = [weight for weight in model.parameters() if weight.requires_grad]
optimizer = torch.optim.AdamW(weights, weight_decay=0.0)
losses = []
model.train()
for step, batch in enumerate(ORDER, 1):
    torch.manual_seed({s.seed} * 1_000_003 + step)
    longest = max(len(sequences[i][0]) for i in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, -100)
    for row, i in enumerate(batch):
        tokens, learned = (torch.tensor(part) for part in sequences[i])
        ids[row, : len(tokens)], mask[row, : len(tokens)] = tokens, 1
        labels[row, : len(tokens)] = torch.where(learned, tokens, -100)
    ids, mask, labels = (part.to(model.device) for part in (ids, mask, labels))
    loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(weights, 1.0)
    falling = (len(ORDER) - step + 1) / (len(ORDER) - WARM + 1)
    for group in optimizer.param_groups:
        group["lr"] = {s.learning_rate!r} * (step / WARM if step <= WARM else falling)
    optimizer.step()
    losses.append(loss.item())
    print(step, "of", len(ORDER), round(losses[-1], 4))"""


def _comparison(run: Trained) -> str:
    return f"""LAB = {[round(loss, 4) for loss in run.losses]}
apart = max(abs(a - b) for a, b in zip(losses, LAB))
print(f"largest difference to the lab's losses: {{apart:.4f}}")"""


def _trl(run: Trained) -> str:
    s, chats = run.settings, _is_plain(run)
    rows = (
        '[{"prompt": messages[:-1], "completion": messages[-1:]} for messages in ROWS]'
        if chats
        else '[{"input_ids": ids, "completion_mask": [int(x) for x in on]} for ids, on in sequences]'
    )
    return f"""# pip install trl datasets
from datasets import Dataset
from trl import SFTConfig, SFTTrainer

trainer = SFTTrainer(
    model=model,  # the base with the adapter in it, fresh
    processing_class=tokenizer,
    train_dataset=Dataset.from_list({rows}),
    args=SFTConfig(
        output_dir="my-run",
        per_device_train_batch_size={s.batch_size},
        num_train_epochs={s.epochs},
        max_steps={s.max_steps or -1},
        max_length={s.max_length},
        learning_rate={s.learning_rate!r},
        lr_scheduler_type="linear",
        warmup_steps=WARM,
        weight_decay=0.0,
        completion_only_loss=True,
        # Its defaults, mixed precision and recomputed activations, are slower on a CPU.
        bf16=False,
        gradient_checkpointing=False,
        seed={s.seed},
        report_to="none",
    ),
)
trainer.train()"""
