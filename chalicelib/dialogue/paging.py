"""Long lists of choices, a handful at a time."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.model import Choice, Line, Say, own_choice

CHOICES_SHOWN_MAX = 6


def paged(intro: Line, choice: str, items: Sequence[str], page: int, back: str = "menu") -> Say:
    """Page `page` (from 1) of `items`, each labelled by the text of its own id, with the ways on and back."""
    pages = max(1, -(-len(items) // CHOICES_SHOWN_MAX))
    page = min(max(1, page), pages)
    shown = items[(page - 1) * CHOICES_SHOWN_MAX : page * CHOICES_SHOWN_MAX]
    ways = [own_choice(each) for each in shown]
    if page < pages:
        ways.append(Choice(f"{choice}~{page + 1}", Line("btn_more")))
    ways.append(Choice(back, Line(back if back == "menu" else "btn_back")))
    return Say(lines=(intro,), choices=tuple(ways))
