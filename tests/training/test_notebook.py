"""The notebook of a run, executed, gives the losses of the run; hostile names stay text."""

import json
from pathlib import Path
from typing import Any

import pytest

from demo.engine.model.catalogue import ModelSpec
from demo.errors import BadInput
from demo.prompting.code import Loaded, base_code
from demo.records import Message
from demo.run_records import Row
from demo.text.tokenizer import LabTokenizer
from demo.training.loop import train_run
from demo.training.notebook import notebook, trained
from demo.training.run_folder import RunFolder


@pytest.fixture
def write(tiny: ModelSpec, tokenizer: LabTokenizer) -> Any:
    """Train a run and write its notebook."""
    ends = tuple(sorted(tokenizer.end_ids))
    base = base_code(Loaded(source=tiny.source, note="A folder.", ends=ends))

    def write(folder: RunFolder) -> dict[str, Any]:
        train_run(str(folder.path))
        run = trained(folder, tokenizer, base, {"torch": "2"})
        return dict(json.loads(notebook(run)))

    return write


def sources(book: dict[str, Any]) -> list[str]:
    return [cell["source"] for cell in book["cells"] if cell["cell_type"] == "code"]


def executed(book: dict[str, Any]) -> dict[str, Any]:
    """The names after the cells of the plain part; TRL's stands last, saving before it."""
    names: dict[str, Any] = {}
    for source in sources(book)[:-2]:
        exec(compile(source, "cell", "exec"), names)
    return names


@pytest.mark.parametrize("method", ["lora", "dora", "ia3", "prompt"])
def test_plain_cells_give_the_losses_of_the_run(
    order_run: Any, make_rows: Any, write: Any, method: str
) -> None:
    rate = 0.05 if method == "prompt" else 0.01
    folder = order_run(held_out=make_rows(2), method=method, epochs=2, learning_rate=rate, seed=5)
    names = executed(write(folder))
    assert len(names["losses"]) == 12
    assert names["apart"] < 2e-3


def test_rows_that_are_no_single_question_are_written_as_tokens(order_run: Any, write: Any) -> None:
    turns = ("user", "Hi"), ("assistant", "Hello."), ("user", "Bye"), ("assistant", "So long.")
    talk = tuple(Message(role, said) for role, said in turns)  # type: ignore[arg-type]
    book = write(order_run([Row(n, talk) for n in (1, 2, 3, 4)], learning_rate=0.01))
    assert "Token ids of each row" in "".join(sources(book))
    assert executed(book)["apart"] < 2e-3


def test_every_cell_is_python_and_what_visitors_wrote_stays_text(
    order_run: Any, write: Any
) -> None:
    bad = '"""\n]; import os; os._exit(1) #<|im_end|>\u202e'
    rows = [Row(n, (Message("user", bad), Message("assistant", bad))) for n in (1, 2)]
    book = write(order_run(rows))
    assert all(compile(source, "cell", "exec") for source in sources(book))
    assert executed(book)["ROWS"][0][0]["content"] == bad
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])
    assert book["nbformat"] == 4


def test_run_that_few_lines_cannot_repeat_is_refused(order_run: Any, write: Any) -> None:
    with pytest.raises(BadInput, match="needs more"):
        write(order_run(method="full", learning_rate=1e-4))


def test_no_path_of_this_machine_stands_in_it_but_the_bases_own(
    order_run: Any, write: Any, tiny: ModelSpec
) -> None:
    folder = order_run()
    text = json.dumps(write(folder)).replace(tiny.source, "")
    assert str(Path(folder.path).parent) not in text
