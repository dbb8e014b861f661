"""The compiled forward pass as a library: built once per machine by its own C++ compiler.

Knows neither models nor rows, only functions and the layout of their arguments.
"""

import ctypes
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

LOG = logging.getLogger(__name__)
SOURCES = Path(__file__).parent
FLAGS = (
    "-std=c++20",
    "-O3",
    # No fused products but those that are written: results must not depend on tiling.
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fPIC",
    "-shared",
    "-pthread",
)
BUILD_SECONDS = 600
MOST_TERMS = 2


class Shape(ctypes.Structure):
    """`Shape` of forward.cpp."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in ("layers", "hidden", "heads", "key_heads")),
        *((name, ctypes.c_int32) for name in ("width", "inner")),
        *((name, ctypes.c_float) for name in ("epsilon", "rotation_scale", "attention_scale")),
    ]


class Change(ctypes.Structure):
    """`Change` of forward.cpp."""

    _fields_ = [
        ("rank", ctypes.c_int32),
        ("width", ctypes.c_int32),
        *((name, ctypes.c_void_p) for name in ("down", "up", "row_scale", "input_scale")),
        ("narrow", ctypes.c_int32),
        *((name, ctypes.c_void_p) for name in ("narrow_down", "narrow_bias")),
        *((name, ctypes.c_void_p) for name in ("narrow_up", "widen_bias")),
    ]


class Row(ctypes.Structure):
    """`Row` of forward.cpp."""

    _fields_ = [
        ("keys", ctypes.c_void_p),
        ("values", ctypes.c_void_p),
        *((name, ctypes.c_int32) for name in ("capacity", "start", "tokens", "terms")),
        ("adapters", ctypes.c_void_p * MOST_TERMS),
        ("strengths", ctypes.c_float * MOST_TERMS),
    ]


def compiler() -> str | None:
    """A C++20 compiler of this machine, if it has one."""
    names = (os.environ.get("CXX", ""), "g++", "clang++", "c++")
    return next((path for name in names if name and (path := shutil.which(name))), None)


def open_library(cache: Path) -> ctypes.CDLL | None:
    """The library, built first if need be; None where it cannot be built.

    Args:
        cache: where the built file is kept. Its name tells sources, compiler and processor, so
            that a folder carried to another machine is never loaded there by mistake.
    """
    found = compiler()
    if found is None:
        LOG.warning("no C++ compiler: answers will be several times slower; install g++ for speed")
        return None
    file = cache / f"forward-{_identity(found)}.so"
    try:
        if not file.is_file():
            _build(found, file)
        return _declared(ctypes.CDLL(str(file)))
    except (OSError, subprocess.SubprocessError) as error:
        LOG.warning("the compiled forward pass could not be built: %s", _reason(error))
        return None


def _build(found: str, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    native = "-mcpu=native" if platform.machine() in ("aarch64", "arm64") else "-march=native"
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        built = Path(folder) / file.name
        command = [found, *FLAGS, native, str(SOURCES / "forward.cpp"), "-o", str(built)]
        subprocess.run(command, check=True, capture_output=True, timeout=BUILD_SECONDS)
        built.replace(file)


def _identity(found: str) -> str:
    version = subprocess.run([found, "--version"], capture_output=True, check=False).stdout
    parts = [version, " ".join(FLAGS).encode(), _processor().encode()]
    parts += [path.read_bytes() for path in sorted(SOURCES.glob("*.[ch]pp"))]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


@lru_cache(maxsize=1)
def _processor() -> str:
    """What `native` means here: the instructions that this processor has."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    kinds = ("flags", "Features", "model name")
    return "|".join(dict.fromkeys(line for line in lines if line.startswith(kinds))) or (
        platform.processor() + platform.machine()
    )


def _reason(error: Exception) -> str:
    output = getattr(error, "stderr", None)
    return output.decode(errors="replace")[:500] if output else str(error)[:500]


def _declared(library: ctypes.CDLL) -> ctypes.CDLL:
    """The functions of forward.cpp with their types: an undeclared pointer would lose its upper half."""
    pointer, number = ctypes.c_void_p, ctypes.c_int
    signatures: dict[str, tuple[object, list[object]]] = {
        "lanes": (number, []),
        "packed_bytes": (ctypes.c_int64, [number, number]),
        "pack_weights": (None, [pointer, number, number, pointer]),
        "model_new": (pointer, [pointer, number, number, pointer]),
        "model_delete": (None, [pointer]),
        "model_linear": (None, [pointer, number, number, number, pointer, pointer]),
        "model_norm": (None, [pointer, number, pointer]),
        "adapter_new": (pointer, [pointer]),
        "adapter_delete": (None, [pointer]),
        "adapter_linear": (None, [pointer, number, pointer]),
        "adapter_norm": (None, [pointer, number, pointer]),
        "model_run": (number, [pointer, pointer, number, *[pointer] * 2, number, *[pointer] * 4]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library
