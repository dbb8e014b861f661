"""The folders of a workspace's brought and merged adapters: listed, found, and swept when left half-made.

Does not know how an adapter is made or checked.
"""

import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from demo.engine.model.adapters import describe
from demo.engine.model.catalogue import Fingerprint
from demo.errors import NotFound
from demo.records import AdapterInfo
from demo.workspace import inside

FOLDER = "adapters"
LEFT_SECONDS = 3600
"""Nothing is written for so long: what is older and unfinished belongs to a lab that was killed."""


def own_adapters(workspace: Path, here: Fingerprint | None) -> list[AdapterInfo]:
    """The brought and merged adapters of a workspace, newest first."""
    place = workspace / FOLDER
    found: list[tuple[float, AdapterInfo]] = []
    for folder in place.iterdir() if place.is_dir() else ():
        if not folder.name.startswith("."):
            info = describe(folder, folder.name, "own", here)
            with suppress(FileNotFoundError):  # It was deleted meanwhile.
                found.append((folder.stat().st_mtime, info))
    found.sort(key=lambda pair: pair[0], reverse=True)
    return [info for _, info in found]


def own_folder(workspace: Path, adapter: str) -> Path | None:
    """Where one of them lies; None where there is none of this id."""
    try:
        return inside(workspace / FOLDER, adapter)
    except NotFound:
        return None


def sweep(workspaces: Iterable[Path], served: Path) -> None:
    """Delete what a lab that was killed has left half-made among adapters and downloads."""
    left = [path for workspace in workspaces for path in (workspace / FOLDER).glob(".*")]
    # A download has an ending; what is being written has none, or a dot before its name.
    downloads = (served / "exports").glob("*/*/*")
    left += [path for path in downloads if not path.suffix or path.name.startswith(".")]
    for path in left:
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime < LEFT_SECONDS:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()
