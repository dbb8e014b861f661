"""Hostile adapters: every one is refused in words, whatever was done to the zip or to what is in it."""

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from demo.methods.facts import BaseFacts
from demo.methods.readers.saved import Refused
from demo.methods.reading import CONFIG, TENSORS
from demo.methods.travel import archive
from demo.methods.travel.archive import unpack
from demo.methods.travel.rebuild import rebuilt
from demo.methods.travel.strict_json import strict_json
from tests.methods.making import CONFIGS, facts, make_adapter
from tests.methods.travel.zips import packed, parts, with_config, with_header, with_tensors, zipped

Make = Callable[[Path], bytes]
A = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"


@pytest.fixture(scope="module")
def folder(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_adapter(base, tmp_path_factory.mktemp("made") / "lora", CONFIGS["lora"]())


@pytest.fixture(scope="module")
def known(base: Path) -> BaseFacts:
    return facts(base)


def take(content: bytes, known: BaseFacts) -> None:
    rebuilt(unpack(content), known, "owner/model")


def entry(name: str, **changes: Any) -> Make:
    """The good files and one more entry."""

    def make(folder: Path) -> bytes:
        info = zipfile.ZipInfo(name)
        for field, value in changes.items():
            setattr(info, field, value)
        buffer = io.BytesIO(packed(parts(folder)))
        with zipfile.ZipFile(buffer, "a") as file:
            file.writestr(info, b"x")
        return buffer.getvalue()

    return make


def moved(prefix: str) -> Make:
    return lambda folder: packed({f"{prefix}{n}": data for n, data in parts(folder).items()})


def config(**changes: Any) -> Make:
    return lambda folder: with_config(folder, **changes)


def text(data: bytes) -> Make:
    return lambda folder: packed({**parts(folder), CONFIG: data})


def header(change: Callable[[dict[str, Any]], Any]) -> Make:
    return lambda folder: with_header(folder, change)


def tensors(change: Callable[[dict[str, Tensor]], Any]) -> Make:
    return lambda folder: with_tensors(folder, change)


def lying(folder: Path) -> bytes:
    """A zip whose directory says that the tensors are one byte long."""
    content = bytearray(packed(parts(folder), zipfile.ZIP_STORED))
    place = content.rindex(b"PK\x01\x02")
    content[place + 24 : place + 28] = struct.pack("<I", 1)
    return bytes(content)


def encrypted(folder: Path) -> bytes:
    content = bytearray(packed(parts(folder)))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.index(mark)
        content[place + offset] |= 1
    return bytes(content)


def twice(folder: Path) -> bytes:
    buffer = io.BytesIO(packed(parts(folder)))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(buffer, "a") as file:
        file.writestr(CONFIG, b"{}")
    return buffer.getvalue()


def offsets(start: int, end: int) -> Make:
    return header(lambda h: {**h, A: {**h[A], "data_offsets": [start, end]}})


LINK = 0o120777 << 16
DEEP = b'{"peft_type": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"
HOSTILE: dict[str, tuple[Make, str]] = {
    "nothing": (lambda _: b"", "no zip file"),
    "no zip": (lambda _: b"GIF89a" * 99, "no zip file"),
    "half a zip": (lambda f: packed(parts(f))[:-40], "no zip file"),
    "too large": (lambda _: bytes(archive.LARGEST_ARCHIVE + 1), "the most is 48 MB"),
    "climbs": (entry("../../evil.py"), "leads out of its folder"),
    "absolute": (entry("/etc/passwd"), "leads out of its folder"),
    "drive": (entry("C:/evil"), "leads out of its folder"),
    "backslash": (entry("a\\..\\b"), "leads out of its folder"),
    "link": (entry("link", external_attr=LINK), "is a link"),
    "linked config": (entry("x/link.json", external_attr=LINK), "is a link"),
    "pipe": (entry("pipe", external_attr=0o010666 << 16), "is a link or a device"),
    "pickle": (entry("training_args.bin"), "may run code"),
    "optimizer": (entry("optimizer.pt"), "may run code"),
    "scores in a pickle": (entry("deep/er/SCORES.PKL"), "may run code"),
    "encrypted": (encrypted, "is encrypted"),
    "twice": (twice, "two files of one name"),
    "two adapters": (entry(f"other/{CONFIG}"), "holds 2 files adapter_config.json"),
    "twice but for its letters": (entry("Adapter_Config.json"), "two files of one name"),
    "no config": (lambda f: packed({TENSORS: parts(f)[TENSORS]}), "holds 0 files"),
    "no tensors": (lambda f: packed({CONFIG: parts(f)[CONFIG]}), "is missing beside"),
    "too deep": (moved("a/b/"), "more than one folder"),
    "many": (
        lambda f: packed({**parts(f), **{f"{n}.txt": b"" for n in range(64)}}),
        "more than 64 files",
    ),
    "lzma": (lambda f: packed(parts(f), zipfile.ZIP_LZMA), "does not read"),
    "bzip2": (lambda f: packed(parts(f), zipfile.ZIP_BZIP2), "does not read"),
    "lying size": (lying, "not as long as the zip says|no zip file"),
    "bomb": (
        lambda f: packed({**parts(f), CONFIG: b" " * (archive.LARGEST_TEXT + 1)}),
        "more than 1 MB",
    ),
    "config of no JSON": (text(b"{'peft_type': 1}"), "no strict JSON"),
    "config of a list": (text(b"[]"), "no JSON object"),
    "config of Latin letters": (text('{"r": "é"}'.encode("latin-1")), "no strict JSON"),
    "config in UTF-16": (text('{"r": 4}'.encode("utf-16")), "no strict JSON"),
    "config with a mark": (text(b"\xef\xbb\xbf{}"), "no strict JSON"),
    "config with a name twice": (text(b'{"r": 4, "r": 8}'), "no strict JSON"),
    "config of NaN": (text(b'{"r": NaN}'), "no strict JSON"),
    "config of depths": (text(DEEP), "no strict JSON|nested deeper"),
    "config of ten levels": (text(b'{"a":' * 10 + b"1" + b"}" * 10), "nested deeper"),
    "config of a huge number": (text(b'{"r": ' + b"9" * 9000 + b"}"), "no strict JSON"),
    "unknown method": (config(peft_type="VERA"), "type VERA"),
    "pissa": (config(init_lora_weights="pissa"), "init_lora_weights"),
    "loftq": (config(loftq_config={"bits": 4}), "loftq_config"),
    "replicated layers": (config(layer_replication=[[0, 2], [0, 2]]), "layer_replication"),
    "bias": (config(bias="all"), "bias"),
    "whole modules": (config(modules_to_save=["lm_head"]), "modules_to_save"),
    "more tokens": (config(trainable_token_indices=[1]), "trainable_token_indices"),
    "pattern of ranks": (config(rank_pattern={".*": 4}), "rank_pattern"),
    "pattern of names": (config(target_modules=".*"), "target_modules"),
    "a million names": (config(target_modules=["q_proj"] * 5000), "more or longer names"),
    "long names": (config(target_modules=["q_proj", "x" * 201]), "more or longer names"),
    "rank of a billion": (config(r=10**9), "whole number between 1 and 256"),
    "rank that was not saved": (config(r=256), "has not the shape"),
    "negative rank": (config(r=-4), "whole number"),
    "loud": (config(lora_alpha=65), "more than 16 times its rank"),
    "silent": (config(lora_alpha=0), "lora_alpha"),
    "base weights": (
        tensors(lambda t: {**t, "base_model.model.lm_head.weight": torch.zeros(96, 64)}),
        "is not expected",
    ),
    "another adapter's weights": (
        tensors(lambda t: {**t, "x.modules_to_save.victim.weight": torch.zeros(2)}),
        "is not expected",
    ),
    "a tensor too few": (tensors(lambda t: {n: v for n, v in t.items() if n != A}), "is missing"),
    "NaN": (tensors(lambda t: {n: v * float("nan") for n, v in t.items()}), "NaN"),
    "infinity": (tensors(lambda t: {n: v / 0 for n, v in t.items()}), "NaN, infinity"),
    "a thousand and one": (
        tensors(lambda t: {n: v * 0 + 1001 for n, v in t.items()}),
        "above 1000",
    ),
    "doubles": (tensors(lambda t: {n: v.double() for n, v in t.items()}), "of a type"),
    "whole numbers": (tensors(lambda t: {n: v.int() for n, v in t.items()}), "of a type"),
    "turned": (tensors(lambda t: {**t, A: t[A].T.contiguous()}), "has not the shape"),
    "no header": (lambda f: packed({**parts(f), TENSORS: b"\x00"}), "longer than it may be"),
    "header of exabytes": (
        lambda f: packed({**parts(f), TENSORS: b"\xff" * 8 + b"{}"}),
        "longer than it may be",
    ),
    "long header": (
        header(lambda h: {**h, "__metadata__": {"x": "y" * 2**20}}),
        "longer than it may be",
    ),
    "header with a name twice": (
        header(lambda h: json.dumps(h).encode()[:-1] + b', "__metadata__": {}}'),
        "no strict JSON",
    ),
    "header of a list": (header(lambda h: [h]), "no JSON object"),
    "many empty tensors": (
        header(lambda h: h | {f"t{n}": {} for n in range(9999)}),
        "is not expected",
    ),
    "huge dimensions": (
        header(lambda h: {**h, A: {**h[A], "shape": [2**62, 2**62]}}),
        "has not the shape",
    ),
    "overlap": (offsets(0, 4 * 4 * 64), "over one another"),
    "negative place": (offsets(-1024, 0), "over one another"),
    "place without end": (offsets(0, 2**62), "does not fill"),
    "place of text": (
        header(lambda h: {**h, A: {**h[A], "data_offsets": "all"}}),
        "where its tensors lie",
    ),
    "type of a list": (header(lambda h: {**h, A: {**h[A], "dtype": []}}), "of a type"),
    "tensor of a number": (header(lambda h: {**h, A: 1}), "of a type"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_adapter_is_refused_in_words(folder: Path, known: BaseFacts, name: str) -> None:
    make, expected = HOSTILE[name]
    content = make(folder)
    with pytest.raises(Refused, match=expected) as refusal:
        take(content, known)
    assert len(str(refusal.value)) < 400


def test_a_rank_whose_weights_nobody_could_hold_is_refused_before_they_are_read(
    folder: Path, known: BaseFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.methods.travel.rebuild.LARGEST_TENSORS", 1000)
    with pytest.raises(Refused, match="its weights would have more than"):
        take(zipped(folder), known)


def test_numbers_that_only_become_infinite_together_are_refused(
    base: Path, known: BaseFacts, tmp_path: Path
) -> None:
    """A length of DoRA is divided by that of a row which may be zero."""
    dora = make_adapter(base, tmp_path / "dora", CONFIGS["dora"]())
    still = with_tensors(dora, lambda t: {n: v * ("lora_B" not in n) for n, v in t.items()})
    take(still, known)
    zeros = replace(known, weight=lambda name: torch.zeros(known.parameters[name]))
    with pytest.raises(Refused, match="once they are put together"):
        take(still, zeros)


def test_bytes_changed_at_random_are_taken_or_refused_and_nothing_else(
    folder: Path, known: BaseFacts
) -> None:
    """Whole zips, and the files in them: 3,000 mutations."""
    draw = random.Random(7)
    inner, whole = parts(folder), zipped(folder)
    small = packed({CONFIG: inner[CONFIG], TENSORS: inner[TENSORS][:4096]})
    refused = 0
    for turn in range(3000):
        if turn % 3 == 0:
            name = draw.choice((CONFIG, TENSORS))
            content = packed({**inner, name: _mutated(inner[name], draw)}, zipfile.ZIP_STORED)
        else:
            content = _mutated(whole if turn % 3 == 1 else small, draw)
        try:
            take(content, known)
        except Refused:
            refused += 1
    assert refused > 1500


def _mutated(data: bytes, draw: random.Random) -> bytes:
    """A few bytes changed, taken out or put in; mostly near the ends, where zips keep their directory."""
    changed = bytearray(data)
    for _ in range(draw.randint(1, 6)):
        size = len(changed)
        place = draw.choice(
            (draw.randrange(size), draw.randrange(min(size, 900)), -draw.randint(1, min(size, 400)))
        )
        kind = draw.randrange(4)
        if kind == 0:
            changed[place] ^= 1 << draw.randrange(8)
        elif kind == 1:
            changed[place] = draw.randrange(256)
        elif kind == 2:
            changed[place : place + draw.randint(1, 8) if place >= 0 else None] = b""
        else:
            changed[place:place] = draw.randbytes(draw.randint(1, 8))
        if len(changed) < 30:
            break
    return bytes(changed)


def test_json_of_the_allowed_depth_is_read() -> None:
    value: Any = 1
    for _ in range(7):
        value = [value]
    assert strict_json(json.dumps(value).encode(), "here") == value
