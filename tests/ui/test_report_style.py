"""The style sheet of a report stands alone, and knows every colour that it uses."""

import re

from demo.ui.report_style import report_style


def test_every_colour_is_known_and_nothing_comes_from_outside() -> None:
    style = report_style()
    assert "url(" not in style
    assert "@import" not in style
    assert not re.search(r":\s*\*", style)
    assert "</" not in style
    colours = r"--(?:body|background|border|color|font|input|speaker|wash|tint|good|bad)[\w-]*"
    used = set(re.findall(rf"var\(({colours})\)", style))
    assert used
    assert used <= set(re.findall(rf"({colours})\s*:", style))


def test_the_dark_is_the_readers_wish() -> None:
    style = report_style()
    assert ".dark" not in style
    dark = style.split("@media (prefers-color-scheme: dark)")[2]
    assert ":root{ --speaker-0" in re.sub(r"\{\s+", "{ ", dark)
    assert "--tint-0" in dark
