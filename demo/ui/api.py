"""The scripting endpoints for `gradio_client`: plain values in, plain values out.

Checks no range and knows no limit, since the Lab does.
"""

from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr

from demo.checks import checked_text
from demo.errors import BadInput
from demo.lab import LONGEST_TEXT, Lab
from demo.methods import good_settings
from demo.prompting.build import under_system
from demo.records import Answer, AnswerRequest, Sampling, conversation
from demo.run_records import RunState
from demo.ui.api_judging import Judging
from demo.ui.endpoint import explained, names, text


def add_endpoints(lab: Lab) -> None:
    """Register every endpoint with the page that is being built."""
    endpoints = Endpoints(lab)
    for function in (
        endpoints.answer,
        endpoints.compare,
        endpoints.adapters,
        endpoints.workspace,
        endpoints.train,
        endpoints.run,
        endpoints.stop,
        endpoints.download,
        endpoints.delete,
        Judging(lab).evaluate,
    ):
        gr.api(function, api_name=function.__name__, concurrency_limit=None)


class Endpoints:
    """One method per endpoint; its signature is what a script passes."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    @explained
    def answer(
        self,
        request: gr.Request,
        message: str,
        adapter: str = "base",
        workspace: str = "",
        prompt: str = "",
        system: str = "",
        max_new_tokens: int = 128,
        temperature: float = 0.0,
        top_k: int = 0,
        top_p: float = 1.0,
        seed: int = 0,
    ) -> dict[str, Any]:
        """One answer of the base model or of an adapter."""
        sampling = Sampling(max_new_tokens, temperature, top_k, top_p, seed=seed)
        question = self._question(message, prompt, system)
        return self._answers(question, [adapter], workspace, sampling, request)[0]

    @explained
    def compare(
        self,
        request: gr.Request,
        message: str,
        adapters: list[str],
        workspace: str = "",
        prompt: str = "",
        system: str = "",
        max_new_tokens: int = 128,
        temperature: float = 0.0,
        top_k: int = 0,
        top_p: float = 1.0,
        seed: int = 0,
    ) -> list[dict[str, Any]]:
        """The answers of several adapters to one prompt, computed side by side."""
        sampling = Sampling(max_new_tokens, temperature, top_k, top_p, seed=seed)
        question = self._question(message, prompt, system)
        asked_of = adapters if isinstance(adapters, list) else [adapters]
        return self._answers(question, asked_of, workspace, sampling, request)

    @explained
    def adapters(self, workspace: str = "") -> list[dict[str, Any]]:
        """What can answer: base, shipped adapters, and those of the workspace's runs."""
        return [asdict(adapter) for adapter in self.lab.adapters(text(workspace))]

    @explained
    def workspace(self) -> str:
        """Make a workspace; whoever holds the returned capability can use it."""
        return self.lab.new_workspace()

    @explained
    def train(
        self,
        workspace: str,
        file: gr.FileData | None = None,
        name: str = "",
        method: str = "lora",
        epochs: int = 1,
        learning_rate: float = 0.0,
        rank: int = 8,
        alpha: int = 16,
        dropout: float = 0.0,
        batch_size: int = 8,
        max_length: int = 512,
        eval_share: float = 0.1,
        max_steps: int = 0,
        seed: int = 0,
        dataset: str = "",
        prompt_column: str = "",
        completion_column: str = "",
        fixes: str = "",
    ) -> str:
        """Queue a run over an uploaded file or a sample; returns the run's id.

        A learning rate of 0 is the method's own good one. `fixes` of the doctor, made before the run,
        are `all` that it offers, or names with commas.
        """
        own = {"learning_rate": learning_rate} if learning_rate else {}
        settings = good_settings(
            text(method),
            **own,
            rank=rank,
            alpha=alpha,
            dropout=dropout,
            epochs=epochs,
            batch_size=batch_size,
            max_length=max_length,
            eval_share=eval_share,
            max_steps=max_steps,
            seed=seed,
        )
        workspace, chosen = text(workspace), text(dataset)
        if file is not None:
            chosen = self._upload(workspace, file)
        if text(prompt_column) or text(completion_column):
            columns = text(prompt_column), text(completion_column)
            chosen = self.lab.map_dataset(workspace, chosen, *columns).id
        if fixes:
            chosen = self.lab.mend_dataset(workspace, chosen, names(fixes), settings).id
        title = text(name) or Path(self.lab.dataset(workspace, chosen).name).stem[:60]
        return self.lab.start_run(workspace, chosen, title, settings)

    @explained
    def run(self, workspace: str, run: str) -> dict[str, Any]:
        """How far a run has come."""
        return run_facts(self.lab.run(text(workspace), text(run)))

    @explained
    def stop(self, workspace: str, run: str) -> dict[str, Any]:
        """Stop a run after the step under way; what was learned is kept."""
        self.lab.stop_run(text(workspace), text(run))
        return run_facts(self.lab.run(text(workspace), text(run)))

    @explained
    def download(self, workspace: str, run: str) -> gr.FileData:
        """A zip of a run's adapter."""
        path = self.lab.download(text(workspace), text(run))
        return gr.FileData(path=str(path), orig_name=path.name)

    @explained
    def delete(self, workspace: str) -> bool:
        """Stop the workspace's runs and delete everything in it."""
        self.lab.delete_workspace(text(workspace))
        return True

    def _question(self, message: Any, prompt: Any, system: Any) -> AnswerRequest:
        question, instruction = text(message), text(system)
        checked_text("system", instruction, LONGEST_TEXT, empty=True)
        if not text(prompt):
            return AnswerRequest(conversation(question, system=instruction))
        file = self.lab.prompts.get(text(prompt))
        messages = self.lab.prompts.messages(file.name, {"input": question})
        messages = under_system(messages, instruction, file.completion)
        return AnswerRequest(messages, completion=file.completion)

    def _answers(
        self,
        question: AnswerRequest,
        adapters: list[Any],
        workspace: Any,
        sampling: Sampling,
        request: gr.Request,
    ) -> list[dict[str, Any]]:
        asked_of = [text(name) for name in adapters]
        capability = text(workspace)
        asked = AnswerRequest(
            question.messages,
            workspace=capability,
            visitor=capability or str(request.session_hash),
            sampling=sampling,
            completion=question.completion,
        )
        if not asked_of:
            raise BadInput("empty_text", field="adapters")
        (whole,) = deque(self.lab.compare(asked, asked_of), maxlen=1)
        return [answer_facts(name, answer) for name, answer in zip(asked_of, whole, strict=True)]

    def _upload(self, workspace: str, file: Any) -> str:
        """Take an uploaded file in; a path on the server's disk is none."""
        path, name = uploaded(file, self.lab.settings.served)
        return self.lab.add_file(workspace, name, path).id


