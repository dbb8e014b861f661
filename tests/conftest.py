"""The real app, started once for every test that needs a running one. Unit tests never start it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.lab import Lab
from demo.settings import LabSettings
from tests.methods.making import make_base
from tests.running import RunningApp, start_app, stop_app


@pytest.fixture(scope="session")
def lab_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One LAB_HOME for all tests with a running app, so that the model is converted once."""
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="session")
def running_app(lab_home: Path) -> Iterator[RunningApp]:
    """The lab, ready to answer."""
    app = start_app(lab_home)
    try:
        app.wait_until_ready()
        yield app
    finally:
        stop_app(app)


@pytest.fixture(scope="module")
def own_home(lab_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for a lab of the module's own, which shares the converted model."""
    home = tmp_path_factory.mktemp("home")
    models = lab_home / "data" / "models"
    models.mkdir(parents=True, exist_ok=True)
    (home / "data").mkdir()
    (home / "data" / "models").symlink_to(models)
    return home


@pytest.fixture(scope="module")
def lab(own_home: Path) -> Iterator[Lab]:
    """A lab that answers, of the module's own; its queue of runs is held still."""
    lab = Lab(LabSettings(home=own_home))
    lab.engine.start()
    lab.engine.wait_ready(240)
    yield lab
    lab.engine.close()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny base model with random weights, of the module's own."""
    return make_base(tmp_path_factory.mktemp("base"))
