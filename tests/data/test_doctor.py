"""Every finding on rows that have just that fault, and what its fix leaves."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from demo.data.damage import PROBLEMS
from demo.data.doctor.fixes import KEYS
from demo.data.doctor.lengths import histogram, middle
from demo.data.store import DatasetStore
from demo.dataset_records import Bar, Finding, Report
from demo.run_records import Row, TrainSettings
from demo.settings import ROOT
from demo.ui.language import LANGUAGES, Texts

STORE = DatasetStore(ROOT / "demo" / "samples")
SETTINGS = TrainSettings(max_length=40, eval_share=0.2)


def words(rows: Sequence[Row]) -> list[int]:
    """Stands for a tokenizer: a word is a token."""
    return [sum(len(m.content.split()) for m in row.messages) for row in rows]


def looked_at(folder: Path, *pairs: tuple[str, str], extra: str = "") -> Report:
    lines = [json.dumps({"prompt": p, "completion": c}) for p, c in pairs]
    info = STORE.add(folder, "rows.jsonl", "\n".join([*lines, extra]).encode())
    return STORE.doctor(folder, info.id, SETTINGS, words)


def finding(report: Report, key: str) -> Finding:
    return next(found for found in report.findings if found.key == key)


def fixed(folder: Path, report: Report, key: str) -> tuple[int, Report]:
    """Rows after a finding's fix, and the next look."""
    fix = finding(report, key).fix
    assert fix is not None
    info = STORE.fix(folder, report.dataset, [fix], words)
    return info.rows, STORE.doctor(folder, report.dataset, SETTINGS, words)


GOOD = [(f"question {n}", f"a long and own answer {n}") for n in range(6)]


def test_good_rows_have_no_finding(tmp_path: Path) -> None:
    report = looked_at(tmp_path, *GOOD)
    assert report.findings == ()
    assert (report.rows, report.longest, report.median) == (6, 8, 8)


FAULTY: dict[str, tuple[list[tuple[str, str]], str, tuple[int, ...], int]] = {
    "repeated": ([GOOD[0], GOOD[1]], "leave_repeated", (7, 8), 6),
    "stray_characters": ([("zero\u200bwidth", "a")], "clean_characters", (7,), 7),
    "wrong_letters": ([("café", "c\u00c3\u00a9l")], "mend_letters", (7,), 7),
    "lost_letters": ([("caf\ufffd", "a b")], "leave_unreadable", (7,), 6),
    "template_tokens": ([("<|im_start|>user\nHi<|im_end|>", "a")], "strip_template", (7,), 7),
    "too_long": ([("long " * 30, "row " * 30)], "leave_long", (7,), 6),
}


@pytest.mark.parametrize("key", FAULTY)
def test_a_fault_is_found_with_its_lines_and_mended(key: str, tmp_path: Path) -> None:
    pairs, fix, lines, left = FAULTY[key]
    report = looked_at(tmp_path, *GOOD, *pairs)
    assert [found.key for found in report.findings] == [key]
    found = finding(report, key)
    assert (found.severity, found.count, found.lines) == ("warning", len(lines), lines)
    assert found.fix is not None
    assert (found.fix.key, found.after) == (fix, left)
    assert found.examples
    assert found.examples[0].line == lines[0]
    rows, again = fixed(tmp_path, report, key)
    assert rows == left
    assert again.findings == ()
    (done,) = again.fixes
    assert (done.before, done.after, done.changed) == (6 + len(pairs), left, len(lines))


def test_a_text_that_is_mended_shows_before_and_after(tmp_path: Path) -> None:
    report = looked_at(tmp_path, *GOOD, ("Hol?", "\u00c5\u00b1zve a h\u00c3\u00a1z mellett"))
    (example,) = finding(report, "wrong_letters").examples
    assert example.before == "Hol? → Å±zve a hÃ¡z mellett"
    assert example.after == "Hol? → űzve a ház mellett"


