"""The service layer: every limit holds for whoever asks, and visitors never see each other's things."""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from demo.errors import BadInput, Busy, LabError, NotFound
from demo.lab import LONGEST_TEXT, Lab
from demo.prompting.branches import Branch, Tree
from demo.records import AnswerRequest, Sampling, ScoreRequest, conversation
from demo.run_records import TrainSettings
from demo.settings import ROOT, LabSettings
from demo.training.shelf import drop_orphans

ROWS = "prompt,completion\n" + "".join(f"question {n},answer {n}\n" for n in range(12))


@pytest.fixture(scope="module")
def lab(own_home: Path) -> Iterator[Lab]:
    """A lab of its own that shares the converted model, with its queue of runs held still."""
    lab = Lab(LabSettings(home=own_home, runs_per_workspace=1, runs_waiting=5))
    lab.engine.start()
    lab.engine.wait_ready(240)
    yield lab
    lab.engine.close()


def question(text: str = "Hi", **fields: object) -> AnswerRequest:
    return AnswerRequest(conversation(text), sampling=Sampling(max_new_tokens=8), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "message is empty"),
        ("a\0b", "no text encoding allows"),
        ("a\ud800b", "no text encoding allows"),
        ("a" * (LONGEST_TEXT + 1), "the most is 40000"),
    ],
)
def test_a_message_that_cannot_be_tokenized_is_refused(lab: Lab, text: str, expected: str) -> None:
    with pytest.raises(BadInput, match=expected):
        next(lab.answer(question(text)))


def test_an_unknown_adapter_looks_like_a_foreign_one(lab: Lab) -> None:
    mine = lab.new_workspace()
    for name in ("nobody", "../restaurants", "0123456789abcdef", ""):
        with pytest.raises(NotFound):
            next(lab.answer(question(adapter=name, workspace=mine)))


def test_more_than_three_adapters_are_refused(lab: Lab) -> None:
    with pytest.raises(BadInput, match="4 adapters were chosen; the most is 3"):
        next(lab.compare(question(), ["base", "a", "b", "c", "d"]))


TABLE = "name[The Eagle], food[Italian], area[riverside]"


def text_of(lab: Lab, adapter: str, **fields: object) -> str:
    *_, answer = lab.answer(question(TABLE, adapter=adapter, **fields))
    assert answer.done
    return answer.text


def test_an_adapter_speaks_at_any_strength_and_in_a_sum(lab: Lab) -> None:
    base, whole = text_of(lab, "base"), text_of(lab, "restaurants")
    assert base != whole
    assert text_of(lab, "restaurants@0") == base
    assert text_of(lab, "restaurants@1") == whole
    assert text_of(lab, "restaurants@0.5 + restaurants@0.5") == whole


@pytest.mark.parametrize(
    ("adapter", "expected"),
    [
        ("restaurants@2", "strength must be between -0.5 and 1.5; got '2'"),
        ("restaurants@much", "strength must be a number; got 'much'"),
        ("base@0.5", "the base model is part of every sum"),
        ("restaurants + base", "the base model is part of every sum"),
        ("restaurants+restaurants+restaurants", "a sum of two"),
    ],
)
def test_an_adapter_expression_out_of_bounds_is_refused(
    lab: Lab, adapter: str, expected: str
) -> None:
    with pytest.raises(BadInput, match=expected):
        next(lab.answer(question(adapter=adapter)))


def test_an_unknown_term_of_a_sum_looks_like_a_foreign_one(lab: Lab) -> None:
    for adapter in ("restaurants + 0123456789abcdef", "nobody@0.5"):
        with pytest.raises(NotFound):
            next(lab.answer(question(adapter=adapter, workspace=lab.new_workspace())))


