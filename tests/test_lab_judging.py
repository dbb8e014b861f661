"""Scoreboards of the real model: honest about what was asked, partial where stopped, one at a time."""

from collections import deque
from dataclasses import replace

import pytest

from demo.errors import BadInput, LabError, NotFound
from demo.experiments.questions import questions_of
from demo.judging_records import Column, JudgeRequest, Scoreboard
from demo.lab import Lab
from demo.records import ScoreRequest, conversation
from demo.run_records import TrainSettings
from demo.training.ordering import Wanted
from demo.training.run_folder import RunFolder
from demo.training.shelf import run_in

LABELLED = "prompt,completion\n" + "".join(
    f"Is {n} even?,{'yes' if n % 2 == 0 else 'no'}\n" for n in range(16)
)


def judged(lab: Lab, dataset: str, *columns: Column, **fields: object) -> Scoreboard:
    request = JudgeRequest(dataset, columns or (Column(),), **{"visitor": "v", **fields})  # type: ignore[arg-type]
    (board,) = deque(lab.judging.scoreboard(request), maxlen=1)
    return board


def test_every_column_answers_the_same_questions_and_is_compared_with_the_first(lab: Lab) -> None:
    columns = (Column(), Column("restaurants"), Column(shots=2))
    board = judged(lab, "sample:restaurants", *columns, questions=6, max_new_tokens=24)
    assert (board.n, board.done, board.stopped) == (6, True, False)
    # They are of the tenth that the shipped adapter's run held out.
    assert board.learned == 0
    assert board.asked == board.total == 2 * 3 * 6
    base, adapted, shots = board.columns
    assert [column.column for column in board.columns] == list(columns)
    for column in board.columns:
        assert {s.interval.n for s in column.scores.values()} == {6}
        assert len(column.scores["bleu"].rows) == len(column.lengths) == 6
    assert base.scores["f1"].against_first is None
    assert adapted.scores["f1"].against_first is not None
    assert adapted.scores["f1"].interval.value > base.scores["f1"].interval.value
    assert adapted.scores["perplexity"].interval.value < base.scores["perplexity"].interval.value
    assert shots.prompt_tokens > 2 * base.prompt_tokens


def test_the_same_board_twice_says_the_same(lab: Lab) -> None:
    first, second = (
        judged(lab, "sample:reviews", questions=4, max_new_tokens=8).columns[0] for _ in range(2)
    )
    assert first.answers == second.answers
    assert first.scores == second.scores


def test_a_set_of_labels_is_measured_by_them(lab: Lab) -> None:
    mine = lab.new_workspace()
    dataset = lab.add_dataset(mine, "even.csv", LABELLED.encode()).id
    board = judged(lab, dataset, Column(shots=4), workspace=mine, questions=8, max_new_tokens=4)
    assert board.labels == ("no", "yes")
    assert {"label_accuracy", "macro_f1"} <= set(board.columns[0].scores)


def test_one_row_gives_scores_without_intervals(lab: Lab) -> None:
    mine = lab.new_workspace()
    dataset = lab.add_dataset(mine, "one.csv", b"prompt,completion\nHi?,Hello\n").id
    board = judged(lab, dataset, Column(), Column("restaurants"), workspace=mine, max_new_tokens=4)
    for name, score in board.columns[1].scores.items():
        assert (score.interval.n, score.interval.low) == (1, None), name
        assert score.against_first is None or score.against_first.could_be_chance, name


def test_a_set_without_questions_is_refused_in_words(lab: Lab) -> None:
    mine = lab.new_workspace()
    dataset = lab.add_dataset(mine, "tale.txt", b"Once upon a time\n\nthere was a king.\n").id
    with pytest.raises(BadInput, match="no question with an answer"):
        judged(lab, dataset, workspace=mine)


def test_more_shots_than_rows_are_refused(lab: Lab) -> None:
    mine = lab.new_workspace()
    few = "".join(LABELLED.splitlines(keepends=True)[:5])
    dataset = lab.add_dataset(mine, "few.csv", few.encode()).id
    with pytest.raises(BadInput, match="need at least"):
        judged(lab, dataset, Column(shots=30), workspace=mine)


def test_a_stopped_board_is_a_smaller_one_that_says_so(lab: Lab) -> None:
    request = JudgeRequest("sample:restaurants", (Column(), Column("restaurants")), visitor="v")
    boards = lab.judging.scoreboard(request)
    board = next(board for board in boards if board.n)
    assert lab.judging.stop("v")
    (board,) = deque(boards, maxlen=1)
    assert board.stopped
    assert board.done
    assert 0 < board.n < 48
    assert len({len(column.answers) for column in board.columns}) == 1
    assert {s.interval.n for c in board.columns for s in c.scores.values()} == {board.n}


