"""The token lens: how sure the model was of each token it said, what it almost said, and branches from there.

Tokens and alternatives are those of the answer's own decode; the browser keeps them, and gets only what
is new while they stream. Knows no knob: a branch is asked with what its answer was asked with.
"""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, fields, replace
from typing import Any

import gradio as gr

from demo.checks import chosen
from demo.errors import BadInput
from demo.prompting.branches import DEEPEST, MOST_BRANCHES, Packing, Tree, kept, tree_of
from demo.records import Answer, AnswerRequest, Message, Sampling
from demo.ui import speech
from demo.ui.glass.section import Asked, script, section
from demo.ui.memory import recalled, visitor
from demo.ui.shell import STREAM, Shell, wire_stop

ALTERNATIVES = 5
EMPTY: dict[str, Any] = {"key": 0, "asked": {}, "question": "", "branches": [], "said": ""}
ROLES = ("system", "user", "assistant")
TEMPLATE = """<div class="lens" data-any="false" data-busy="false">
<p class="lens-empty hint"></p><p class="lens-question hint"></p><p class="lens-legend"></p><p class="lens-ended hint" role="status"></p>
<div class="lens-tokens" role="toolbar"></div><div class="lens-place"></div>
<div class="lens-said" role="alert"></div><div class="lens-tree"></div></div>"""
"""The script fills it; nothing that anybody said is ever part of it."""
FEED = """(chat, lens) => {
  const last = (chat.turns ?? []).at(-1), told = chat.lens;
  if (!last) return {key: lens.key, asked: {}, question: '', branches: [], said: ''};
  const [first, ...others] = lens.branches;
  if (!told) {
    if (!first || first.reason) return lens;
    const lines = first.tokens.split('\\n').slice(0, last.tokens), reason = last.reason || (last.error ? 'error' : '');
    const ended = {...first, text: last.answer, tokens: lines.map(line => line && line + '\\n').join(''), reason};
    return {...lens, branches: [ended, ...others]};
  }
  const root = {tokens: told.tokens, text: last.answer, parent: -1, place: 0, reason: told.reason};
  if (told.key === lens.key) return {...lens, branches: [root, ...others]};
  return {key: told.key, asked: told.asked, question: told.question, branches: [root], said: ''};
}"""
"""Runs in the browser: what the chat's stream tells of its newest answer becomes the lens's root."""


class Sight:
    """What the lens is told of one answer while it streams, as part of the chat's value.

    Args:
        question: as it is asked; without alternatives the lens is told nothing.
    """

    def __init__(self, question: AnswerRequest) -> None:
        self._watched = question.alternatives > 0
        self._packing = Packing()
        # Newer answers have a larger key.
        key = time.time_ns() // 1_000_000
        self._fixed = {"key": key, "asked": asked_of(question), "question": _last(question)}

    def of(self, answer: Answer) -> dict[str, Any]:
        """What to add to the chat's value."""
        if not self._watched:
            return {}
        tokens, reason = self._packing.grown(answer.choices), _reason(answer)
        return {"lens": self._fixed | {"tokens": tokens, "reason": reason}}


def switch(shell: Shell) -> Any:
    """The switch that every question looks at; it shows where the lens is built."""
    return shell.labels.add(
        gr.Checkbox, "lens.watch", value=False, interactive=True, elem_id="watch", render=False
    )


def watched(question: AnswerRequest, given: dict[str, Any]) -> AnswerRequest:
    """The question, telling alternatives where the switch is on."""
    return replace(question, alternatives=ALTERNATIVES) if given.get("watch") is True else question


def build(shell: Shell, asked: Asked) -> None:
    """Lay out the fold, then wire it."""
    with section(shell, "lens"):
        asked.inputs["watch"].render()
        view = gr.HTML(
            EMPTY,
            html_template=TEMPLATE,
            js_on_load=script(
                shell.texts, "lens", LIMITS={"most": MOST_BRANCHES, "deepest": DEEPEST}
            ),
            apply_default_css=False,
            elem_id="lens-view",
        )
        stop = shell.labels.add(
            gr.Button, "lens.stop", size="sm", elem_classes="lens-stop", min_width=90
        )
    asked.results["lens"] = view
    asked.chat.told(
        None, [asked.chat, view], view, js=FEED, api_visibility="private", show_progress="hidden"
    )
    inputs = {"lens": view, "memory": shell.memory, "language": shell.language}
    forking = view.fork(shell.bind(fork), inputs_kwargs=inputs, outputs=view, **STREAM)
    wire_stop(stop, [forking], settle, {"lens": view}, view)