def test_a_text_is_likelier_under_the_adapter_that_learned_its_kind(lab: Lab) -> None:
    said = "The Eagle is an Italian restaurant in the riverside area."
    base, adapted = (
        lab.score(ScoreRequest(conversation(TABLE), (said,), adapter=adapter))[0]
        for adapter in ("base", "restaurants")
    )
    assert base.count == adapted.count > 8
    assert adapted.mean_logprob > base.mean_logprob + 0.5


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"continuations": ("",)}, "continuations is empty"),
        ({"continuations": ("a\0",)}, "no text encoding allows"),
        ({"continuations": ()}, "continuations must be between 1 and 16"),
        ({"continuations": ("a",), "messages": ()}, "message is empty"),
        ({"continuations": ("word " * 7999,) * 2, "messages": conversation("a" * 9000)}, "8192"),
    ],
)
def test_a_score_beyond_its_bounds_is_refused(
    lab: Lab, fields: dict[str, object], expected: str
) -> None:
    with pytest.raises(BadInput, match=expected):
        lab.score(ScoreRequest(**{"messages": conversation("a"), **fields}))  # type: ignore[arg-type]


def test_alternatives_come_with_every_token_when_asked_for(lab: Lab) -> None:
    *_, answer = lab.answer(question(alternatives=3))
    assert [choice.rank for choice in answer.choices] == [1] * answer.tokens
    assert "".join(c.text for c in answer.choices).startswith(answer.text)
    with pytest.raises(BadInput, match="alternatives must be between 0 and 10"):
        question(alternatives=11)


def test_a_branch_at_the_token_that_was_said_anyway_continues_with_the_same_tokens(
    lab: Lab,
) -> None:
    asked = replace(question("What is photosynthesis?"), alternatives=5)
    *_, answer = lab.answer(asked)
    for place in (0, 4):
        root = Tree((Branch(answer.choices, reason=answer.reason),))
        tree = root.forked(0, place, answer.choices[place].id)
        left = replace(asked.sampling, max_new_tokens=answer.tokens - place - 1)
        *_, branch = lab.answer(replace(asked, begun=tree.begun(), sampling=left))
        said = [choice.id for choice in (*tree.path(1), *branch.choices)]
        assert said == [choice.id for choice in answer.choices]
        assert all(len(choice.alternatives) == 5 for choice in branch.choices)


def test_one_visitor_cannot_have_more_answers_under_way_than_allowed(lab: Lab) -> None:
    long = AnswerRequest(
        conversation("Count."), visitor="ada", sampling=Sampling(max_new_tokens=400)
    )
    with closing(lab.answer(long)) as first, closing(lab.answer(long)) as second:
        next(first)
        next(second)
        with pytest.raises(Busy, match="2 answers under way"):
            next(lab.answer(long))
        other = AnswerRequest(long.messages, visitor="grace", sampling=Sampling(max_new_tokens=4))
        *_, answer = lab.answer(other)
        assert answer.done
    *_, after = lab.answer(AnswerRequest(long.messages, visitor="ada", sampling=other.sampling))
    assert after.done


def test_visitors_never_reach_each_others_datasets_and_runs(lab: Lab) -> None:
    mine, yours = lab.new_workspace(), lab.new_workspace()
    dataset = lab.add_dataset(mine, "rows.csv", ROWS.encode())
    run = lab.start_run(mine, dataset.id, "mine", TrainSettings(max_steps=1))
    for reach in (
        lambda: lab.dataset(yours, dataset.id),
        lambda: lab.dataset("", dataset.id),
        lambda: lab.map_dataset(yours, dataset.id, "prompt", "completion"),
        lambda: lab.start_run(yours, dataset.id, "theft", TrainSettings()),
        lambda: lab.run(yours, run),
        lambda: lab.stop_run(yours, run),
        lambda: lab.delete_run(yours, run),
        lambda: lab.download(yours, run),
        lambda: lab.run(mine[:-1] + "x", run),
        lambda: lab.run("", run),
        lambda: next(lab.answer(question(adapter=run, workspace=yours))),
    ):
        with pytest.raises(NotFound):
            reach()
    assert lab.runs_of(yours) == []
    assert [state.id for state in lab.runs_of(mine)] == [run]
    lab.delete_workspace(mine)
    with pytest.raises(NotFound):
        lab.runs_of(mine)
    with pytest.raises(NotFound):
        next(lab.answer(question(workspace=mine)))


