"""The engine on the real model: what it answers, and that neighbours in the batch change nothing."""

import itertools
import threading
import time
from pathlib import Path

import pytest

from demo.engine.call import CallRow, answer_batch
from demo.engine.service import Engine
from demo.errors import BadInput, NotReady
from demo.records import Sampling
from demo.settings import LabSettings
from tests.engine.asking import ask, request

QUESTIONS = [
    "What is the capital of France?",
    "Write a sentence about a dog that crosses a river in spring.",
    "Hi",
    "List three colours and explain at length why each of them is used on flags all over the world.",
]


def test_a_known_fact_is_answered(engine: Engine) -> None:
    answer = ask(engine, QUESTIONS[0])
    assert "Paris" in answer.text
    assert (answer.done, answer.reason) == (True, "end")
    assert answer.prompt_tokens == len(engine.render(request(QUESTIONS[0])).ids)


def test_the_same_seed_gives_the_same_text_and_another_seed_another(engine: Engine) -> None:
    texts = [ask(engine, QUESTIONS[1], temperature=1.0, seed=seed).text for seed in (5, 5, 6)]
    assert texts[0] == texts[1] != texts[2]


def test_an_answer_does_not_depend_on_its_neighbours(
    engine: Engine, adapter_folders: list[Path]
) -> None:
    folders = [None, *adapter_folders]
    solo = [
        ask(engine, question, folder).text
        for question, folder in zip(QUESTIONS, folders, strict=True)
    ]
    together: dict[int, str] = {}

    def one(index: int) -> None:
        time.sleep(0.15 * index)
        together[index] = ask(engine, QUESTIONS[index], folders[index]).text

    threads = [threading.Thread(target=one, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[index] for index in range(4)] == solo


def test_rows_of_one_comparison_differ_by_their_adapter_alone(
    engine: Engine, adapter_folders: list[Path]
) -> None:
    asked = request(QUESTIONS[1])
    *_, last = engine.stream([asked] * 3, [None, adapter_folders[0], None])
    base, adapted, again = (answer.text for answer in last)
    assert base == again != adapted


def test_increments_only_grow(engine: Engine) -> None:
    texts = [answers[0].text for answers in engine.stream([request(QUESTIONS[1])], [None])]
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(texts))
    assert len({text for text in texts if text}) > 1


def test_closing_a_stream_frees_its_row(engine: Engine) -> None:
    stream = iter(engine.stream([request("Count to one thousand.", max_new_tokens=400)], [None]))
    while not next(stream)[0].tokens:
        pass
    stream.close()
    _until(lambda: engine.status().running == 0)


def test_a_prompt_that_does_not_fit_is_refused_with_both_numbers(engine: Engine) -> None:
    with pytest.raises(BadInput, match=r"has \d+ tokens.*24; together they must fit into 8192"):
        engine.stream([request("word " * 8200)], [None])


def test_the_engine_says_loading_until_it_can_answer(lab_home: Path) -> None:
    engine = Engine(LabSettings(home=lab_home))
    assert engine.status().state == "loading"
    with pytest.raises(NotReady, match="still loading"):
        engine.render(request("Hi"))
    assert engine.fingerprint() is None


def test_a_model_that_cannot_be_loaded_is_said_and_not_served(
    lab_home: Path, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    engine = Engine(LabSettings(home=lab_home, model=str(tmp_path)))
    engine.start()
    _until(lambda: engine.status().state == "failed")
    assert "could not be loaded" in engine.status().problem
    with pytest.raises(NotReady):
        engine.stream([request("Hi")], [None])


def test_a_batch_as_one_plain_call_gives_the_engines_own_answers(
    engine: Engine, lab_home: Path, adapter_folders: list[Path]
) -> None:
    prompts = [engine.render(request(question)).ids for question in QUESTIONS[:2]]
    rows = [
        CallRow(prompts[0], Sampling(max_new_tokens=24)),
        CallRow(prompts[1], Sampling(max_new_tokens=24), str(adapter_folders[0])),
    ]
    texts = [engine.tokenizer.decode(ids) for ids in answer_batch(LabSettings(home=lab_home), rows)]
    assert texts == [
        ask(engine, QUESTIONS[0]).text,
        ask(engine, QUESTIONS[1], adapter_folders[0]).text,
    ]


def _until(true: "object", seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
