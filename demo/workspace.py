"""Whose thing is it: one folder per visitor, reached by an unguessable capability, written atomically.

Knows nothing of datasets, runs or adapters: only folders, who may open them, how full they are and
when they expire.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from demo.errors import Busy, NotFound

CAPABILITY = re.compile(r"[A-Za-z0-9_-]{43}")
"""What `secrets.token_urlsafe(32)` makes: 256 bits."""
UNDECOMPOSED = str.maketrans("łŁøØđĐß", "lLoOdDs")
"""Letters whose stroke Unicode does not take apart."""


class Workspaces:
    """The folders of all visitors under one root. Capabilities are never stored, only their hashes."""

    def __init__(self, root: Path, megabytes: int, keep_days: int) -> None:
        self.root = root
        self.megabytes = megabytes
        self.keep_seconds = keep_days * 86_400

    def create(self) -> str:
        """Make an empty workspace; returns the capability that opens it."""
        capability = secrets.token_urlsafe(32)
        folder = self.root / _hashed(capability)
        folder.mkdir(parents=True, mode=0o700)
        return capability

    def open(self, capability: Any) -> Path:
        """The folder that a capability opens.

        Raises:
            NotFound: the capability is malformed, unknown, expired or deleted; all look alike.
        """
        if not isinstance(capability, str) or not CAPABILITY.fullmatch(capability):
            raise NotFound
        folder = self.root / _hashed(capability)
        if not folder.is_dir():
            raise NotFound
        try:
            os.utime(folder)
        except FileNotFoundError:
            raise NotFound from None
        return folder

    def require_room(self, folder: Path) -> None:
        """Refuse to write more into a workspace that is full.

        Raises:
            Busy: it holds as many megabytes as it may.
        """
        used = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6
        if used >= self.megabytes:
            raise Busy("workspace_full", got=round(used), high=self.megabytes)

    def delete(self, capability: Any) -> None:
        """Delete a workspace with everything in it."""
        remove(self.open(capability))

    def all(self) -> Iterator[Path]:
        """Every workspace folder, in no order."""
        if self.root.is_dir():
            folders = (folder for folder in self.root.iterdir() if folder.is_dir())
            yield from (folder for folder in folders if not folder.name.startswith("."))

    def expire(self) -> None:
        """Delete the workspaces that nobody has opened for `keep_days`, and what is left of deleted ones."""
        for folder in self.all():
            with suppress(FileNotFoundError, NotFound):
                if time.time() - folder.stat().st_mtime > self.keep_seconds:
                    remove(folder)
        for left in self.root.glob(".*"):
            shutil.rmtree(left, ignore_errors=True)


def remove(folder: Path) -> None:
    """Delete a folder so that it is gone in one step: nobody goes on writing into half of it.

    Raises:
        NotFound: it was gone before.
    """
    aside = folder.with_name(f".{new_id()}")
    try:
        folder.rename(aside)
    except FileNotFoundError:
        raise NotFound from None
    shutil.rmtree(aside, ignore_errors=True)


def inside(folder: Path, name: Any) -> Path:
    """The existing child of `folder` called `name`, an id made by `new_id`.

    Raises:
        NotFound: `name` is no such id, or nothing is there.
    """
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9]{16}", name):
        raise NotFound
    path = folder / name
    if not path.exists():
        raise NotFound
    return path


def new_id() -> str:
    """A name for a file or folder made by the lab: 16 lower-case hexadecimal digits."""
    return secrets.token_hex(8)


def slug(title: str, otherwise: str) -> str:
    """A file name for a title: small letters, digits and hyphens; `otherwise` where none are left."""
    split = unicodedata.normalize("NFKD", title.translate(UNDECOMPOSED))
    plain = split.encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or otherwise


def write_atomic(path: Path, content: str | bytes) -> None:
    """Replace a file in one step, so that a reader or a crash sees the old or the new, never half."""
    temporary = path.with_name(f".{path.name}.{new_id()}")
    data = content.encode() if isinstance(content, str) else content
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically, readable by people."""
    write_atomic(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON. Raises FileNotFoundError and json.JSONDecodeError as they come."""
    return json.loads(path.read_text(encoding="utf-8"))


def _hashed(capability: str) -> str:
    return hashlib.sha256(capability.encode()).hexdigest()[:32]
