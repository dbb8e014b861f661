import json
from typing import Any

import pytest

from demo.data.damage import cure_of, problem_of
from demo.data.ingest import Table, as_table
from demo.data.reading.child import read
from demo.data.rows import to_rows
from demo.data.shapes import Mapping, recognise
from demo.records import Message


def table_of(*records: dict[str, Any]) -> Table:
    data = "\n".join(json.dumps(record) for record in records).encode()
    return as_table("rows.jsonl", data, read(data, ".jsonl"))


CHAT = [{"role": "user", "content": " Hi "}, {"role": "assistant", "content": "Hello"}]


@pytest.mark.parametrize(
    ("record", "mapping"),
    [
        ({"messages": CHAT}, ("messages", "messages", "messages")),
        ({"conversations": CHAT, "id": 1}, ("messages", "conversations", "conversations")),
        ({"instruction": "a", "input": "", "output": "b"}, ("alpaca", "instruction", "output")),
        ({"instruction": "a", "response": "b"}, ("alpaca", "instruction", "response")),
        ({"Prompt": "a", " Completion": "b"}, ("prompt/completion", "Prompt", " Completion")),
        ({"question": "a", "answer": "b"}, ("question/answer", "question", "answer")),
        ({"pytanie": "a", "odpowiedź": "b"}, ("question/answer", "pytanie", "odpowiedź")),
        ({"Kérdés": "a", "Válasz": "b"}, ("question/answer", "Kérdés", "Válasz")),
        ({"utasítás": "a", "bemenet": "", "kimenet": "b"}, ("alpaca", "utasítás", "kimenet")),
        ({"text": "a", "label": 1}, ("text/label", "text", "label")),
        ({"tekst": "a", "etykieta": "b"}, ("text/label", "tekst", "etykieta")),
        ({"text": "a"}, ("text", "", "text")),
        ({"input": "a", "output": "b"}, ("prompt/completion", "input", "output")),
        ({"mr": "a", "ref": "b"}, ("prompt/completion", "mr", "ref")),
        ({"prompt": "a", "response": "b"}, ("prompt/completion", "prompt", "response")),
    ],
)
def test_recognise_maps_known_column_names(
    record: dict[str, Any], mapping: tuple[str, str, str]
) -> None:
    assert recognise(table_of(record)) == Mapping(*mapping, certain=True)


def test_recognise_only_guesses_the_first_text_columns_when_names_are_unknown() -> None:
    table = table_of({"id": "7", "facts": None, "text": "b"}, {"facts": "a"})
    assert recognise(table) == Mapping("columns", "facts", "text", certain=False)


def test_recognise_only_guesses_that_a_single_unknown_column_is_plain_text() -> None:
    assert recognise(table_of({"notes": "a"})) == Mapping("columns", "", "notes", certain=False)


def test_plain_text_is_one_raw_row_for_each_record() -> None:
    table = table_of({"text": " a \n b "}, {"text": ""}, {"text": "c"})
    mapped = to_rows(table, recognise(table))
    assert [(row.raw, row.messages) for row in mapped.rows] == [
        (True, (Message("assistant", "a \n b"),)),
        (True, (Message("assistant", "c"),)),
    ]
    assert mapped.empty == (2,)


def rows_of(*records: dict[str, Any]) -> tuple[list[tuple[Message, ...]], int]:
    table = table_of(*records)
    mapped = to_rows(table, recognise(table))
    assert not mapped.damaged
    return [row.messages for row in mapped.rows], len(mapped.empty)


def test_pairs_are_stripped_and_rows_without_prompt_or_completion_counted() -> None:
    full = {"prompt": " a ", "completion": 3}
    rows, skipped = rows_of(full, {"prompt": "a", "completion": "  "}, {"completion": "b"})
    assert rows == [(Message("user", "a"), Message("assistant", "3"))]
    assert skipped == 2


def test_rows_remember_their_lines() -> None:
    table = table_of({"prompt": "", "completion": "b"}, {"prompt": "a", "completion": "b"})
    mapped = to_rows(table, recognise(table))
    assert [row.line for row in mapped.rows] == [2]
    assert mapped.standing == 2


def test_alpaca_input_stands_below_the_instruction_when_there_is_one() -> None:
    rows, _ = rows_of(
        {"instruction": "Sum", "input": "1 2", "output": "3"},
        {"instruction": "Hi", "input": "", "output": "Ho"},
    )
    assert [messages[0].content for messages in rows] == ["Sum\n\n1 2", "Hi"]


def test_sharegpt_conversations_become_messages() -> None:
    turns = [("system", "s"), ("human", "a"), ("gpt", "b"), ("human", "c"), ("gpt", "d")]
    rows, _ = rows_of({"conversations": [{"from": f, "value": v} for f, v in turns]})
    assert rows[0][0].content == "s"
    assert " ".join(m.role for m in rows[0]) == "system user assistant user assistant"


def test_chat_with_an_empty_turn_is_left_out_and_an_empty_system_turn_dropped() -> None:
    system = {"role": "system", "content": " "}
    silent = [CHAT[0], {"role": "assistant", "content": ""}]
    rows, skipped = rows_of({"messages": [system, *CHAT]}, {"messages": silent})
    assert rows == [(Message("user", "Hi"), Message("assistant", "Hello"))]
    assert skipped == 1


def turns(*roles: str) -> list[dict[str, str]]:
    return [{"role": role, "content": "x"} for role in roles]


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ("Hi", "no list of messages"),
        (["Hi"], "turn 1 has no role"),
        (turns("user", "tool"), "turn 2 has the unknown role 'tool' Use system"),
        ([{"role": ["user"], "content": "x"}], "unknown role"),
        ([CHAT[0], {"role": "assistant", "content": [{"text": "x"}]}], "turn 2 is not text"),
        ([CHAT[0], {"role": "assistant"}], "turn 2 is not text"),
        ([], "no assistant turn"),
        (turns("user", "assistant") * 33, "66 turns, the most is 64 Divide"),
        (turns("user"), "no assistant turn to learn from Begin with"),
        (turns("assistant", "user"), "turn of the assistant stands where the user"),
        (turns("user", "user", "assistant"), "turn of the user stands where the assistant"),
        (turns("user", "assistant", "system"), "turn of the system stands where the user"),
        (turns("user", "assistant", "user"), "ends before the assistant answers"),
    ],
)
def test_bad_chat_is_damage_with_line_and_cure(messages: Any, said: str) -> None:
    table = table_of({"messages": CHAT}, {"messages": messages})
    mapped = to_rows(table, recognise(table))
    (damage,) = mapped.damaged
    assert damage.line == 2
    assert said in f"{problem_of(damage)} {cure_of(damage)}"
    assert len(mapped.rows) == 1


def test_list_where_text_should_be_is_damage_with_its_line() -> None:
    table = table_of({"prompt": "a", "completion": "b"}, {"prompt": "a", "completion": ["b"]})
    (damage,) = to_rows(table, recognise(table)).damaged
    assert (damage.line, damage.key, damage.values) == (2, "holds_list", {"column": "completion"})
