"""What a fold has found as rows of single values, where its own shape would be no table.

Only the weights of attention are: a row for each token under each head. Knows no file format.
"""

from collections.abc import Mapping
from typing import Any

from demo.prompting.report.readable import mean_attention

MOST_ROWS = 50_000
"""Of single heads: more make a file that spreadsheets open slowly, and may be larger than one may be."""
LEFT_OUT = "single heads are left out: too many rows for a table; the JSON file has them"


def tabular(name: str, data: Any) -> Any:
    """A part's data as `report.files.as_csv` writes it; all but attention stay as they are."""
    if name == "attention" and isinstance(data, dict) and data.get("attention"):
        return _attention(data)
    return data


def _attention(data: Mapping[str, Any]) -> dict[str, Any]:
    """The mean of all heads for each token, and each head's own weight for it."""
    tokens, heads = data["tokens"], data["attention"]
    means = zip(tokens, mean_attention(heads), strict=True)
    found = {name: one for name, one in data.items() if name not in ("tokens", "attention")}
    found["tokens"] = [{"token": str(token), "weight": round(mean, 6)} for token, mean in means]
    if len(tokens) * len(heads) > MOST_ROWS:
        return found | {"heads": LEFT_OUT}
    found["heads"] = [
        {"layer": head["layer"], "head": head["head"], "token": str(token), "weight": weight}
        for head in heads
        for token, weight in zip(tokens, head["weights"], strict=True)
    ]
    return found
