"""One text under two models: what changed, and where they part."""

from demo.evaluation.xray import NO_FORK, xray
from demo.records import Alternative, Scored, TokenChoice


def token(id_: int, logprob: float, likeliest: int) -> TokenChoice:
    return TokenChoice(id_, f" {id_}", logprob, 1, (Alternative(likeliest, f" {likeliest}", -0.1),))


def test_the_first_place_where_they_would_say_different_tokens_is_the_fork() -> None:
    base = Scored((token(1, -1.0, 1), token(2, -2.0, 5), token(3, -1.0, 6)), 4)
    adapted = Scored((token(1, -1.5, 1), token(2, -0.5, 2), token(3, -1.0, 3)), 4)
    found = xray(base, adapted)
    assert found.fork == 1
    assert [one.change for one in found.tokens] == [-0.5, 1.5, 0.0]
    assert found.change == 1.0
    assert not found.unchanged
    assert found.prompt_tokens == 4


def test_an_adapter_that_does_nothing_is_told_by_equal_bits() -> None:
    base = Scored((token(1, -1.0, 1), token(2, -2.0, 5)), 4)
    assert xray(base, base).unchanged
    assert xray(base, base).fork == NO_FORK
    nearly = Scored((token(1, -1.0, 1), token(2, -2.0000001, 5)), 4)
    assert not xray(base, nearly).unchanged