def test_damaged_lines_are_an_error_and_empty_rows_a_note(tmp_path: Path) -> None:
    extra = '{"prompt": "a"\n{"prompt": "", "completion": "b"}\n7'
    report = looked_at(tmp_path, *GOOD, extra=extra)
    assert [found.key for found in report.findings] == ["damaged", "empty"]
    damaged = finding(report, "damaged")
    assert (damaged.severity, damaged.lines) == ("error", (7, 9))
    assert (damaged.before, damaged.after) == (8, 6)
    assert [damage.key for damage in damaged.damage] == ["not_json", "not_object"]
    assert (finding(report, "empty").severity, finding(report, "empty").lines) == ("note", (8,))
    rows, again = fixed(tmp_path, report, "damaged")
    assert rows == 6
    (done,) = again.fixes
    assert (done.before, done.after) == (9, 7)


LABELS = [(f"text {n}", "good" if n % 2 else "bad") for n in range(12)]


def test_contradicting_labels_keep_the_commonest(tmp_path: Path) -> None:
    against = [("Text 3!", "bad"), ("text 3", "good")]
    report = looked_at(tmp_path, *LABELS, *against)
    found = finding(report, "contradicting")
    assert (found.lines, found.after) == ((13,), 13)
    rows, again = fixed(tmp_path, report, "contradicting")
    assert rows == 13
    assert "contradicting" not in {found.key for found in again.findings}


def test_several_answers_that_are_no_labels_do_not_contradict(tmp_path: Path) -> None:
    pairs = [("same facts", f"another long sentence of its own {n}") for n in range(6)]
    assert looked_at(tmp_path, *pairs).findings == ()


def test_one_label_and_nearly_one_label_are_told_without_a_fix(tmp_path: Path) -> None:
    alone = looked_at(tmp_path, *[(text, "good") for text, _ in LABELS])
    found = finding(alone, "one_label")
    assert (found.count, found.values["label"], found.fix) == (12, "good", None)
    many = [(f"other {n}", "good") for n in range(30)]
    lopsided = finding(looked_at(tmp_path, *many, ("odd", "bad")), "lopsided")
    assert lopsided.values == {"label": "good", "share": 97}


def test_prompts_on_both_sides_of_the_split_are_found_in_any_writing(tmp_path: Path) -> None:
    twins = [(f"  QUESTION {n}?!", f"one more own answer {n}") for n in range(6)]
    report = looked_at(tmp_path, *GOOD, *twins)
    found = finding(report, "shared")
    assert 0 < found.count <= 2
    assert found.after == 6
    rows, again = fixed(tmp_path, report, "shared")
    assert rows == 6
    assert again.findings == ()


def test_plain_text_is_measured_but_never_too_long(tmp_path: Path) -> None:
    info = STORE.add(tmp_path, "a.txt", b"one two\n\n" + b"word " * 100)
    report = STORE.doctor(tmp_path, info.id, SETTINGS, words)
    assert report.findings == ()
    assert report.longest == 100


def test_findings_stand_gravest_first(tmp_path: Path) -> None:
    report = looked_at(tmp_path, *GOOD, GOOD[0], ("", "a"), extra="broken")
    assert [found.severity for found in report.findings] == ["error", "warning", "note"]


@pytest.mark.parametrize("sample", [info.id for info in STORE.samples()])
def test_samples_are_healthy(sample: str) -> None:
    report = STORE.doctor(None, sample, TrainSettings(max_length=512), words)
    assert [found.key for found in report.findings] == []


def test_histogram_has_round_bars_that_hold_every_row() -> None:
    lengths = [*range(12, 112), 300]
    bars = histogram(lengths)
    assert sum(bar.rows for bar in bars) == len(lengths)
    assert bars[0] == Bar(0, 49, 38)
    assert all(bar.high - bar.low == 49 for bar in bars)
    assert histogram([]) == ()
    assert middle(lengths) == 62
    assert middle([]) == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_problem_and_every_fix_has_its_words(language: str) -> None:
    texts = Texts.load()
    assert set(texts.node(language, "say.damage")) == set(PROBLEMS)
    assert set(texts.node(language, "say.doctor.fixes")) == set(KEYS)
    advised = set(texts.node(language, "say.doctor.advice"))
    assert advised | set(FAULTY) <= set(texts.node(language, "say.doctor.findings"))