def test_a_reference_that_will_not_fit_is_refused_before_anything_is_asked(lab: Lab) -> None:
    mine = lab.new_workspace()
    digits = f"prompt,completion\n{'1' * 7600},{'2' * 1900}\n"  # Each is a token.
    dataset = lab.add_dataset(mine, "long.csv", digits.encode()).id
    request = JudgeRequest(dataset, (Column(),), workspace=mine, visitor=mine, max_new_tokens=4)
    with pytest.raises(BadInput, match="the answer included"):
        next(lab.judging.scoreboard(request))


def test_a_board_ends_with_its_workspace(lab: Lab) -> None:
    mine = lab.new_workspace()
    request = JudgeRequest("sample:restaurants", (Column(),), workspace=mine, visitor=mine)
    boards = lab.judging.scoreboard(request)
    next(boards)
    lab.delete_workspace(mine)
    assert lab.judging.last(mine) is None
    (board,) = deque(boards, maxlen=1)
    assert board.stopped


def test_a_run_s_held_out_rows_are_asked_and_learned_ones_are_told(lab: Lab) -> None:
    mine = lab.new_workspace()
    run = trained(lab, mine)
    held_out = [row.messages[0].content for row in run.eval_rows()]
    board = judged(lab, f"run:{run.path.name}", workspace=mine, max_new_tokens=4)
    assert list(board.questions) == held_out
    assert board.learned == 0
    learned = judged(
        lab,
        run.order().dataset["id"],
        Column(run.path.name),
        workspace=mine,
        questions=16,
        max_new_tokens=4,
    )
    assert learned.learned == 16 - len(held_out)


def trained(lab: Lab, workspace: str) -> RunFolder:
    """A run whose adapter is the shipped one: what it answers does not matter here."""
    dataset = lab.add_dataset(workspace, "even.csv", LABELLED.encode())
    folder = lab.workspaces.open(workspace)
    rows = lab.datasets.rows(folder, dataset.id)
    wanted = Wanted("Even", dataset, rows, TrainSettings(eval_share=0.25))
    order = lab.runs.enqueue(folder, [wanted])[0]
    run = run_in(folder, order.id)
    run.change_state(status="finished")
    (run.path / "adapter").symlink_to(lab._adapter_folder("", "restaurants"))
    return run


@pytest.mark.parametrize(
    "dataset", ["run:0123456789abcdef", "nothing", "sample:nothing", "run:../../etc"]
)
def test_what_is_not_there_looks_alike(lab: Lab, dataset: str) -> None:
    for workspace in ("", lab.new_workspace()):
        with pytest.raises(NotFound):
            judged(lab, dataset, workspace=workspace)


def test_another_visitor_s_run_looks_like_none(lab: Lab) -> None:
    run = trained(lab, lab.new_workspace())
    with pytest.raises(NotFound):
        judged(lab, f"run:{run.path.name}", workspace=lab.new_workspace())


@pytest.mark.parametrize(
    "fields", [{"questions": 0}, {"questions": 201}, {"max_new_tokens": 0}, {"rule": "eval"}]
)
def test_what_is_out_of_range_is_refused(lab: Lab, fields: dict[str, object]) -> None:
    with pytest.raises(LabError):
        judged(lab, "sample:reviews", **fields)


def test_five_columns_are_too_many() -> None:
    with pytest.raises(BadInput, match="columns"):
        JudgeRequest("sample:reviews", (Column(),) * 5)


def test_a_prompt_file_frames_every_question(lab: Lab) -> None:
    name = next(p.name for p in lab.prompts.all() if p.completion)
    board = judged(lab, "sample:reviews", prompt=name, questions=3, max_new_tokens=4)
    assert (
        board.columns[0].prompt_tokens
        > judged(lab, "sample:reviews", questions=3, max_new_tokens=4).columns[0].prompt_tokens
        * 0.2
    )
    assert board.columns[0].scores["perplexity"].interval.n == 3


def test_an_x_ray_shows_what_an_adapter_changed_and_at_strength_0_nothing_to_the_bit(
    lab: Lab,
) -> None:
    question = conversation("name[The Mill], eatType[pub], food[Thai], area[riverside]")
    text = "The Mill is a pub that serves Thai food by the riverside."
    found = lab.xray(ScoreRequest(question, (text,), "restaurants"))
    assert "".join(token.base.text for token in found.tokens) == text
    assert found.change > 5
    assert not found.unchanged
    assert all(len(token.adapted.alternatives) == 5 for token in found.tokens)
    assert lab.xray(ScoreRequest(question, (text,), "restaurants@0")).unchanged


def test_what_a_shipped_adapter_learned_is_told_by_its_record(lab: Lab) -> None:
    rows = lab.datasets.rows(None, "sample:restaurants")
    request = JudgeRequest("sample:restaurants", (Column("restaurants"),), questions=200)
    every = questions_of(rows, 200)
    learned = lab.judging._learned(request, every)
    assert 0.85 * len(every) < learned < len(every)
    other = replace(request, columns=(Column("worked-steps"),))
    assert lab.judging._learned(other, every) == 0
