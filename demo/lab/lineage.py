"""Whatever an adapter has learned from: its own run, the runs that this one continues, and the parts of a sum.

Reads folders only, and passes over what is not there any more. Knows no question and no score.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from demo.errors import LabError
from demo.training.run_folder import RunFolder
from demo.workspace import read_json


def lineage(names: Iterable[str], folder_of: Callable[[str], Path]) -> Iterator[RunFolder]:
    """The runs behind some adapters, each once; folders of adapters that no run made are among them.

    Args:
        names: adapters, as a request names them, without strengths.
        folder_of: the name of an adapter to its folder; raises `LabError` where it is gone.
    """
    waiting: list[Path] = []
    seen: set[Path] = set()
    for name in names:
        with suppress(LabError):
            waiting.append(folder_of(name))
    while waiting:
        adapter = waiting.pop()
        if adapter in seen:
            continue
        seen.add(adapter)
        run = RunFolder(adapter.parent)
        yield run
        waiting += _before(run)
        for part in _parts(adapter):
            with suppress(LabError):
                waiting.append(folder_of(part))


def _before(run: RunFolder) -> list[Path]:
    """The adapter of the run that this one continues; the run itself may have made none."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        parent = run.order().parent
        return [run.path.parent / parent / run.adapter.name] if parent else []
    return []


def _parts(adapter: Path) -> list[str]:
    """The adapters that a merged one is the sum of."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return [str(part["id"]) for part in read_json(adapter / "run.json").get("parents", ())]
    return []
