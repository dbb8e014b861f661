"""One tiny engine for all tests of its turns, in order again after each."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.engine.service import Engine
from tests.engine.tiny import forward_of, nothing, save_tiny, tiny_engine, until


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def shared(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = tiny_engine(folder, tmp_path_factory.mktemp("home"))
    yield engine
    engine.close()


@pytest.fixture
def engine(shared: Engine) -> Iterator[Engine]:
    yield shared
    forward_of(shared).meddle = nothing
    forward_of(shared).begin = lambda: None
    gc.collect()
    until(lambda: shared.status().running + shared.status().waiting == 0)
    until(lambda: forward_of(shared).prepared == 0)