def fork(shell: Shell, request: gr.Request, event: gr.EventData, **given: Any) -> Iterator[Any]:
    """Stream the branch that begins with another token; stopping or leaving frees its place."""
    lens, language = _held(given["lens"]), given["language"]
    if any(not entry.get("reason") for entry in lens["branches"]):
        yield lens | {"said": shell.texts.say(language, "answer_under_way")}
        return
    grown = lens
    try:
        tree = tree_of(lens["branches"]).forked(*_wanted(event))
        question = question_of(lens["asked"], tree.begun())
        memory = given["memory"]
        who = {"workspace": recalled(memory)["workspace"], "visitor": visitor(memory, request)}
        with closing(shell.lab.answer(replace(question, **who))) as increments:
            for grown in _growing(shell, lens, tree, increments):
                yield grown
    except Exception as error:
        # A branch without a word of its own leaves nothing behind.
        yield settle(grown) | {"said": shell.explain(language, error)}


def _wanted(event: gr.EventData) -> list[Any]:
    """Branch, place and token that the script sends; the tree checks them."""
    return [getattr(event, name, None) for name in ("branch", "place", "token")]


def _growing(
    shell: Shell, lens: dict[str, Any], tree: Tree, increments: Iterator[Answer]
) -> Iterator[dict[str, Any]]:
    """The lens's value with the newest branch as far as it has come."""
    branch = tree.branches[-1]
    newest = kept(branch)
    packing = Packing(newest["tokens"])
    for answer in speech.paced(increments, shell.gap):
        if answer.error:
            raise answer.error
        newest = newest | {
            "tokens": packing.grown(answer.choices),
            "text": branch.tokens[0].text + answer.text,
            "reason": _reason(answer),
        }
        yield lens | {"branches": [*lens["branches"], newest], "said": ""}


def settle(lens: Any) -> Any:
    """Mark the branch that was under way as stopped."""
    held = _held(lens)
    branches = [b | {"reason": b.get("reason") or "stopped"} for b in held["branches"]]
    return held | {"branches": branches}


def asked_of(question: AnswerRequest) -> dict[str, Any]:
    """What a branch of this answer has to be asked with again."""
    return {
        "messages": [[m.role, m.content] for m in question.messages],
        "adapter": question.adapter,
        "completion": question.completion,
        "control": question.control,
        "sampling": asdict(question.sampling),
    }


def question_of(value: Any, begun: tuple[int, ...]) -> AnswerRequest:
    """The question that a browser kept, to be answered from `begun` on, no longer than before."""
    try:
        messages = tuple(
            Message(chosen("role", role, ROLES), content)  # type: ignore[arg-type]
            for role, content in value["messages"]
        )
        sampling = Sampling(**{f.name: value["sampling"][f.name] for f in fields(Sampling)})
        adapter, completion, control = (value[n] for n in ("adapter", "completion", "control"))
    except (KeyError, TypeError, ValueError):
        raise BadInput("branch_tree") from None
    left = max(sampling.max_new_tokens - len(begun), 1)
    return AnswerRequest(
        messages=messages,
        adapter=str(adapter),
        sampling=replace(sampling, max_new_tokens=left),
        completion=completion is True,
        control=control is True,
        begun=begun,
        alternatives=ALTERNATIVES,
    )


def _held(value: Any) -> dict[str, Any]:
    """The lens's value with every part present; entries that are no branches are dropped."""
    given = value if isinstance(value, dict) else {}
    held = {name: given.get(name, empty) for name, empty in EMPTY.items()}
    entries = held["branches"] if isinstance(held["branches"], list) else []
    return held | {"branches": [e for e in entries if isinstance(e, dict)]}


def _reason(answer: Answer) -> str:
    return (answer.reason or "end") if answer.done else ""


def _last(question: AnswerRequest) -> str:
    return question.messages[-1].content[:200]
