"""A picture that a browser sent can be looked at, and nothing else."""

import pytest

from demo.prompting.report.clean import clean


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ('<p class="verdict">a &lt;b&gt;</p>', '<p class="verdict">a &lt;b&gt;</p>'),
        ("<script>alert(1)</script>after", "after"),
        ("<script>alert(1)", ""),
        ("<scr<script>x</script>ipt>", "xipt&gt;"),
        ('<img src=x onerror="alert(1)">x', "x"),
        ('<p onclick="x" style="background:url(//a)">x</p>', "<p>x</p>"),
        ('<i style="width:12.5%; position:fixed">x</i>', '<i style="width:12.5%">x</i>'),
        ('<a href="javascript:x">x</a>', "x"),
        ("<svg onload=x><script>y</script><circle r=3></svg>", '<svg><circle r="3"></circle></svg>'),
        ('<svg><use href="#x"/><foreignObject><p>x</p></foreignObject></svg>', "<svg><p>x</p></svg>"),
        ('<rect fill="url(http://a/)"/>', "<rect></rect>"),
        ('<svg viewBox="0 0 1 2"></svg>', '<svg viewBox="0 0 1 2"></svg>'),
        ("<p>open", "<p>open</p>"),
        ("</p></div>x", "x"),
        ("<b><p>x</b>y", "<b><p>x</p></b>y"),
        ("<style>p{}</style><!-- x --><math><mtext>x", "x"),
        ('<p title="&quot;><img src=x>">x</p>', '<p title="&#34;&gt;&lt;img src=x&gt;">x</p>'),
        ('<div tabindex="0" id="x">x</div>', '<div tabindex="0">x</div>'),
        ('<div tabindex="9">x</div>', "<div>x</div>"),
        ("<button>Go</button>x", "x"),
    ],
)  # fmt: skip
def test_only_what_can_be_looked_at_is_kept(sent: str, kept: str) -> None:
    assert clean(sent) == kept


def test_cleaning_twice_changes_nothing_and_depth_is_bounded() -> None:
    deep = "<div>" * 5000 + "x"
    once = clean(deep + '<p title="a&amp;b">&amp;lt;</p>')
    assert once.count("<div>") <= 60
    assert clean(once) == once
