"""A visitor of the page without a browser: the same events over the same routes.

Gradio's Python client costs as much processor time per answer as the page itself does; a visitor's
browser runs on the visitor's machine, so that time must not be counted here.
"""

import json
import uuid
from typing import Any

import httpx

API = "/gradio_api"
SECONDS = 300


class PageVisitor:
    """One open page, its knobs as they were served. Not shared between threads."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=SECONDS, trust_env=False)
        config = self._http.get("/config").json()
        self._events: list[dict[str, Any]] = config["dependencies"]
        props = {part["id"]: part["props"] for part in config["components"]}
        self._ids = {p["elem_id"]: part for part, p in props.items() if p.get("elem_id")}
        self._values = {part: p.get("value") for part, p in props.items()}
        self._session = uuid.uuid4().hex

    def ask(self, message: str) -> int:
        """Ask in an empty Playground, and follow the answer to its end.

        Returns:
            How many increments came.

        Raises:
            RuntimeError: the page answered with an error.
        """
        asked = [self._ids["message"], "submit"]
        taken = next(event for event in self._events if asked in event["targets"])
        values = {**self._values, self._ids["message"]: message}
        shown, _ = self._run(taken, values)
        changed = dict(zip(taken["outputs"], shown, strict=True))
        values |= {part: value for part, value in changed.items() if not _is_update(value)}
        answered = next(e for e in self._events if self._follows(e, taken))
        _, increments = self._run(answered, values)
        return increments

    def _follows(self, event: dict[str, Any], earlier: dict[str, Any]) -> bool:
        return bool(event["trigger_after"] == earlier["id"] and event["trigger_only_on_success"])

    def _run(self, event: dict[str, Any], values: dict[int, Any]) -> tuple[list[Any], int]:
        """An event's last outputs, and how many increments came before."""
        data = [values[part] for part in event["inputs"]]
        given = {"data": data, "fn_index": event["id"], "session_hash": self._session}
        joined = self._http.post(f"{API}/queue/join", json=given)
        if joined.is_error:
            raise RuntimeError(joined.text)
        event_id, increments = joined.json()["event_id"], 0
        path = f"{API}/queue/data?session_hash={self._session}"
        with self._http.stream("GET", path) as stream:
            for line in stream.iter_lines():
                if not line.startswith("data:") or event_id not in line:
                    continue
                increments += '"process_generating"' in line
                if '"process_completed"' in line:
                    ended = json.loads(line[5:])
                    if not ended["success"]:
                        raise RuntimeError(line)
                    return ended["output"]["data"], increments
        raise RuntimeError("the stream ended before the answer did")


def _is_update(value: Any) -> bool:
    """Whether it says what changes of a component, and not its value."""
    return isinstance(value, dict) and value.get("__type__") == "update"
