"""A town's public page: the way into the chat, what it offers, its month in figures, who answers, people's data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import Template
from markupsafe import Markup

from chalicelib.actions.introduce import Introduction
from chalicelib.console import drawing
from chalicelib.console.widget import asset_url
from chalicelib.integrations.case_api import qr_svg


def public_page(shown: Introduction) -> str:
    """The page in the voice of what is shown."""
    look = shown.look
    return _template().render(
        shown=shown,
        look=look,
        texts=shown.texts,
        lang=_tag(look["language"], look["script"]),
        tag=_tag,
        qr=Markup(qr_svg(shown.scan, sized=False)),
        logo=asset_url("mark.svg"),
        tokens=asset_url("tokens.css"),
        sheet=asset_url("console.css"),
    )


def colours_css(look: Mapping[str, Any]) -> str:
    """The town's accents for both schemes, as the compile step derived them."""
    light, dark = (_rules(look["colours"][scheme]) for scheme in ("light", "dark"))
    return f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"


def _rules(colours: Mapping[str, str]) -> str:
    names = {
        "town": "--town",
        "accent": "--accent",
        "accent2": "--accent-2",
        "soft": "--accent-soft",
        "on": "--on-accent",
    }
    return " ".join(f"{names[key]}: {value};" for key, value in colours.items())


def _tag(language: str, script: str) -> str:
    """The language tag of a voice; Montenegrin is Serbian's sibling without a two-letter code."""
    return f"{language}-Cyrl" if script == "cyrillic" else language


@lru_cache(maxsize=1)
def _template() -> Template:
    return drawing.environment().get_template("public.html")
