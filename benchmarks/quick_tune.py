"""How long a stranger waits for an own adapter, and what it is worth: LoRA on 200 restaurant sentences.

One epoch, learning rate 1e-3, batch 8, rank 8, no rows held out; BLEU on 48 lists of facts about five
restaurants whose names are not in the training rows. `seconds` runs from the first step to the saved
adapter; start-up is apart.
"""

import json
import tempfile
import time
from pathlib import Path

from benchmarks.runs import SAMPLES, answer, machine, open_base, report, sample, train
from demo.evaluation.bleu import bleu, single_bleu
from demo.run_records import TrainSettings
from demo.workspace import read_json

SETTINGS = TrainSettings(rank=8, learning_rate=1e-3, epochs=1, batch_size=8, eval_share=0.0, seed=0)
MAX_NEW_TOKENS = 80


def main() -> None:
    """Train, answer, score, print."""
    base = open_base()
    with tempfile.TemporaryDirectory() as runs:
        begun = time.monotonic()
        folder = train(base, "Quick tune", sample("restaurants"), SETTINGS, Path(runs))
        whole = time.monotonic() - begun
        run = read_json(folder.adapter / "run.json")
        size = (folder.adapter / "adapter_model.safetensors").stat().st_size
        lines = (SAMPLES / "restaurants" / "scoring.jsonl").read_text("utf-8").splitlines()
        scoring = [json.loads(line) for line in lines]
        prompts = [line["prompt"] for line in scoring]
        answers = answer(base, folder.adapter, prompts, MAX_NEW_TOKENS)
    references = [line["references"] for line in scoring]
    report(
        {
            "seconds": run["seconds"],
            "start_seconds": round(whole - run["seconds"], 1),
            "tokens_per_second": run["tokens_per_second"],
            "trainable": run["trainable"],
            "adapter_bytes": size,
            "bleu_base": round(bleu(answers.base, references), 1),
            "bleu_adapted": round(bleu(answers.adapted, references), 1),
            "single_bleu_base": round(single_bleu(answers.base, references), 1),
            "single_bleu_adapted": round(single_bleu(answers.adapted, references), 1),
            "rows": run["rows"],
            "scored": len(scoring),
            "machine": machine(),
        }
    )


if __name__ == "__main__":
    main()
