"""A lab's error as one sentence in the visitor's language, and nothing of its inside.

Does not decide what is an error: the rooms below do.
"""

import logging
from typing import Any

from demo.data.damage import Told
from demo.errors import LabError
from demo.ui.language import Texts

log = logging.getLogger(__name__)


def explain(texts: Texts, language: str, error: Exception) -> str:
    """What happened, where and what to do. An unforeseen error is logged and named only as such."""
    if not isinstance(error, LabError):
        log.error("unforeseen error in the page", exc_info=error)
        return str(texts.node(language, "errors.internal"))
    values = {name: _written(texts, language, name, value) for name, value in error.values.items()}
    return str(texts.node(language, f"errors.{error.key}")).format(**values)


def _written(texts: Texts, language: str, name: str, value: Any) -> str:
    """A value of a message: fields by the name that the page gives them, numbers as the language writes."""
    if isinstance(value, LabError):
        return explain(texts, language, value)
    if isinstance(value, Told):
        return texts.say(language, f"damage.{value.damage.key}.{value.part}", **value.damage.values)
    if name == "field":
        return str(texts.node(language, "fields").get(value, value))
    return texts.number(language, value)
