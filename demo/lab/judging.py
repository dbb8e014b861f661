"""Judging: who may have answers scored, on which questions, by which columns.

One visitor makes one board at a time, beside any answers. Knows no widget; what a board measures is
its own room's business.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from demo.checks import chosen
from demo.data.split import prompt_of, split
from demo.data.store import DatasetStore
from demo.engine.claims import Source
from demo.engine.expression import parse
from demo.engine.model.adapters import read_run
from demo.engine.service import Engine
from demo.errors import BadInput, LabError, NotFound
from demo.experiments.budget import require_room
from demo.experiments.line import Line
from demo.experiments.questions import Pose, Question, questions_of, shots_for
from demo.experiments.scoreboard import Seat, measured, scoreboard
from demo.judging_records import Column, JudgeRequest, Scoreboard
from demo.lab.lineage import lineage
from demo.lab.under_way import UnderWay, until
from demo.prompting.apart import parts_of
from demo.prompting.extract import RULES
from demo.prompting.library import PromptLibrary
from demo.records import AnswerRequest, Message
from demo.run_records import Row, TrainSettings
from demo.training.shelf import run_in
from demo.workspace import Workspaces

RUN = "run:"
"""Before a run's id: the rows that this run held out."""
KIND = "scoreboard"
SEAM = 4
"""Tokens: the end of an answer, and what may be cut otherwise where prompt and reference meet."""


@dataclass(frozen=True)
class Sheet:
    """What questions and solved rows are taken from."""

    name: str
    shown: tuple[Row, ...]
    """Rows that may stand in front of a question."""
    asked: tuple[Row, ...]


@dataclass(frozen=True)
class Shelves:
    """Where a board's questions, frames and adapters lie."""

    workspaces: Workspaces
    datasets: DatasetStore
    prompts: PromptLibrary
    adapter_folder: Callable[[str, str], Path]
    """Workspace and name of an adapter to its folder."""


