"""The run folders of a workspace as visitors see them: states, adapters, downloads.

Reads folders only; starts and stops nothing.
"""

import os
import shutil
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from demo.engine.model.adapters import describe
from demo.engine.model.catalogue import Fingerprint
from demo.errors import BadInput, Busy, NotFound
from demo.methods import METHODS
from demo.records import AdapterInfo
from demo.run_records import (
    Cost,
    Probe,
    ProbeAnswers,
    RunState,
    TimeLapse,
    TrainSettings,
)
from demo.text.tokenizer import LabTokenizer
from demo.training import checkpoint
from demo.training.notebook import notebook, trained
from demo.training.places import LEAST_FREE_BYTES
from demo.training.plan import START_SECONDS
from demo.training.report import card
from demo.training.run_folder import UNFINISHED, RunFolder, RunOrder, StoredState
from demo.training.standing import UNREADABLE, Ahead, eta
from demo.workspace import inside, new_id, read_json, slug, write_atomic, write_json


def runs_in(workspace: Path) -> list[RunFolder]:
    """Every run of a workspace, in no order."""
    try:
        paths = list((workspace / "runs").iterdir())
    except FileNotFoundError:
        return []
    return [RunFolder(path) for path in paths if not path.name.startswith(".")]


def run_in(workspace: Path, run: str) -> RunFolder:
    """One run of a workspace. Raises `NotFound` for any other."""
    return RunFolder(inside(workspace / "runs", run))


def held_out_prompt(workspace: Path, run: str) -> str:
    """The first question of a held-out row, or of a learned one where none was held out.

    A row of plain text asks nothing: its first words stand for it.
    """
    folder = run_in(workspace, run)
    row = (folder.eval_rows() or folder.train_rows())[0]
    asked = (m.content for m in row.messages if m.role == "user")
    return next(asked, " ".join(row.messages[0].content.split()[:8]))


def describe_run(folder: RunFolder, before: Ahead) -> RunState:
    """A run as its folder tells it now.

    Args:
        folder: the run.
        before: what stands before it.
    """
    order, state, events = folder.order(), folder.state(), folder.events()
    record = folder.record()
    return RunState(
        id=order.id,
        name=order.name,
        dataset=order.dataset["name"],
        status=state.status,
        step=events[-1].step if events else 0,
        steps=state.steps,
        eta_seconds=eta(order, state, events, before),
        waiting=before.runs,
        events=events,
        error=state.error,
        has_adapter=folder.has_adapter(),
        keeps=order.keeps,
        stopping=state.status == "running" and folder.asked_to_stop(),
        dataset_id=order.dataset["id"],
        created=order.created,
        settings=order.settings,
        resumable=is_resumable(folder, order, state),
        best_step=state.best_step,
        time_lapse=folder.time_lapse(),
        planned=Cost(peak_bytes=order.peak_bytes, seconds=max(0.0, order.seconds - START_SECONDS)),
        taken=_taken(record),
        scores=record.get("scores", {}),
        parent=order.parent,
        sweep=order.sweep,
        varied=order.varied,
        last_words=_last_words(record),
        spent=state.spent,
        taste=order.taste,
    )


def _last_words(record: Mapping[str, Any]) -> TimeLapse:
    """The answers that a record keeps in place of weights."""
    kept = record.get("answers", ())
    probes = tuple(Probe(one["question"], one["expected"]) for one in kept)
    said = ProbeAnswers(len(record.get("losses", ())), tuple(one["answer"] for one in kept))
    return TimeLapse(probes, (said,)) if kept else TimeLapse()


def _taken(record: Mapping[str, Any]) -> Cost:
    """What a run that has ended took, as its record tells."""
    return Cost(
        trainable=int(record.get("trainable", 0)),
        peak_bytes=int(record.get("peak_bytes", 0)),
        seconds=float(record.get("seconds", 0.0)),
        cpu_seconds=float(record.get("cpu_seconds", 0.0)),
    )


def is_resumable(folder: RunFolder, order: RunOrder, state: StoredState) -> bool:
    """Whether a run ended before its last step and can go on where its checkpoint stands.

    A taste cannot: it would go before full runs again, though perhaps nobody waits any more.
    """
    if order.taste or state.status in UNFINISHED:
        return False
    stopped = state.status == "stopped" or state.error_key in ("worker_died", "out_of_memory")
    return stopped and checkpoint.exists(folder.checkpoint)


