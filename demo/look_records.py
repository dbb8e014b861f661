"""What the lab shows of one prompt without answering it: the next token's distribution, and attention."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """A token that could come next."""

    id: int
    text: str
    logit: float
    """As the model gave it, before any setting."""
    said: bool = False
    """It stands in the prompt, so a repetition penalty lowers it."""


@dataclass(frozen=True)
class NextToken:
    """One next-token distribution, small enough to be kept by a browser and redrawn there and then."""

    candidates: tuple[Candidate, ...]
    """The likeliest first; every token of the prompt is among them."""
    tail: tuple[tuple[float, int], ...]
    """All others as (logit, how many tokens), in narrow bins; the likeliest first."""
    prompt_tokens: int


@dataclass(frozen=True)
class Attention:
    """How much one token of a prompt draws from each token up to itself, in every head."""

    tokens: tuple[str, ...]
    """The prompt up to the token that looks, which is the last of them; before them, where there are
    `virtual` ones, an empty text that stands for all of these."""
    weights: tuple[tuple[tuple[float, ...], ...], ...]
    """[layers][heads][tokens]; every head's weights sum to 1."""
    virtual: int = 0
    """Tokens without a text (a prefix, a soft prompt) that an adapter puts before the prompt."""
    following: tuple[str, ...] = ()
    """The rest of the prompt, which this token cannot see."""
