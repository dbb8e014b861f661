"""What every scripting endpoint shares: refusals in one sentence, and arguments brought to their type.

Gradio passes on whatever was sent. Knows no endpoint.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

import gradio as gr

from demo.errors import LabError

Arguments = ParamSpec("Arguments")
Value = TypeVar("Value")


def explained(function: Callable[Arguments, Value]) -> Callable[Arguments, Value]:
    """A refusal of the Lab reaches the script as its one sentence, without a traceback."""

    @functools.wraps(function)
    def explaining(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Value:
        try:
            return function(*args, **kwargs)
        except LabError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return explaining


def explained_steps(
    function: Callable[Arguments, Iterator[Value]],
) -> Callable[Arguments, Iterator[Value]]:
    """As `explained`, of an endpoint that tells how far it is; a script that leaves closes it."""

    @functools.wraps(function)
    def explaining(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Iterator[Value]:
        try:
            yield from function(*args, **kwargs)
        except LabError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return explaining


def text(value: Any) -> str:
    """Whatever was sent, as a text; nothing is an empty one."""
    return "" if value is None else str(value)


def names(value: Any) -> list[str]:
    """A list of names, or one, or several with commas between them."""
    values = value if isinstance(value, list) else text(value).split(",")
    return [text(name).strip() for name in values]
