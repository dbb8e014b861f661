"""How many tokens the rows have: a histogram, the middle one and the longest.

Knows no tokenizer: the counts are handed in.
"""

from collections.abc import Sequence

from demo.dataset_records import Bar

BARS = 10
WIDTHS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000)


def histogram(lengths: Sequence[int]) -> tuple[Bar, ...]:
    """At most about ten bars of equal, round width, from the shortest row to the longest."""
    if not lengths:
        return ()
    span = max(lengths) - min(lengths) + 1
    width = next((width for width in WIDTHS if span <= width * BARS), WIDTHS[-1])
    low = min(lengths) // width * width
    edges = range(low, max(lengths) + 1, width)
    return tuple(
        Bar(edge, edge + width - 1, sum(edge <= n < edge + width for n in lengths))
        for edge in edges
    )


def middle(lengths: Sequence[int]) -> int:
    """The median, an existing length."""
    return sorted(lengths)[len(lengths) // 2] if lengths else 0
