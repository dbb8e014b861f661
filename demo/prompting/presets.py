"""Ready-made ways of drawing the next token: each preset is a name and the values that it sets.

Longest answer and seed are no part of a preset. Knows no widget.
"""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Preset:
    """The fields of `Sampling` that shape a distribution; untouched, they leave it as the model gives it."""

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0

    def values(self) -> dict[str, float]:
        """What is set, by the names of `Sampling`."""
        return asdict(self)

    def stated(self) -> dict[str, float]:
        """The temperature, and whatever else differs from the model's own distribution."""
        neutral = Preset().values()
        return {
            name: value
            for name, value in self.values().items()
            if name == "temperature" or value != neutral[name]
        }


PRESETS: dict[str, Preset] = {
    "greedy": Preset(temperature=0.0),
    "balanced": Preset(temperature=0.7, top_p=0.9),
    # Min-p bears a high temperature, because it cuts relative to the likeliest (Nguyen et al. 2024).
    "creative": Preset(temperature=1.2, min_p=0.05),
    "neutral": Preset(),
}
