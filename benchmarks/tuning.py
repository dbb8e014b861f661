"""What training costs and what it is worth: against TRL, against full tuning, every method, beside chats.

`python -m benchmarks.tuning [PART ...]` with parts `trl`, `full`, `methods`, `chat`; all of them without.
With `--write` the table of methods is kept where the page reads it.
Every run is a process of its own, so that its peak memory is its own. Rows are those of the sample
`restaurants` (E2E NLG); answers are scored as in `quick_tune`.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.runs import SAMPLES, machine, open_base, report, sample, train
from benchmarks.trainers import Peer
from benchmarks.worker_share import WorkerShare
from demo.engine.service import Engine
from demo.evaluation.bleu import bleu
from demo.evaluation.labels import label_said
from demo.methods import METHODS, good_settings, measured
from demo.methods.facts import base_facts
from demo.records import AnswerRequest, Message, Sampling
from demo.run_records import TrainSettings
from demo.settings import ROOT, LabSettings
from demo.workspace import read_json

ROUNDS = 3
STEPS = 20
BATCH, SMALL_BATCH = 8, 4
SECONDS = 60.0
"""Of training for every method of the table."""
CHATS, CHAT_TOKENS = 8, 64
MAX_NEW_TOKENS = 80
LABELLED, LABELLED_SHARE = "topics", 0.25
"""What a classifier learns, and the part of it that it is asked."""
WRITE = "--write"


def main(*parts: str) -> None:
    """Measure what was asked for, print it, and print the same as JSON."""
    figures: dict[str, Any] = {}
    wanted = [part for part in parts if part != WRITE] or list(PARTS)
    for name, part in PARTS.items():
        if name in wanted:
            figures |= part()
    if WRITE in parts and "methods" in figures:
        measured.keep(_measurement(figures["methods"]))
    report({**figures, "machine": machine()})


def against_trl() -> dict[str, Any]:
    """The same LoRA on the same rows for the same steps, in turns; loss on rows that neither learned."""
    found: dict[str, list[dict[str, float]]] = {"lab": [], "trl": []}
    for number in range(ROUNDS):
        for who in sorted(found, reverse=number % 2 == 1):
            found[who].append(_child(Peer(who, "lora", BATCH, STEPS)))
    pairs = list(zip(found["lab"], found["trl"], strict=True))
    return {
        "lab_tokens_per_second": _median(found["lab"], "tokens_per_second"),
        "trl_tokens_per_second": _median(found["trl"], "tokens_per_second"),
        "tokens_per_second_vs_trl": _ratio(pairs, "tokens_per_second"),
        "loss_vs_trl": _ratio(pairs, "loss"),
    }


def against_full() -> dict[str, Any]:
    """LoRA beside full tuning: speed, peak memory above the empty process, and file."""
    found: dict[str, list[dict[str, float]]] = {"lora": [], "full": []}
    for number in range(ROUNDS):
        for method in sorted(found, reverse=number % 2 == 1):
            found[method].append(_child(Peer("lab", method, SMALL_BATCH, STEPS)))
    pairs = list(zip(found["lora"], found["full"], strict=True))
    return {
        "lora_vs_full_speed": _ratio(pairs, "tokens_per_second"),
        "lora_vs_full_memory": _ratio(pairs, "megabytes"),
        "lora_vs_full_file": _ratio(pairs, "file_bytes"),
    }


def every_method() -> dict[str, Any]:
    """A minute of each method, and BLEU of its answers on restaurants that it never saw."""
    with _engine() as engine, tempfile.TemporaryDirectory() as folder:
        table = {"base": {"bleu": _score(engine, None), "seconds": 0.0, "trainable": 0}}
        for name in METHODS:
            measure = _method if METHODS[name].objective == "tokens" else _classifier
            table[name] = measure(engine, name, Path(folder))
            print(name, table[name], flush=True)
    return {"methods": table}


def _measurement(table: dict[str, Any]) -> measured.Measurement:
    """The table with all that is told beside it."""
    spec, place = open_base().spec, machine()
    reached = measured.reached_in(table)
    base = reached.pop("base").bleu
    return measured.Measurement(
        methods=reached,
        base=base,
        parameters=base_facts(spec.source, spec.revision or "").count,
        cpu=place["cpu"],
        cores=place["threads"],
        date=datetime.now(UTC).date().isoformat(),
        command=f"python -m benchmarks.tuning methods {WRITE}",
    )


def _method(engine: Engine, name: str, folder: Path) -> dict[str, Any]:
    """Train for about `SECONDS`: a few steps first tell how many fit."""
    base, rows = open_base(), sample("restaurants")
    settings = good_settings(name, eval_share=0.0, epochs=20, max_steps=6)
    paced = read_json(train(base, name, rows, settings, folder).adapter / "run.json")
    steps = max(6, round(6 * SECONDS / paced["seconds"]))
    run = train(base, name, rows, replace(settings, max_steps=min(steps, 5000)), folder)
    record = read_json(run.adapter / "run.json")
    kept = (run.adapter / "adapter_model.safetensors").is_file()
    return {
        "bleu": _score(engine, run.adapter) if kept else None,
        "seconds": record["seconds"],
        "trainable": record["trainable"],
        "loss": round(statistics.mean(record["losses"][-5:]), 3),
    }


def _classifier(engine: Engine, name: str, folder: Path) -> dict[str, Any]:
    """A method that answers with labels only, scored by the share of right ones on held-out rows."""
    settings = good_settings(name, eval_share=LABELLED_SHARE, epochs=16)
    run = train(open_base(), name, sample(LABELLED), settings, folder)
    record, rows = read_json(run.adapter / "run.json"), run.eval_rows()
    questions = [row.messages[:-1] for row in rows]
    right = {
        who: [
            label_said(said, [row.messages[-1].content]) != ""
            for said, row in zip(_answers(engine, questions, adapter), rows, strict=True)
        ]
        for who, adapter in (("base", None), ("adapted", run.adapter))
    }
    return {
        "bleu": None,
        "labels_right": round(100 * statistics.mean(right["adapted"]), 1),
        "labels_right_of_base": round(100 * statistics.mean(right["base"]), 1),
        "n": len(rows),
        "seconds": record["seconds"],
        "trainable": record["trainable"],
    }


def beside_chats() -> dict[str, Any]:
    """Eight chats alone, a run alone, and both at once."""
    with _engine() as engine, tempfile.TemporaryDirectory() as folder:
        base, rows = open_base(), sample("restaurants")
        settings = TrainSettings(eval_share=0.0, max_steps=STEPS)
        chats_alone = _chatting(engine, lambda passed: passed > SECONDS / 3)
        run = train(base, "alone", rows, settings, Path(folder))
        alone = read_json(run.adapter / "run.json")["seconds"]
        done = threading.Event()
        speeds: list[float] = []
        chats = threading.Thread(
            target=lambda: speeds.append(_chatting(engine, lambda _: done.is_set()))
        )
        chats.start()
        with WorkerShare(Path(folder) / "beside").watching() as worker:
            run = train(base, "beside", rows, settings, Path(folder) / "beside")
        done.set()
        chats.join()
        beside = read_json(run.adapter / "run.json")["seconds"]
    return {
        "chat_tokens_per_second": round(chats_alone, 1),
        "chat_share_while_training": round(speeds[0] / chats_alone, 3),
        "training_slowdown": round(beside / alone, 2),
        "worker_cpu_share": None if worker.share is None else round(worker.share, 3),
    }


def _chatting(engine: Engine, ended: Callable[[float], bool]) -> float:
    """Tokens per second of eight chats that ask one question after the other."""
    begun, tokens = time.monotonic(), [0] * CHATS

    def chat(number: int) -> None:
        asked = 0
        while not ended(time.monotonic() - begun):
            asked += 1
            question = Message("user", f"Tell me story {asked} of visitor {number}.")
            request = AnswerRequest(
                (question,),
                sampling=Sampling(max_new_tokens=CHAT_TOKENS, temperature=1.0, seed=asked),
                visitor=str(number),
            )
            *_, last = engine.stream([request], [[]])
            tokens[number] += last[0].tokens

    threads = [threading.Thread(target=chat, args=(number,)) for number in range(CHATS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(tokens) / (time.monotonic() - begun)


def _score(engine: Engine, adapter: Path | None) -> float:
    """BLEU of greedy answers to 48 lists of facts, against all references."""
    lines = (SAMPLES / "restaurants" / "scoring.jsonl").read_text("utf-8").splitlines()
    scoring = [json.loads(line) for line in lines]
    questions = [(Message("user", line["prompt"]),) for line in scoring]
    answers = _answers(engine, questions, adapter)
    return round(bleu(answers, [line["references"] for line in scoring]), 1)


def _answers(
    engine: Engine, questions: Sequence[tuple[Message, ...]], adapter: Path | None
) -> list[str]:
    """Greedy answers, one after the other."""
    terms = [] if adapter is None else [(adapter, 1.0)]
    sampling = Sampling(max_new_tokens=MAX_NEW_TOKENS)
    answers = []
    for question in questions:
        *_, last = engine.stream([AnswerRequest(question, sampling=sampling)], [terms])
        answers.append(last[0].text.strip())
    return answers


@contextmanager
def _engine() -> Iterator[Engine]:
    engine = Engine(LabSettings.read())
    engine.start()
    try:
        engine.wait_ready(300)
        yield engine
    finally:
        engine.close()


def _child(peer: Peer) -> dict[str, float]:
    """One training in a process of its own; its last line is JSON."""
    command = [sys.executable, "-m", "benchmarks.trainers", *peer.arguments()]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _ratio(pairs: list[tuple[dict[str, float], dict[str, float]]], name: str) -> float:
    return round(statistics.median(a[name] / b[name] for a, b in pairs), 3)


def _median(found: list[dict[str, float]], name: str) -> float:
    return round(statistics.median(one[name] for one in found), 1)


PARTS = {
    "trl": against_trl,
    "full": against_full,
    "methods": every_method,
    "chat": beside_chats,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