class Judging:
    """Scoreboards of all visitors.

    Args:
        engine: answers and scores.
        shelves: what boards are made of.
        asked: who answers a request, once it is clear that the visitor may ask.
        under_way: the experiments of all visitors, of whatever kind.
    """

    def __init__(
        self,
        engine: Engine,
        shelves: Shelves,
        asked: Callable[[AnswerRequest], Source],
        under_way: UnderWay,
    ) -> None:
        self._engine = engine
        self._shelves = shelves
        self._asked = asked
        self._under_way = under_way
        self._line = Line()

    def scoreboard(self, request: JudgeRequest) -> Iterator[Scoreboard]:
        """Every column's answers and scores, as they become known.

        Closing the iterator leaves the board under way; `stop` ends it.

        Raises:
            BadInput: the set has no questions with answers, or the prompts do not fit.
            Busy: this visitor has an experiment under way, or too many others have.
            NotFound: the dataset, the run or an adapter is not there.
        """
        return self._under_way.begin(KIND, _who(request), self._scoreboard(request))

    def last(self, visitor: str) -> Iterator[Scoreboard] | None:
        """A visitor's last board, from now to its end."""
        return self._under_way.last(visitor, KIND)

    def stop(self, visitor: str) -> bool:
        """End a visitor's board with what it has; False where there is none."""
        return self._under_way.stop(visitor)

    def _scoreboard(self, request: JudgeRequest) -> Iterator[Scoreboard]:
        with self._under_way.place(_who(request)) as stopped:
            chosen("rule", request.rule, tuple(RULES))
            sheet = self._sheet(request)
            questions = questions_of(sheet.asked, request.questions)
            if not questions:
                raise BadInput("no_questions", file=sheet.name)
            seats = [self._seat(column, sheet, questions, request) for column in request.columns]
            self._require_room(request, seats, questions)
            learned = self._learned(request, questions)
            steps = scoreboard(self._engine, seats, questions, request, self._line)
            for board in until(stopped, steps):
                whole = measured(board) if board.stopped and board.n else board
                yield replace(whole, learned=learned)

    def _require_room(
        self, request: JudgeRequest, seats: Sequence[Seat], questions: tuple[Question, ...]
    ) -> None:
        """Each prompt is read twice: for its answer, and with its first reference behind it."""
        prompts = [[seat.pose.messages(question) for question in questions] for seat in seats]
        encode = self._engine.tokenizer.encode
        longest = max(len(encode(question.references[0])) for question in questions)
        after = max(request.max_new_tokens, longest + SEAM)
        most = max(len(seat.pose.shots) for seat in seats)
        require_room(self._engine.render, [*prompts, *prompts], after, most)

    def _seat(
        self, column: Column, sheet: Sheet, questions: tuple[Question, ...], request: JudgeRequest
    ) -> Seat:
        who = AnswerRequest((), column.adapter, request.workspace, _who(request))
        shots = shots_for(column, sheet.shown, questions, request.seed)
        if len(shots) < column.shots:
            low, got = column.shots + len(questions), len(shots) + len(questions)
            raise BadInput("labelled_few", file=sheet.name, got=got, low=low)
        parts = parts_of(self._shelves.prompts.get(request.prompt)) if request.prompt else None
        title = self._title(request.workspace, column.adapter)
        return Seat(column, self._asked(who), Pose(shots, column.steps, parts), title)

    def _title(self, workspace: str, adapter: str) -> str:
        """What people call an adapter, or a sum of two, at their strengths."""
        terms = []
        for term in parse(adapter):
            folder = self._shelves.adapter_folder(workspace, term.name)
            name = str(read_run(folder, term.name).get("name", term.name))
            terms.append(name if term.strength == 1 else f"{name} ({term.strength:.0%})")
        return " + ".join(terms)

    def _sheet(self, request: JudgeRequest) -> Sheet:
        """The rows of a run are parted already; of a dataset enough are kept to be shown."""
        folder = self._folder(request)
        if request.dataset.startswith(RUN):
            if folder is None:
                raise NotFound
            run = run_in(folder, request.dataset.removeprefix(RUN))
            return Sheet(run.order().name, run.train_rows(), run.eval_rows())
        info = self._shelves.datasets.info(folder, request.dataset)
        rows = self._shelves.datasets.rows(folder, request.dataset)
        shots = max(column.shots for column in request.columns)
        wanted = max(1, min(request.questions, len(rows) - shots))
        if not shots and request.questions >= len(rows):
            return Sheet(info.name, (), rows)
        # The split of a run with the same seed: what such a run held out is asked first.
        shown, asked = split(rows, wanted / max(1, len(rows)), request.seed)
        return Sheet(info.name, shown, asked)

    def _learned(self, request: JudgeRequest, questions: tuple[Question, ...]) -> int:
        """How many questions stood among rows that a column's adapter learned, as far as known."""
        names = {term.name for column in request.columns for term in parse(column.adapter)}
        known: set[tuple[Message, ...]] = set()
        for run in lineage(names, partial(self._shelves.adapter_folder, request.workspace)):
            with suppress(OSError, ValueError):  # Shipped, brought or deleted: no rows are here.
                known |= {prompt_of(row) for row in run.train_rows()}
        if not request.dataset.startswith(RUN):
            known |= self._recorded(request, names)
        return sum(question.messages in known for question in questions)

    def _recorded(self, request: JudgeRequest, names: set[str]) -> set[tuple[Message, ...]]:
        """What adapters without rows of their own learned of this very dataset: their records tell how.

        A split is the same wherever rows, share and seed are.
        """
        folder, datasets = self._folder(request), self._shelves.datasets
        info = datasets.info(folder, request.dataset)
        known: set[tuple[Message, ...]] = set()
        for name in names:
            with suppress(LabError, ValueError, TypeError, KeyError, AttributeError):
                record = read_run(self._shelves.adapter_folder(request.workspace, name), name)
                if record["dataset"]["sha256"] == info.sha256:
                    settings = TrainSettings.from_json(record["settings"])
                    rows = datasets.rows(folder, request.dataset)
                    learned, _ = split(rows, settings.eval_share, settings.seed, settings.rows)
                    known |= {prompt_of(row) for row in learned}
        return known

    def _folder(self, request: JudgeRequest) -> Path | None:
        return self._shelves.workspaces.open(request.workspace) if request.workspace else None


def _who(request: JudgeRequest) -> str:
    return request.visitor or request.workspace