def test_a_deleted_workspace_takes_its_downloads_with_it(lab: Lab) -> None:
    mine = lab.new_workspace()
    dataset = lab.add_dataset(mine, "rows.csv", ROWS.encode()).id
    run = lab.start_run(mine, dataset, "Łódź\n1", TrainSettings())
    lab.stop_run(mine, run)
    shutil.copytree(ROOT / "adapters" / "restaurants", _run_folder(lab, mine, run) / "adapter")
    archive = lab.download(mine, run)
    assert archive.name == "lodz-1.zip"
    assert lab.download(mine, run) == archive
    drop_orphans(lab.workspaces.root, lab.settings.served)
    assert archive.exists()
    lab.delete_workspace(mine)
    assert not archive.exists()


def test_an_expired_workspace_takes_its_downloads_with_it(lab: Lab) -> None:
    mine = lab.new_workspace()
    folder = lab.workspaces.open(mine)
    download = lab.settings.served / "exports" / folder.name / "zip"
    download.parent.mkdir(parents=True)
    download.touch()
    os.utime(folder, (1, 1))
    lab.workspaces.expire()
    drop_orphans(lab.workspaces.root, lab.settings.served)
    assert not download.parent.exists()


def _run_folder(lab: Lab, workspace: str, run: str) -> Path:
    return lab.workspaces.open(workspace) / "runs" / run


def test_all_visitors_together_cannot_queue_more_runs_than_allowed(lab: Lab) -> None:
    crowd = [lab.new_workspace() for _ in range(6)]
    refused = []
    for workspace in crowd:
        try:
            lab.start_run(workspace, "sample:restaurants", "x", TrainSettings())
        except Busy as error:
            refused.append(str(error))
    assert refused
    assert refused[0].startswith("5 runs of all visitors are waiting")
    for workspace in crowd:
        lab.delete_workspace(workspace)


def test_a_second_waiting_run_is_refused_and_a_stopped_one_makes_room(lab: Lab) -> None:
    mine = lab.new_workspace()
    dataset = lab.add_dataset(mine, "rows.csv", ROWS.encode()).id
    first = lab.start_run(mine, dataset, "one", TrainSettings())
    with pytest.raises(Busy, match="1 runs waiting or running"):
        lab.start_run(mine, dataset, "two", TrainSettings(epochs=2))
    lab.stop_run(mine, first)
    assert lab.run(mine, first).status == "stopped"
    assert lab.start_run(mine, dataset, "two", TrainSettings(epochs=2)) != first


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"rank": 0}, "rank must be between 1 and 64; got 0"),
        ({"learning_rate": "fast"}, "learning_rate must be a number; got 'fast'"),
        ({"learning_rate": float("nan")}, "learning_rate must be between"),
        ({"epochs": 10**9}, "epochs must be between 1 and 50"),
        ({"method": "magic"}, "method must be one of lora"),
    ],
)
def test_a_setting_out_of_range_is_named_with_its_range(
    lab: Lab, settings: dict[str, object], expected: str
) -> None:
    mine = lab.new_workspace()
    dataset = lab.add_dataset(mine, "rows.csv", ROWS.encode()).id
    with pytest.raises(LabError, match=expected):
        lab.start_run(mine, dataset, "x", TrainSettings(**settings))  # type: ignore[arg-type]


def test_a_full_workspace_takes_no_more_files(lab: Lab) -> None:
    mine = lab.new_workspace()
    (lab.workspaces.open(mine) / "ballast").write_bytes(b"\0" * 301_000_000)
    with pytest.raises(Busy, match="holds 301 of 300 MB"):
        lab.add_dataset(mine, "rows.csv", ROWS.encode())
    lab.delete_workspace(mine)