def uploaded(file: Any, served: Path) -> tuple[Path, str]:
    """Where an upload lies and what its sender called it.

    Raises:
        BadInput: it is no upload of this lab, but a path, an address or something else.
    """
    facts = file if isinstance(file, dict) else {}
    path = Path(checked_text("file", text(facts.get("path")), 4096, empty=True)).resolve()
    if path.is_relative_to(served.resolve()) and path.is_file():
        return path, Path(text(facts.get("orig_name")) or path.name).name
    raise BadInput("not_uploaded", field="file")


def answer_facts(name: str, answer: Answer) -> dict[str, Any]:
    """An answer as a script gets it. Raises the error that ended it, if one did."""
    if answer.error:
        raise answer.error
    return {
        "text": answer.text,
        "tokens": answer.tokens,
        "seconds": answer.seconds,
        "adapter": name,
    }


def run_facts(run: RunState) -> dict[str, Any]:
    """A run as a script gets it; `adapter` is the name to ask it by, empty until it has one."""
    return {
        "id": run.id,
        "name": run.name,
        "status": run.status,
        "waiting": run.waiting,
        "step": run.step,
        "steps": run.steps,
        "losses": {
            "train": [[e.step, e.train_loss] for e in run.events if e.train_loss is not None],
            "eval": [[e.step, e.eval_loss] for e in run.events if e.eval_loss is not None],
        },
        "eta_seconds": run.eta_seconds,
        "adapter": run.id if run.has_adapter else "",
        "error": str(run.error) if run.error else "",
    }
