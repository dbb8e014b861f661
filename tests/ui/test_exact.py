"""The exact prompt shows every token by itself, and whatever is typed stays text."""

import re

import pytest

from demo.records import PromptToken, RenderedPrompt, TokenWriter
from demo.ui.exact import MOST_FIRST, MOST_LAST, exact_notice, exact_prompt
from demo.ui.language import LANGUAGES, Texts

TEXTS = Texts.load()


def drawn(*tokens: tuple[bytes, TokenWriter], language: str = "en") -> str:
    told = tuple(PromptToken(id, data, writer) for id, (data, writer) in enumerate(tokens, 100))
    prompt = RenderedPrompt("", tuple(t.id for t in told), 8192, told)
    return str(exact_prompt(TEXTS, language, prompt)["html"])


def test_every_token_is_marked_with_its_writer_its_place_and_its_id() -> None:
    html = drawn((b"<s>", "control"), (b"user\n", "template"), (b" Hi", "text"))
    assert '<span class="control" data-place="1" data-id="100">&lt;s&gt;</span>' in html
    assert '<span class="template line" data-place="2" data-id="101">user\n</span>' in html
    assert '<span class="" data-place="3" data-id="102"> Hi</span>' in html


def test_tokens_are_counted_against_the_context_and_the_templates_are_told() -> None:
    html = drawn((b"<s>", "control"), (b"a", "text"), (b"b", "text"))
    assert "3 of 8,192 tokens · 1 of them" in html


def test_part_of_a_character_is_shown_as_bytes() -> None:
    html = drawn((b" \xf0\x9f", "text"), (b"\xa6", "text"), ("ű".encode(), "text"))
    shown = re.findall(r'<span class="[^"]*" data-place[^>]*>([^<]*)</span>', html)
    assert shown == [
        " \N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}f0 9f"
        "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
        "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}a6"
        "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
        "ű",
    ]


def test_what_is_typed_is_escaped() -> None:
    html = drawn((b"<img src=x onerror=alert(1)>", "text"), (b"<script>", "template"))
    assert "<img" not in html
    assert "<script" not in html
    assert "<b>" not in str(exact_notice("<b>")["html"])


def test_middle_of_a_long_prompt_keeps_its_text_without_tints() -> None:
    count = MOST_FIRST + MOST_LAST + 500
    html = drawn(*[(b"%d " % n, "text") for n in range(count)])
    assert html.count("data-place") == MOST_FIRST + MOST_LAST
    assert "500 tokens, not tinted" in html
    text = re.sub(r"<em>.*?</em>", "", html.partition("<pre")[2].partition("</pre>")[0])
    assert re.sub(r"<[^>]*>", "", text.partition(">")[2]) == "".join(f"{n} " for n in range(count))
    assert f'data-place="{count}" data-id="{99 + count}"' in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentence_for_a_token_that_is_pointed_at_has_its_fields(language: str) -> None:
    html = drawn((b"a", "text"), language=language)
    sentence = html.partition('data-sentence="')[2].partition('"')[0]
    assert {"{place}", "{id}", "{shown}"} <= set(re.findall(r"\{\w+\}", sentence))
