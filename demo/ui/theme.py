"""How the page looks: fonts, colours and spacing for light and dark, and the switch between them."""

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.themes.utils import colors, sizes

ASSETS = Path(__file__).parent / "assets"

THEME_BUTTON = '<button type="button" class="theme" aria-label="${value}" title="${value}"><span aria-hidden="true">◐</span></button>'
"""`value` is one of the page's own sentences, never a visitor's."""
THEME_SCRIPT = """
element.addEventListener('click', () => {
  const dark = document.body.classList.toggle('dark');
  try { localStorage.setItem('adaptation-lab-theme', dark ? 'dark' : 'light') } catch (error) { void error }
});
"""
START_SCRIPT = """
() => {
  if (new URLSearchParams(location.search).has('__theme')) return;
  let kept = null;
  try { kept = localStorage.getItem('adaptation-lab-theme') } catch (error) { return }
  if (kept) document.body.classList.toggle('dark', kept === 'dark');
}
"""
"""The visitor's own choice outlives a reload, unless the address names a theme."""

TEAL = colors.Color(
    name="lab",
    c50="#eff8f7",
    c100="#d9efec",
    c200="#b4ded9",
    c300="#84c7c0",
    c400="#4fa9a1",
    c500="#2a8c84",
    c600="#0f6f68",
    c700="#0d5a55",
    c800="#0f4845",
    c900="#103c3a",
    c950="#062322",
)


def launch_look() -> dict[str, Any]:
    """What `launch()` is given to make the page look like itself."""
    return {
        "theme": _theme(),
        "css_paths": [str(ASSETS / "style.css")],
        "js": START_SCRIPT,
        "head": _head(),
    }


def _head() -> str:
    icon = (
        (ASSETS / "icon.svg")
        .read_text(encoding="utf-8")
        .replace("#", "%23")
        .replace('"', "'")
        .replace("\n", "")
    )
    return f'<link rel="icon" type="image/svg+xml" href="data:image/svg+xml,{icon}"><meta name="description" content="Prompt, fine-tune and compare a language model in the browser">'


def _theme() -> gr.themes.Base:
    theme = gr.themes.Base(
        primary_hue=TEAL,
        secondary_hue=colors.slate,
        neutral_hue=colors.slate,
        text_size=sizes.text_md,
        spacing_size=sizes.spacing_md,
        radius_size=sizes.radius_sm,
        font=[gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"],
        font_mono=[
            gr.themes.LocalFont("IBM Plex Mono", weights=(400, 700)),
            "ui-monospace",
            "monospace",
        ],
    )
    return theme.set(
        **surfaces(),
        **_buttons(),
        block_title_text_weight="700",
        block_label_text_weight="700",
        button_large_text_weight="700",
        button_medium_text_weight="700",
        button_small_text_weight="400",
        prose_header_text_weight="700",
        checkbox_label_text_weight="400",
    )


def surfaces() -> dict[str, str]:
    """The theme's colours by Gradio's names; what ends in `_dark` holds in the dark."""
    return {
        "body_background_fill": "#fbfcfd",
        "body_background_fill_dark": "#10161c",
        "body_text_color": "#1b2630",
        "body_text_color_dark": "#e4eaef",
        "body_text_color_subdued": "#52616f",
        "body_text_color_subdued_dark": "#a3b1be",
        "background_fill_primary": "#fbfcfd",
        "background_fill_primary_dark": "#10161c",
        "background_fill_secondary": "#f1f4f7",
        "background_fill_secondary_dark": "#182029",
        "block_background_fill": "transparent",
        "block_background_fill_dark": "transparent",
        "block_border_width": "0px",
        "block_border_width_dark": "0px",
        "block_padding": "0",
        "block_shadow": "none",
        "block_shadow_dark": "none",
        "block_title_text_color": "*body_text_color",
        "block_title_text_color_dark": "*body_text_color",
        "block_info_text_color": "*body_text_color_subdued",
        "block_info_text_color_dark": "*body_text_color_subdued",
        "border_color_primary": "#d3dbe2",
        "border_color_primary_dark": "#2e3a46",
        "input_background_fill": "#ffffff",
        "input_background_fill_dark": "#182029",
        "input_border_color": "#8595a3",
        "input_border_color_dark": "#647585",
        "input_border_width": "1px",
        "input_shadow": "none",
        "input_shadow_focus": "none",
        "input_placeholder_color": "#5f6e7b",
        "input_placeholder_color_dark": "#95a4b1",
        "color_accent": "*primary_600",
        "color_accent_soft": "*primary_50",
        "color_accent_soft_dark": "#17302f",
        "slider_color": "*primary_600",
        "slider_color_dark": "*primary_400",
        "layout_gap": "16px",
    }


def _buttons() -> dict[str, str]:
    return {
        "button_primary_background_fill": "*primary_600",
        "button_primary_background_fill_hover": "*primary_700",
        "button_primary_background_fill_dark": "#5fb8b0",
        "button_primary_background_fill_hover_dark": "#84c7c0",
        "button_primary_text_color": "#ffffff",
        "button_primary_text_color_dark": "#062322",
        "button_secondary_background_fill": "transparent",
        "button_secondary_background_fill_dark": "transparent",
        "button_secondary_background_fill_hover": "#eef2f5",
        "button_secondary_background_fill_hover_dark": "#1f2933",
        "button_secondary_border_color": "#8595a3",
        "button_secondary_border_color_dark": "#647585",
        "button_secondary_text_color": "*body_text_color",
        "button_secondary_text_color_dark": "*body_text_color",
        "button_cancel_background_fill": "transparent",
        "button_cancel_background_fill_dark": "transparent",
        "button_cancel_background_fill_hover": "#fbeeee",
        "button_cancel_background_fill_hover_dark": "#331d1f",
        "button_cancel_text_color": "#a1262c",
        "button_cancel_text_color_dark": "#f2a5a8",
        "button_cancel_border_color": "#c46a6e",
        "button_cancel_border_color_dark": "#8d4448",
        "button_border_width": "1px",
    }
