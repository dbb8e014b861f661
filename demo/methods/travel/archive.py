"""A zip from elsewhere becomes three bounded pieces of bytes; nothing is ever extracted to a path.

Only `adapter_config.json`, `adapter_model.safetensors` and, where it is there, `run.json` are read,
from the top or from one folder; everything else is passed over. Does not look into what it reads.
"""

import io
import re
import stat
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from demo.methods.readers.saved import Refused
from demo.methods.reading import CONFIG, TENSORS

LARGEST_ARCHIVE = 48_000_000
MOST_ENTRIES = 64
LARGEST_TEXT = 2**20
"""Bytes of each JSON file."""
LARGEST_TENSORS = 160_000_000
"""Bytes of the tensors once unpacked: about rank 128 of LoRA on the embedded model."""
RUN = "run.json"
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".npz")
"""Endings of files that may run code when they are loaded."""
ENTRY_MARK = b"PK\x01\x02"
"""What every entry of a zip's directory begins with."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 0x1


@dataclass(frozen=True)
class Parcel:
    """What was read from a zip."""

    config: bytes
    tensors: bytes
    run: bytes = b""
    """Empty where there is no `run.json`."""


def unpack(content: bytes) -> Parcel:
    """Read the named entries of a zip.

    Raises:
        Refused: it is no such zip, or not an honest one.
    """
    require_size(len(content))
    # Before zipfile makes an object of each: a directory may hold millions.
    if content.count(ENTRY_MARK) > MOST_ENTRIES:
        raise Refused(f"it holds more than {MOST_ENTRIES} files")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _parcel(archive)
    except Refused:
        raise
    except Exception as error:  # A damaged zip fails in a dozen ways.
        raise Refused("it is no zip file that can be read") from error


def require_size(size: int) -> None:
    """Refuse a zip of so many bytes, which nobody needs to have read yet. Raises `Refused`."""
    if size > LARGEST_ARCHIVE:
        raise Refused(f"it has {size / 1e6:.0f} MB, and the most is {LARGEST_ARCHIVE // 10**6} MB")


def _parcel(archive: zipfile.ZipFile) -> Parcel:
    entries = archive.infolist()
    for entry in entries:
        _check(entry)
    names = [entry.filename for entry in entries]
    if len({name.casefold() for name in names}) != len(names):
        raise Refused("it holds two files of one name")
    wanted = _wanted(entries)
    return Parcel(
        _read(archive, wanted[CONFIG], LARGEST_TEXT),
        _read(archive, wanted[TENSORS], LARGEST_TENSORS),
        _read(archive, wanted[RUN], LARGEST_TEXT) if RUN in wanted else b"",
    )


def _check(entry: zipfile.ZipInfo) -> None:
    """Refuse an entry that nobody who zips a folder would make."""
    name, shown = entry.filename, ascii(entry.filename[:80])
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or re.match("[A-Za-z]:", name):
        raise Refused(f"{shown} leads out of its folder")
    if path.suffix.lower() in PICKLES:
        raise Refused(
            f"{shown} may run code when it is loaded; save it as safetensors, or leave it out"
        )
    if entry.flag_bits & ENCRYPTED:
        raise Refused(f"{shown} is encrypted")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise Refused(f"{shown} is a link or a device, not a file")


def _wanted(entries: Sequence[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """The entries that are read, by their bare names: all from the top, or all from one folder."""
    configs = [e for e in entries if PurePosixPath(e.filename).name == CONFIG]
    if len(configs) != 1:
        raise Refused(f"it holds {len(configs)} files {CONFIG}, and there must be one")
    folder = PurePosixPath(configs[0].filename).parent
    if len(folder.parts) > 1:
        raise Refused(f"{CONFIG} lies in more than one folder within another")
    beside = {e.filename: e for e in entries if PurePosixPath(e.filename).parent == folder}
    found = {
        name: beside[str(folder / name)]
        for name in (CONFIG, TENSORS, RUN)
        if str(folder / name) in beside
    }
    if TENSORS not in found:
        raise Refused(f"{TENSORS} is missing beside {CONFIG}")
    return found


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """One entry's bytes; what its directory says of its size is checked, not believed."""
    shown = PurePosixPath(entry.filename).name
    if entry.compress_type not in METHODS:
        raise Refused(f"{shown} is compressed in a way that this lab does not read")
    if entry.file_size > most:
        raise Refused(f"{shown} has more than {most // 10**6} MB")
    with archive.open(entry) as file:
        data = file.read(most + 1)
    if len(data) > most or len(data) != entry.file_size:
        raise Refused(f"{shown} is not as long as the zip says")
    return data
