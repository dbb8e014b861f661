import pytest

from demo.data.doctor.mending import cleaned, mended, without_template

SENTENCES = [
    "Árvíztűrő tükörfúrógép, őszi „szél” \N{EN DASH} ŐRÜLT ÍRÓ…",
    "Zażółć gęślą jaźń, pójdź kińże tę chmurność",
    "Świt, Łódź, Źródło, Ćma, Żaba, Ńie",
    "Où est l\N{RIGHT SINGLE QUOTATION MARK}été ? À Noël.",
]


def misread(sentence: str, encoding: str) -> str:
    """UTF-8 bytes read as a one-byte encoding, its open places as controls, as browsers do."""
    return "".join(
        bytes([byte]).decode(encoding) if known(byte, encoding) else chr(byte)
        for byte in sentence.encode()
    )


def known(byte: int, encoding: str) -> bool:
    try:
        bytes([byte]).decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize("encoding", ["cp1252", "cp1250"])
@pytest.mark.parametrize("sentence", SENTENCES)
def test_misread_letters_are_put_right(sentence: str, encoding: str) -> None:
    wrong = misread(sentence, encoding)
    assert wrong != sentence
    assert mended(wrong) == sentence


@pytest.mark.parametrize(
    "sentence",
    [*SENTENCES, "KRÓŁ I KSIĘŻYC, PÓŹNO", "ÁÉÍ ŐŰ ÖÜ", "Ą Ę Ł ŚĆŻ", "âge, Ärger, Ångström"],
)
def test_right_letters_stay(sentence: str) -> None:
    assert mended(sentence) == sentence


def test_characters_that_nobody_sees_go_and_what_scripts_need_stays() -> None:
    assert cleaned("a\u200bb\ufeffc\u00add\x07e\u202ef") == "abcdef"
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert (
        cleaned(f"{family} \u0645\u06cc\u200c\u062e\u0648\ttab\nline")
        == f"{family} \u0645\u06cc\u200c\u062e\u0648\ttab\nline"
    )


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<|im_start|>user\nHi<|im_end|>", "Hi"),
        ("[INST] Hi [/INST]", "Hi"),
        ("<s>Hi</s>", "Hi"),
        ("<<SYS>>Be kind<</SYS>>", "Be kind"),
        ("<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>", "Hi"),
        ("<start_of_turn>user\nHi<end_of_turn>", "Hi"),
        ("a < b and b > c, <b>bold</b>, a|b", "a < b and b > c, <b>bold</b>, a|b"),
        (" spaces stay ", " spaces stay "),
    ],
)
def test_marks_of_chat_templates_go(text: str, plain: str) -> None:
    assert without_template(text) == plain
