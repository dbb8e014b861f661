"""Building the library: what happens where it cannot be built."""

from pathlib import Path

import pytest

from demo.engine.compiled import library as library_module
from demo.engine.compiled.library import open_library


def test_without_a_compiler_or_with_a_broken_one_there_is_no_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "c++"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(library_module, "compiler", lambda: str(broken))
    assert open_library(tmp_path / "cache") is None
    assert not list((tmp_path / "cache").glob("*.so"))
    monkeypatch.setattr(library_module, "compiler", lambda: None)
    assert open_library(tmp_path / "cache") is None
