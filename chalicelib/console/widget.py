"""The citizens' chat as files: the loader that a town's page embeds, the panel it brings, and the full-page chat.

Nothing is built beforehand. A source is read once in a process, freed of comments and indentation, and named by its
content, so that browsers may keep it for a year.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import Any

from chalicelib.compact_json import as_json
from chalicelib.patterns import pattern

ASSET_MAX_AGE_SECONDS = 365 * 24 * 3600
LOADER_MAX_AGE_SECONDS = 300
# What the loader needs of a town's look: the panel asks for the rest when it is opened.
BUTTON_TEXTS = ("w_ask", "w_open", "w_unread", "w_connecting", "w_not_opened")

_FOLDER = Path(__file__).parent / "static"
# One module for the browser, three files to read: what was said, how it is drawn, the frame around it.
_SOURCES = {
    "panel.js": ("talk.js", "draw.js", "panel.js"),
    "chat.css": ("chat.css",),
    "tokens.css": ("tokens.css",),
    "console.css": ("console.css",),
    "page.css": ("page.css",),
    "launch.css": ("launch.css",),
    "mark.svg": ("mark.svg",),
    "desk.js": ("desk.js",),
    "counter.js": ("counter.js",),
    "live.js": ("live.js",),
    "htmx.js": ("vendor/htmx.js",),
    "case.css": ("case.css",),
    "case.js": ("case.js",),
    "camera.js": ("camera.js",),
    "leaflet.js": ("vendor/leaflet.js",),
    "leaflet.css": ("vendor/leaflet.css",),
}
_CONTENT_TYPES = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
}
_HASH_LETTERS = 10
_HASHED_NAME = pattern(rf"(\w+)\.[0-9a-f]{{{_HASH_LETTERS}}}\.(\w+)")
# A string, template or regular expression of a script stays as it is; blanks around signs between them go.
_JS_LITERAL_OR_SIGN = pattern(
    r"""('(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|(?<=[(,\[])/(?![/*])(?:\\.|[^/\\\n])+/)"""
    r"""|[ \t]*([{}()\[\];,=<>?:+*/%!&|-])[ \t]*"""
)
_JS_LINE_END = pattern(r"(?<=[{};,(])\n")
_ASSET_MARK = pattern(r"%(\w+\.\w+)%")
_JS_NUMBER = pattern(r"const ([A-Z][A-Z_]+)=(\d[\d_e.]*);\n?")
_JS_NAME = pattern(r"\b[A-Z][A-Z_]+\b")
_CSS_COMMENT = pattern(r"/\*.*?\*/", re.DOTALL)
_CSS_GAP = pattern(r"\s*([{};,])\s*")


def asset(name: str) -> tuple[str, str]:
    """The body and content type of `panel.0123456789.js` and its like; KeyError for what is not ours.

    A page that was open while a new version came still asks for the old name: it gets the new content, not an error.
    """
    hashed = _HASHED_NAME.fullmatch(name)
    plain = f"{hashed[1]}.{hashed[2]}" if hashed else name
    return _body(plain), _CONTENT_TYPES[plain.rpartition(".")[2]]


@lru_cache(maxsize=len(_SOURCES))
def asset_url(name: str) -> str:
    """`panel.js` → `/assets/panel.0123456789.js`, to be put after the product's own address."""
    stem, _, ending = name.rpartition(".")
    return f"/assets/{stem}.{hashlib.sha256(_body(name).encode()).hexdigest()[:_HASH_LETTERS]}.{ending}"


@lru_cache(maxsize=1)
def loader_js() -> str:
    """`widget.js` with the closed button's style and the names of the assets in it."""
    return _filled(_squeezed("widget.js"))


def button_look(look: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a town's look that the closed button needs, for `look?part=button`."""
    texts = {key: look["texts"][key] for key in BUTTON_TEXTS}
    return {**{key: look[key] for key in ("colours", "language", "script")}, "texts": texts}


def part(look: Mapping[str, Any], query: Mapping[str, str]) -> Mapping[str, Any]:
    """The look that was asked for: all of it, or the closed button's part."""
    return button_look(look) if query.get("part") == "button" else look


def chat_page(look: Mapping[str, Any], context: str = "") -> str:
    """The full-page chat of a town, in the language and script of `look`; `context` is that of the link that led here.

    The look travels in a data block, so the page needs no inline script or style and no nonce.
    """
    texts = look["texts"]
    return _page().substitute(
        lang={"cyrillic": "sr-Cyrl"}.get(look["script"], html.escape(look["language"])),
        title=html.escape(f"{texts['w_conversation']} · {look['name']}"),
        name=html.escape(look["name"]),
        no_chat=html.escape(texts["w_no_chat"]),
        tenant=html.escape(look["tenant"]),
        language=html.escape(look["language"]),
        script=html.escape(look["script"]),
        context=html.escape(context),
        look=as_json(look).replace("<", "\\u003c"),
        style=asset_url("page.css"),
        panel=asset_url("panel.js"),
        mark=asset_url("mark.svg"),
    )


@lru_cache(maxsize=1)
def _page() -> Template:
    return Template((_FOLDER / "chat.html").read_text(encoding="utf-8"))


@lru_cache(maxsize=len(_SOURCES))
def _body(name: str) -> str:
    body = "".join(_squeezed(source) for source in _SOURCES[name])
    return body if _SOURCES[name][0].startswith("vendor/") else _filled(body)


def _filled(script: str) -> str:
    """`%chat%` becomes the text of chat.css, to stand in single quotes; `%chat.css%` the address of that asset."""
    for sheet in ("launch", "chat"):
        script = script.replace(f"%{sheet}%", _squeezed(f"{sheet}.css").replace("\\", "\\\\").replace("'", "\\'"))
    return _numbered(_ASSET_MARK.sub(lambda match: asset_url(match[1]), script))


def _numbered(script: str) -> str:
    """Named numbers as the numbers they are: the names are for us, not for a slow line."""
    numbers = dict(_JS_NUMBER.findall(script))
    return _JS_NAME.sub(lambda name: numbers.get(name[0], name[0]), _JS_NUMBER.sub("", script)) if numbers else script


def _squeezed(source: str) -> str:
    """The source without indentation and comments: whole comment lines of a script, every comment of a style sheet.

    What others wrote stays as they published it.
    """
    text = (_FOLDER / source).read_text(encoding="utf-8")
    if source.startswith("vendor/"):
        return text
    if source.endswith(".css"):
        return _CSS_GAP.sub(r"\1", " ".join(_CSS_COMMENT.sub("", text).split())).replace(": ", ":").replace(";}", "}")
    lines = (line.strip() for line in text.splitlines())
    code = "\n".join(line for line in lines if line and not line.startswith("//")) + "\n"
    return _JS_LINE_END.sub("", _JS_LITERAL_OR_SIGN.sub(lambda match: match[1] or match[2], code))
