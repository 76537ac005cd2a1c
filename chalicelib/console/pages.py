"""Draws the staff's pages: one frame, one set of marks, and the headers that let nothing foreign in."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jinja2 import Environment

from chalicelib.console import drawing, permissions
from chalicelib.console.door import Answer, Visit
from chalicelib.console.widget import asset_url
from chalicelib.console.wording import VOICES, Wording
from chalicelib.small_classes import replace

# What stands in the name plate, in this order, for those who may open it.
NAVIGATION = (
    ("console/inbox", "nav_inbox", permissions.CASES),
    ("console/live", "nav_live", permissions.CHATS),
    ("console/counter", "nav_counter", permissions.COUNTER),
    ("console/volunteers", "nav_volunteers", permissions.VOLUNTEERS),
    ("console/missed", "nav_missed", permissions.CONTENT),
    ("console/content", "nav_content", permissions.CONTENT),
    ("console/announcements", "nav_announce", permissions.ANNOUNCE),
    ("console/figures", "nav_figures", permissions.FIGURES),
    ("console/staff", "nav_staff", permissions.STAFF),
    ("console/systems", "nav_systems", permissions.SYSTEMS),
    ("console/audit", "nav_audit", permissions.AUDIT),
    ("console/systems/open311", "nav_open311", permissions.AUDIT),
    ("console/towns", "nav_towns", permissions.TOWNS),
)
NAV_ICONS = {
    "nav_inbox": "open",
    "nav_live": "chat",
    "nav_counter": "counter",
    "nav_volunteers": "volunteer",
    "nav_missed": "question",
    "nav_content": "document",
    "nav_announce": "send",
    "nav_figures": "figures",
    "nav_staff": "person",
    "nav_systems": "api",
    "nav_audit": "document",
    "nav_open311": "api",
    "nav_towns": "tray",
}
BAR_FIRST = 3  # of a telephone's bar; the fourth place leads to everything else
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: {media}{pictures}; "
        "media-src {media}; connect-src 'self'{uploads}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}


def page(visit: Visit, template: str, status: int = 200, **data: Any) -> Answer:
    """A whole page, or for htmx the part it asked for, from `templates/console/<template>.html`."""
    body = _environment().get_template(f"console/{template}.html").render(visit=visit, t=visit.say, **data)
    return Answer(body, status)


def draw(template: str, **data: Any) -> str:
    """A page outside the staff's frame, from `templates/console/<template>.html`."""
    return _environment().get_template(f"console/{template}.html").render(**data)


def fault(say: Wording, text: str, root: str) -> str:
    """The page of something that went wrong."""
    return _environment().get_template("console/fault.html").render(t=say, text=text, root=root)


def headers(media: str = "'self'", pictures: str = "", uploads: str = "") -> dict[str, str]:
    """The headers of every staff page: where citizens' photos and videos are shown from, further pictures (a map's),
    and where files are posted to. Each is an origin."""
    policy = HEADERS["Content-Security-Policy"].replace("{media}", media)
    for hole, origin in (("{pictures}", pictures), ("{uploads}", uploads)):
        policy = policy.replace(hole, f" {origin}" if origin else "")
    return {**HEADERS, "Content-Security-Policy": policy}


def with_media(answer: Answer, origin: str, *, pictures: str = "", uploads: str = "") -> Answer:
    """The same page, allowed to show what citizens attached; `origin` is the bucket's."""
    return replace(answer, headers={**answer.headers, **headers(f"'self' {origin}", pictures, uploads)})


def _allowed(visit: Visit) -> list[tuple[str, str]]:
    """The pages of the name plate that this person may open: path and name."""
    shown = [(path, key) for path, key, permission in NAVIGATION if visit.may(permission)]
    core = visit.town.core if visit.town is not None else {}
    has = {"nav_systems": core.get("callbacks"), "nav_open311": core.get("open311", {}).get("endpoints")}
    return [entry for entry in shown if has.get(entry[1], True)]


def _initials(name: str) -> str:
    return "".join(part[0] for part in name.split()[:2]).upper()


def _in_fours(secret: str) -> str:
    """Letters to be typed by hand, four by four."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = drawing.environment()
    environment.globals |= {
        "asset": lambda name: asset_url(name).lstrip("/"),
        "voices": VOICES,
        "nav": _allowed,
        "nav_first": lambda visit: _allowed(visit)[:BAR_FIRST],
        "nav_more": lambda visit: _allowed(visit)[BAR_FIRST:],
        "nav_icons": NAV_ICONS,
        "is_further": lambda visit: any(
            visit.page.path.startswith(f"/{path}") for path, _ in _allowed(visit)[BAR_FIRST:]
        ),
    }
    environment.filters |= {"initials": _initials, "wordgroups": _in_fours}
    return environment
