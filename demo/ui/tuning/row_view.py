"""One row as the model reads it, drawn while the visitor still chooses the columns.

Knows no dataset: text and row are handed in.
"""

from markupsafe import Markup

from demo.run_records import Row
from demo.ui.language import Texts
from demo.ui.views import notice, preview

LONGEST = 1_200
"""Characters shown."""


def first_row(texts: Texts, language: str, text: str, row: Row | None) -> Markup:
    """The first row through the template, or as a table while the model still loads."""
    if row is None:
        return notice(texts.say(language, "first_row_empty"), "quiet")
    if not text:
        return preview(texts, language, (row,))
    shown = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    said = texts.say(language, "first_row", line=row.line)
    return Markup('<p class="facts">{}</p><pre class="first-row" tabindex="0">{}</pre>').format(
        said, shown
    )