def weights_to_start(workspace: Path, parent: str, settings: TrainSettings) -> Path:
    """The checkpoint of a run that another one may begin with.

    Raises:
        NotFound: no such run.
        BadInput: it has learned nothing yet, or by another method or size.
    """
    folder = run_in(workspace, parent)
    if not checkpoint.exists(folder.checkpoint):
        raise BadInput("run_unfinished")
    before = folder.order().settings
    same = ("method", *METHODS[settings.method].settings)
    if any(getattr(before, name) != getattr(settings, name) for name in same):
        raise BadInput("other_method_before")
    return folder.checkpoint


def rename(workspace: Path, run: str, name: str, served: Path) -> None:
    """Call a run, and the adapter that it made, otherwise.

    Raises:
        NotFound: no such run.
        BadInput: it is under way, and its worker would write the old name.
    """
    folder = run_in(workspace, run)
    if folder.state().status in UNFINISHED:
        raise BadInput("rename_unfinished")
    folder.rename(name)
    for place in (folder.adapter, folder.outcome):
        if place.is_dir():
            record = {**read_json(place / "run.json"), "name": name}
            write_json(place / "run.json", record)
            write_atomic(place / "README.md", card(record))
    drop_export(workspace, run, served)


def adapters_in(workspace: Path, fingerprint: Fingerprint | None) -> list[AdapterInfo]:
    """The adapters that this workspace's runs have made, newest first."""
    made = {}
    for folder in runs_in(workspace):
        with suppress(*UNREADABLE):
            if folder.has_adapter():
                made[folder.order().created, folder.path.name] = folder
    newest = sorted(made, reverse=True)
    return [describe(made[one].adapter, one[1], "own", fingerprint) for one in newest]


def adapter_folder(workspace: Path, run: str) -> Path:
    """Where a run's adapter lies.

    Raises:
        NotFound: no such run in this workspace.
        BadInput: it has made no adapter yet.
    """
    folder = run_in(workspace, run)
    if not folder.has_adapter():
        raise BadInput("run_unfinished")
    return folder.adapter


def export(workspace: Path, run: str, served: Path) -> Path:
    """A zip of a run's adapter, under the run's name, where it is served."""
    adapter = adapter_folder(workspace, run)
    name = slug(run_in(workspace, run).order().name, "adapter")
    return packed(adapter, exports(workspace, served) / run / f"{name}.zip")


def packed(adapter: Path, path: Path) -> Path:
    """An adapter's folder as a zip, which holds one folder of the zip's own name.

    Raises:
        Busy: there is no room for it.
        NotFound: the adapter is deleted meanwhile; then no zip stays.
    """
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(path.parent).free < LEAST_FREE_BYTES:
        raise Busy("disk_full")
    aside = path.with_name(new_id())
    try:
        _zip(adapter, aside, path.stem)
        os.replace(aside, path)
    except FileNotFoundError:
        raise NotFound from None
    except OSError as error:
        raise Busy("disk_full") from error
    finally:
        aside.unlink(missing_ok=True)
    if not adapter.is_dir():
        path.unlink(missing_ok=True)
        raise NotFound
    return path


def _zip(folder: Path, path: Path, name: str) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"{name}/{file.name}")


def notebook_of(
    workspace: Path,
    run: str,
    tokenizer: LabTokenizer,
    base_code: Callable[[str], tuple[str, str]],
    versions: Mapping[str, str],
) -> tuple[str, bytes]:
    """A run as a notebook: the file's name and its content.

    Args:
        workspace: whose run it is.
        run: that has made an adapter.
        tokenizer: of the base model.
        base_code: a precision to the imports and lines that load the base in it.
        versions: of the libraries here.
    """
    adapter_folder(workspace, run)
    folder = run_in(workspace, run)
    order = folder.order()
    base = base_code(METHODS[order.settings.method].base_precision)
    written = notebook(trained(folder, tokenizer, base, versions))
    return f"{slug(order.name, 'run')}.ipynb", written.encode()


def exports(workspace: Path, served: Path) -> Path:
    """The served folder of a workspace's downloads; it goes when the workspace goes."""
    return served / "exports" / workspace.name


def drop_export(workspace: Path, run: str, served: Path) -> None:
    """Delete a run's download; it is made anew when it is asked for."""
    shutil.rmtree(exports(workspace, served) / run, ignore_errors=True)


def drop_orphans(workspaces: Path, served: Path) -> None:
    """Delete the downloads of workspaces that have expired."""
    folder = served / "exports"
    for path in folder.iterdir() if folder.is_dir() else ():
        if not (workspaces / path.name).is_dir():
            shutil.rmtree(path, ignore_errors=True)
