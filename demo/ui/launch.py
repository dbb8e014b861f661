"""Serve the page: limits, served and blocked folders, `/healthz` and the public link.

Knows nothing of what the page shows or of what the Lab does.
"""

import sys
import threading
from importlib.util import find_spec
from typing import Any

import gradio as gr
from gradio import networking
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from demo.errors import BadInput, LabError
from demo.lab import Lab
from demo.settings import LabSettings
from demo.ui.api import add_endpoints
from demo.ui.guard import Guard
from demo.ui.page import build_page, launch_look


def serve(lab: Lab, stop: threading.Event) -> None:
    """Put the page up, load the model behind it, and serve until `stop` is set.

    Raises:
        BadInput: nothing can listen on the chosen address.
    """
    settings = lab.settings
    settings.served.mkdir(parents=True, exist_ok=True)
    settings.data.mkdir(parents=True, exist_ok=True)
    page = build_page(lab)
    spare_searches()
    free_endpoint_names(page)
    with page:
        add_endpoints(lab)
    page.queue(max_size=64, default_concurrency_limit=8)
    address = _launch(page, lab)
    print(f"Adaptation Lab: {address}", flush=True)
    # Only now: loading the model takes both cores from what puts the page up.
    lab.start()
    try:
        if settings.share:
            print(public_link(page, settings, address), flush=True)
        stop.wait()
    finally:
        lab.close()
        page.close(verbose=False)


def spare_searches() -> None:
    """Tell Python once that there is no matplotlib.

    Gradio tries to import it twice per increment of a stream, and a package that is not installed is
    looked for in every folder each time: a sixth of what an increment costs.
    """
    if find_spec("matplotlib") is None:
        sys.modules["matplotlib"] = None  # type: ignore[assignment]


def free_endpoint_names(page: gr.Blocks) -> None:
    """Take the names of the page's own events away, or `/stop` would be a button of the page."""
    for number, event in page.fns.items():
        event.api_name = f"page_{number}"


def _launch(page: gr.Blocks, lab: Lab) -> str:
    """Open the port; returns the local address."""
    settings = lab.settings
    try:
        _, address, _ = page.launch(
            server_name=settings.host,
            server_port=settings.port,
            share=False,
            prevent_thread_lock=True,
            quiet=True,
            app_kwargs={"routes": [health_route(lab)], "middleware": [Middleware(Guard)]},
            **launch_limits(settings),
            **launch_look(),
        )
    except OSError as error:
        problem = "another program listens there, or the address is not this machine's"
        at = f"{settings.host}:{settings.port}"
        raise BadInput("setting", name="HOST:PORT", got=at, problem=problem) from error
    return str(address)


def launch_limits(settings: LabSettings) -> dict[str, Any]:
    """What a crowd may take, and what is never served."""
    return {
        # One slot per running stream: with Gradio's own 40 the 41st visitor waits for a whole answer.
        "max_threads": 200,
        "state_session_capacity": 1000,
        "max_file_size": "48mb",
        "blocked_paths": [str(settings.data)],
        # On by default; it would leave prompts in the browser of a shared computer.
        "run_history": False,
        "footer_links": [],
        "enable_monitoring": False,
        "ssr_mode": False,
        "show_error": False,
        "mcp_server": False,
        "strict_cors": True,
    }


def health_route(lab: Lab) -> Route:
    """`GET /healthz`: whether the model can answer, and how much it has to do."""

    def health(request: Request) -> JSONResponse:  # noqa: ARG001 (Starlette passes it)
        status = lab.status()
        return JSONResponse(
            {
                "status": status.state,
                "model": status.model,
                "precision": status.precision,
                "device": status.device,
                "waiting": status.waiting,
                "running": status.running,
                "engine": status.engine,
                "restarts": status.restarts,
                "seconds_since_turn": status.seconds_since_turn,
            }
        )

    return Route("/healthz", health)


def public_link(page: gr.Blocks, settings: LabSettings, address: str) -> str:
    """Open Gradio's tunnel; returns one sentence with the link, or with why there is none."""
    # Gradio would put the tunnel's certificate into the working directory.
    networking.CERTIFICATE_PATH = str(settings.data / "tunnel.pem")
    try:
        link = networking.setup_tunnel(
            settings.host, settings.port, page.share_token, None, share_server_tls_certificate=None
        )
    # Gradio's tunnel raises whatever its download, its program or its server raised.
    except Exception as error:
        problem = str(error).strip().partition("\n")[0].rstrip(".:") or type(error).__name__
        return str(LabError("share_failed", problem=problem, address=address.rstrip("/")))
    return f"Public link, for about a week: {link.replace('http://', 'https://', 1)}"
