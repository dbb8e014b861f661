"""The map of files at the end of README.md, drawn from the disk: `make fix` renews it.

Modules are described by the first line of their own docstring or comment, folders and other files here.
"""

import ast
import subprocess
from pathlib import Path

from demo.settings import ROOT

README = ROOT / "README.md"
BEGIN, END = "<!-- map -->\n```text\n", "```\n<!-- end of map -->"
WIDTH = 24

DESCRIBED = {
    ".ci/": "`run`: everything a change must pass.",
    ".gitignore": "What git leaves alone.",
    ".pre-commit-config.yaml": "Checks before every commit, for those who want them.",
    "LICENSE": "Apache-2.0.",
    "Makefile": "Every command of the project.",
    "README.md": "This page.",
    "adapters/": "The adapters that ship with the lab: weights, card and run.json.",
    "benchmarks/": "Commands that print measures or make what ships.",
    "benchmarks/texts/": "Prose that perplexity is measured on, written for it: English and Hungarian.",
    "constraints.txt": "The tested versions.",
    "demo/": "The lab; imports go down this house's floors only.",
    "demo/data/": "Uploaded bytes to checked rows to token ids with a loss mask.",
    "demo/data/doctor/": "What would spoil a run over a dataset, and what mends it.",
    "demo/data/reading/": "The process that reads an upload: encodings and file formats, line by line.",
    "demo/engine/": "The resident base model: from requests to streams of answers.",
    "demo/engine/compiled/": "The forward pass in C++, for int8 Llama-like models on a CPU.",
    "demo/engine/general/": "The forward pass of transformers, for any model, device and precision.",
    "demo/engine/model/": "The base model and adapters: found, checked, loaded.",
    "demo/engine/turns/": "The engine's thread: who is next, one token for everybody, faults.",
    "demo/evaluation/": "Metrics.",
    "demo/experiments/": "Many questions in the background: how much a prompt matters, and whether the model writes one.",
    "demo/experiments/wordings.yaml": "Instructions that mean the same, for each labelled sample.",
    "demo/lab/": "Every service of the lab, and every limit.",
    "demo/methods/measured.json": "What every method reached in a minute on one machine; the benchmark writes it.",
    "demo/methods/": "Fine-tuning methods: what each is, and what an adapter does to its base.",
    "demo/methods/readers/": "One file per kind of adapter: from a checked folder to plain tensors.",
    "demo/methods/travel/": "Adapters from elsewhere, checked and written anew; merged, or put into their base.",
    "demo/methods/tuning/": "One file per family of methods: built into a model, trained, saved.",
    "demo/prompting/": "Prompt files to messages, answers to what was asked for.",
    "demo/prompting/report/": "What a visit found, as JSON, as CSV and as one HTML page.",
    "demo/samples/": "Small datasets that ship with the lab, each with source and licence.",
    "demo/text/": "Tokenizer and chat template: one rendering for chat and training.",
    "demo/training/": "The training loop, the run folder, the queue and the worker process.",
    "demo/ui/": "The page; the only room that knows Gradio.",
    "demo/ui/assets/": "Style sheet, script and icon of the page.",
    "demo/ui/glass/": "What opens under the Playground's chat: one fold for each way of looking at a prompt.",
    "demo/ui/tabs/": "One file per tab.",
    "demo/ui/judging/": "What opens on Compare: one file for each fold.",
    "demo/ui/tuning/": "What opens on Fine-tune: one file for each fold.",
    "demo/ui/text/": "Every word of the page: a file per language, and a folder of what its folds say.",
    "docs/": "The picture above.",
    "packages.txt": "What a Space installs from Debian: the compiler.",
    "prompts/": "Prompt files: Markdown with front matter, `$input` where the message goes.",
    "pyproject.toml": "Settings of the linter, the type checker, the tests and the floors.",
    "requirements-dev.txt": "Tools for tests and checks.",
    "requirements.txt": "What the lab needs, in ranges.",
    "tests/": "Mirrors demo/; `browser/` walks the page in a real browser.",
}
CLOSED = (
    "adapters/",
    "benchmarks/texts/",
    "demo/samples/",
    "demo/ui/assets/",
    "demo/ui/text/",
    "docs/",
    "prompts/",
    "tests/",
    ".ci/",
)
"""Folders of data or of mirrors: one line for all of it."""


def draw() -> str:
    """One line per file and folder, in the order of the disk."""
    return "".join(f"{_indented(path):{WIDTH}} {_description(path)}\n" for path in _paths())


def shown() -> str:
    """The map as it stands in README.md."""
    return README.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


def renew() -> None:
    """Draw the map in README.md anew."""
    before, begin, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    README.write_text(before + begin + draw() + END + after, encoding="utf-8")


def _paths() -> list[str]:
    """Files that belong to the project, and every folder on the way to them."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    paths = {"adapters/"}
    for name in listed:
        if not (ROOT / name).exists():
            continue
        folders = [f"{parent}/" for parent in Path(name).parents if str(parent) != "."]
        closed = [folder for folder in folders if folder in CLOSED]
        paths.update(folders if not closed else [f for f in folders if len(f) <= len(closed[0])])
        if not closed and not name.endswith("__init__.py"):
            paths.add(name)
    return sorted(paths, key=lambda path: (path.count("/") == 0, path))


def _indented(path: str) -> str:
    name = path.rstrip("/")
    depth = name.count("/")
    return "  " * depth + path[len(name) - len(Path(name).name) :]


def _description(path: str) -> str:
    if path.endswith(".py"):
        source = (ROOT / path).read_text(encoding="utf-8")
        return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
    if path.endswith(("cpp", "hpp")):
        return (ROOT / path).read_text(encoding="utf-8").partition("\n")[0].removeprefix("// ")
    return DESCRIBED[path]


if __name__ == "__main__":
    renew()
