"""What the operator can set, by environment variable or command line, and nothing else.

Does not decide anything that depends on the machine: `demo/host.py` and `demo/engine/model/load.py` do,
each with a reason that the page shows.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from demo.checks import bounded, chosen
from demo.errors import BadInput

PRECISIONS = ("auto", "fp32", "bf16", "int8", "nf4")
ROOT = Path(__file__).resolve().parent.parent
"""The folder that holds app.py, prompts/ and adapters/."""


@dataclass(frozen=True)
class LabSettings:
    """Everything the operator can set. Each field names its variable."""

    home: Path = field(default_factory=lambda: ROOT / ".lab")
    """LAB_HOME: where everything is written."""
    model: str = "auto"
    """LAB_MODEL: `auto`, `embedded`, a catalogue name, a hub id or a local folder."""
    precision: str = "auto"
    """LAB_PRECISION: auto fp32 bf16 int8 nf4."""
    host: str = "127.0.0.1"
    """HOST: the address to listen on."""
    port: int = 7860
    """PORT: the port to listen on."""
    share: bool = False
    """LAB_SHARE: open a public link through Gradio's tunnel."""
    threads: int = 0
    """LAB_THREADS: threads for the model; 0 means one per core."""
    batch_rows: int = 32
    """LAB_BATCH_ROWS: answers computed at once; the rest take turns with them."""
    queue_size: int = 64
    """LAB_QUEUE: answers that may wait; one more is refused with a number."""
    answer_seconds: int = 120
    """LAB_ANSWER_SECONDS: an answer ends so long after it was begun, with the text it has."""
    answers_per_visitor: int = 2
    """LAB_ANSWERS_PER_VISITOR: questions one visitor may have under way (a comparison counts as one)."""
    runs_per_workspace: int = 2
    """LAB_RUNS_PER_WORKSPACE: runs one visitor may have waiting or running."""
    runs_waiting: int = 40
    """LAB_RUNS: runs of all visitors that may wait; one more is refused with a number."""
    run_cpu_seconds: int = 3600
    """LAB_RUN_CPU_SECONDS: a run ends, and keeps what it has learned, after so many seconds of all cores
    together (an hour of one core; on a GPU, seconds of the clock); 0 means never."""
    workspace_megabytes: int = 300
    """LAB_WORKSPACE_MB: disk that one workspace may fill."""
    full_tuning: bool = False
    """LAB_FULL_TUNING: keep the weights of full tuning too; they take as much disk as the model itself."""
    keep_days: int = 7
    """LAB_KEEP_DAYS: a workspace untouched for so long is deleted."""

    @classmethod
    def read(
        cls, environment: Mapping[str, str] = os.environ, arguments: Sequence[str] = ()
    ) -> Self:
        """Command line first, then environment, then the defaults above.

        Raises:
            BadInput: a value cannot be used; the message names the variable.
        """
        options = _parser().parse_args(arguments)

        def value(variable: str, option: str | None = None) -> str | None:
            given = getattr(options, option) if option else None
            return given if given is not None else environment.get(variable) or None

        def number(
            variable: str, default: int, low: int, high: int, option: str | None = None
        ) -> int:
            given = value(variable, option)
            return default if given is None else bounded(variable, given, low, high, int)

        def switch(variable: str) -> bool:
            return (value(variable) or "").lower() in ("1", "true", "yes")

        return cls(
            home=_folder(value("LAB_HOME", "home")),
            model=value("LAB_MODEL", "model") or "auto",
            precision=chosen(
                "LAB_PRECISION", value("LAB_PRECISION", "precision") or "auto", PRECISIONS
            ),
            host=value("HOST", "host") or ("0.0.0.0" if "SPACE_ID" in environment else cls.host),
            port=number("PORT", cls.port, 1, 65535, "port"),
            share=switch("LAB_SHARE") or options.share,
            full_tuning=switch("LAB_FULL_TUNING"),
            threads=number("LAB_THREADS", cls.threads, 0, 256),
            batch_rows=number("LAB_BATCH_ROWS", cls.batch_rows, 1, 64),
            queue_size=number("LAB_QUEUE", cls.queue_size, 1, 1024),
            answer_seconds=number("LAB_ANSWER_SECONDS", cls.answer_seconds, 1, 3600),
            answers_per_visitor=number("LAB_ANSWERS_PER_VISITOR", cls.answers_per_visitor, 1, 64),
            runs_per_workspace=number("LAB_RUNS_PER_WORKSPACE", cls.runs_per_workspace, 1, 64),
            runs_waiting=number("LAB_RUNS", cls.runs_waiting, 1, 10_000),
            run_cpu_seconds=number("LAB_RUN_CPU_SECONDS", cls.run_cpu_seconds, 0, 10_000_000),
            workspace_megabytes=number("LAB_WORKSPACE_MB", cls.workspace_megabytes, 20, 100_000),
            keep_days=number("LAB_KEEP_DAYS", cls.keep_days, 1, 365),
        )

    @property
    def served(self) -> Path:
        """Gradio's temp folder: what lies here can be downloaded by whoever knows its path."""
        return self.home / "gradio"

    @property
    def data(self) -> Path:
        """Workspaces, runs and model caches: never served."""
        return self.home / "data"


def _folder(given: str | None) -> Path:
    path = Path(given).expanduser().resolve() if given else ROOT / ".lab"
    if path.exists() and not path.is_dir():
        raise BadInput("setting", name="LAB_HOME", got=given, problem="it is not a folder")
    return path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Adaptation Lab", allow_abbrev=False)
    parser.add_argument("--host", help="address to listen on (HOST)")
    parser.add_argument("--port", help="port to listen on (PORT)")
    parser.add_argument("--home", help="folder for everything that is written (LAB_HOME)")
    parser.add_argument(
        "--model", help="auto, embedded, catalogue name, hub id or folder (LAB_MODEL)"
    )
    parser.add_argument("--precision", help="auto, fp32, bf16, int8 or nf4 (LAB_PRECISION)")
    parser.add_argument("--share", action="store_true", help="open a public link (LAB_SHARE=1)")
    return parser
