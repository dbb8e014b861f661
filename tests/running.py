"""Start and end the real app as a process of its own, for tests and for pictures."""

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from demo.settings import ROOT

START_SECONDS = 400
"""The first start converts the embedded model, which takes half a minute on two free cores."""


@dataclass(frozen=True)
class RunningApp:
    """An app that answers on `url` and writes under `home` only."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> str:
        """What the app has printed so far."""
        return (self.home / "app.log").read_text(encoding="utf-8", errors="replace")

    def health(self) -> dict[str, Any]:
        """What `/healthz` says now; nothing while the port is closed."""
        try:
            return dict(httpx.get(f"{self.url}/healthz", timeout=10, trust_env=False).json())
        except httpx.TransportError:
            return {}

    def wait_until_ready(self) -> None:
        """Wait for the model; fails with the app's own words when the app gives up."""
        deadline = time.monotonic() + START_SECONDS
        while self.health().get("status") != "ready":
            assert self.process.poll() is None, f"the app ended:\n{self.log[-3000:]}"
            assert time.monotonic() < deadline, f"the app is not ready:\n{self.log[-3000:]}"
            time.sleep(0.2)


def start_app(home: Path, **variables: str) -> RunningApp:
    """Start `python app.py` on a free port; the caller ends it with `stop_app`."""
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = {
        **os.environ,
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "LAB_HOME": str(home),
        "HF_HUB_OFFLINE": "1",
        "PYTHONUNBUFFERED": "1",
        **variables,
    }
    with (home / "app.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    return RunningApp(f"http://127.0.0.1:{port}", home, process)


def stop_app(app: RunningApp) -> None:
    """End the app as a service manager would, and wait for it."""
    app.process.terminate()
    try:
        app.process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        app.process.kill()
        app.process.wait()


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
