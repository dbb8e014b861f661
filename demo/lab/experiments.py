"""Experiments on prompts: who may make one, with what, and how it is stopped.

One visitor makes one at a time, beside any answers; it goes on when its page is reloaded. Knows no
widget; what an experiment does is its own room's business.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from demo.checks import chosen
from demo.data.store import DatasetStore
from demo.engine.claims import Source
from demo.engine.service import Engine
from demo.experiment_records import Search, SearchRequest, Sensitivity, SensitivityRequest
from demo.experiments.budget import require_room
from demo.experiments.chains import CHAIN_TOKENS, chains, problems, rungs_of
from demo.experiments.classify import Asker
from demo.experiments.labelled import labelled, wordings_of
from demo.experiments.proposals import instruction_prompt
from demo.experiments.search import INSTRUCTION_TOKENS, asked_with, examples_of, instructions
from demo.experiments.sensitivity import plans, sensitivity
from demo.lab.under_way import UnderWay, until
from demo.records import ScoreRequest
from demo.run_records import Row
from demo.workspace import Workspaces

LABEL_TOKENS = 32
"""The longest label, at most."""


@dataclass(frozen=True)
class Table:
    """A dataset by its name for people, and its rows."""

    name: str
    rows: tuple[Row, ...]


class Experiments:
    """Experiments of all visitors.

    Args:
        engine: answers and scores.
        workspaces: open to whoever holds a capability.
        datasets: samples and uploads.
        asked: who answers a request, once it is clear that the visitor may ask.
        under_way: the experiments of all visitors, of whatever kind.
    """

    def __init__(
        self,
        engine: Engine,
        workspaces: Workspaces,
        datasets: DatasetStore,
        asked: Callable[[ScoreRequest], Source],
        under_way: UnderWay,
    ) -> None:
        self._engine = engine
        self._workspaces = workspaces
        self._datasets = datasets
        self._asked = asked
        self._under_way = under_way

    def sensitivity(self, request: SensitivityRequest) -> Iterator[Sensitivity]:
        """Accuracy over orders, wordings, random labels and no shots, as it becomes known.

        Closing the iterator leaves the experiment under way; `stop` ends it.

        Raises:
            BadInput: the set or a wording cannot be used, or the prompts do not fit.
            Busy: this visitor has an experiment under way, or too many others have.
            NotFound: the dataset or the adapter is not there.
        """
        return self._under_way.begin("sensitivity", _who(request), self._sensitivity(request))

    def _sensitivity(self, request: SensitivityRequest) -> Iterator[Sensitivity]:
        with self._under_way.place(_who(request)) as stopped:
            asker = self._asker(request)
            table = self._table(request)
            rows = labelled(table.name, table.rows, request.shots, request.questions, request.seed)
            wordings = wordings_of(request.dataset, rows.labels, request.wordings)
            variants = plans(request, rows, wordings)
            prompts = [[plan.prompt(q.input) for q in rows.questions] for plan in variants]
            require_room(self._engine.render, prompts, LABEL_TOKENS, request.shots)
            yield from until(stopped, sensitivity(asker, rows, variants))

    def search(self, request: SearchRequest) -> Iterator[Search]:
        """What the model writes as its own prompt, and how well that does, as it becomes known.

        Raises:
            BadInput: the set cannot be used, or the prompts do not fit.
            Busy: this visitor has an experiment under way, or too many others have.
            NotFound: the dataset or the adapter is not there.
        """
        return self._under_way.begin("search", _who(request), self._search(request))

    def under_way(self, visitor: str, kind: str) -> Iterator[Any] | None:
        """What a visitor's last experiment of this kind has found, from now to its end."""
        return self._under_way.last(visitor, kind)

    def _search(self, request: SearchRequest) -> Iterator[Search]:
        begin = {"instructions": self._instructions, "chains": self._chains}
        chosen("kind", request.kind, tuple(begin))
        with self._under_way.place(_who(request)) as stopped:
            table, asker = self._table(request), self._asker(request)
            yield from until(stopped, begin[request.kind](request, table, asker))

    def _instructions(self, request: SearchRequest, table: Table, asker: Asker) -> Iterator[Search]:
        rows = labelled(
            table.name, table.rows, request.examples, 2 * request.questions, request.seed
        )
        given = wordings_of(request.dataset, rows.labels)[0]
        asked = [asked_with(given, question) for question in rows.questions]
        proposing = instruction_prompt(examples_of(request, rows))
        prompts = [[proposing], *[asked] * (2 + request.candidates)]
        require_room(self._engine.render, prompts, INSTRUCTION_TOKENS, request.examples)
        return instructions(asker, rows, request, given)

    def _chains(self, request: SearchRequest, table: Table, asker: Asker) -> Iterator[Search]:
        rows = problems(table.name, table.rows, request)
        prompts = [[rung.prompt(q) for q in rows.questions] for rung in rungs_of(request, rows)]
        # The model's own examples are about as long as those by hand.
        prompts.append(prompts[-1])
        require_room(self._engine.render, prompts, CHAIN_TOKENS, request.candidates)
        return chains(asker, rows, request)

    def stop(self, visitor: str) -> bool:
        """End a visitor's experiment with what it has found so far; False where there is none."""
        return self._under_way.stop(visitor)

    def forget(self, visitor: str) -> None:
        """End a visitor's experiment, of whatever kind, and keep nothing of it."""
        self._under_way.forget(visitor)

    def _asker(self, request: SensitivityRequest | SearchRequest) -> Asker:
        who = ScoreRequest(
            (), (), adapter=request.adapter, workspace=request.workspace, visitor=_who(request)
        )
        return Asker(self._engine, self._asked(who), who)

    def _table(self, request: SensitivityRequest | SearchRequest) -> Table:
        workspace = request.workspace
        folder = self._workspaces.open(workspace) if workspace else None
        info = self._datasets.info(folder, request.dataset)
        return Table(info.name, self._datasets.rows(folder, request.dataset))


def _who(request: SensitivityRequest | SearchRequest) -> str:
    """Whose experiment it is."""
    return request.visitor or request.workspace
