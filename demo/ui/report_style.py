"""The page's own look for a file that stands alone: its colours and style sheet, light or dark by the reader's wish.

Knows no report; where the page switches to dark by a class, the file follows `prefers-color-scheme`.
"""

import re

from demo.ui.theme import ASSETS, TEAL, surfaces

DARK = "@media (prefers-color-scheme: dark) {{ {} }}\n"
DARK_RULE = re.compile(r"^(\.dark\b[^{]*)\{([^}]*)\}\n?", re.MULTILINE)
OWN = """
html { color-scheme: light dark; }
body.report { margin: 0; background: var(--body-background-fill); color: var(--body-text-color); font: 16px/1.5 var(--font); }
.report main { max-width: 960px !important; box-sizing: border-box; }
.report h1 { font-size: 26px; margin: 28px 0 4px; letter-spacing: -0.01em; }
.report h2 { font-size: 18px; margin: 36px 0 10px; padding-top: 12px; border-top: 1px solid var(--border-color-primary); }
.report h3 { font-size: 15px; margin: 16px 0 6px; }
.report p + p { margin-top: 4px; }
.report .answer { margin: 6px 0 16px; }
.report .tinted { line-height: 1.9 !important; }
.report .shown-code { white-space: pre-wrap; overflow-wrap: anywhere; max-height: none; }
.report .groups .said { max-height: none; }
.report .in-numbers .scroll { max-height: 420px; }
.report table.values { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
.report table.values :is(th, td) { text-align: left; vertical-align: top; padding: 4px 18px 4px 0; border-bottom: 1px solid var(--border-color-primary); white-space: pre-wrap; overflow-wrap: break-word; }
.report table.values thead th { font-weight: 700; font-size: 13px; white-space: nowrap; }
.report table.pairs-of td { overflow-wrap: anywhere; }
.report table.values th { font-weight: 400; color: var(--body-text-color-subdued); }
.report table.pairs-of th { font-family: var(--font-mono); font-size: 13px; white-space: nowrap; }
/* The reader's own font may be wider than the page's. */
@media (max-width: 640px) { .report table.next-token thead th { font-size: 11px !important; letter-spacing: -0.02em; } }
@media print { .report .scroll { max-height: none !important; overflow: visible; } }
"""


def report_style() -> str:
    """A whole style sheet that names nothing outside of itself."""
    page = (ASSETS / "style.css").read_text(encoding="utf-8")
    dark = "".join(f"{_rooted(rule[1])}{{{rule[2]}}} " for rule in DARK_RULE.finditer(page))
    return "".join([_variables(), DARK_RULE.sub("", page), DARK.format(dark), OWN])


def _rooted(selectors: str) -> str:
    """`.dark .x` and `.x.dark` as what they are where all is dark."""
    return ", ".join(
        re.sub(r"\.dark\b", "", one).strip() or ":root" for one in selectors.split(",")
    )


def _variables() -> str:
    colours = surfaces()
    light = {name: value for name, value in colours.items() if not name.endswith("_dark")}
    dark = {name[:-5]: value for name, value in colours.items() if name.endswith("_dark")}
    fonts = (
        '--font: "IBM Plex Sans", system-ui, sans-serif;'
        ' --font-mono: "IBM Plex Mono", ui-monospace, monospace;'
    )
    return f":root {{ {fonts} {_written(light)} }}\n" + DARK.format(f":root {{ {_written(dark)} }}")


def _written(colours: dict[str, str]) -> str:
    return " ".join(
        f"--{name.replace('_', '-')}: {_colour(value)};" for name, value in colours.items()
    )


def _colour(value: str) -> str:
    """A colour, or what the theme names another colour's name."""
    if not value.startswith("*"):
        return value
    name = value[1:]
    if name.startswith("primary_"):
        return str(getattr(TEAL, f"c{name.removeprefix('primary_')}"))
    return f"var(--{name.replace('_', '-')})"
