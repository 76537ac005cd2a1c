"""Making words fit: text a channel may carry, cut where a reader would pause."""

from __future__ import annotations

from chalicelib.patterns import pattern

_UNSENDABLE = pattern("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_PAUSES = ("\n\n", "\n", ". ", "! ", "? ", "; ", ", ", " ")


def clean(text: str) -> str:
    """Text without what cannot be stored or sent: NUL and control characters, lone surrogates."""
    return _UNSENDABLE.sub("\ufffd", text).replace("\ufffd\ufffd", "\ufffd")


def split(text: str, chars_max: int) -> list[str]:
    """Pieces of at most `chars_max` characters, cut at paragraphs, sentences or words, never inside a character."""
    pieces = []
    while len(text) > chars_max:
        end = _pause_before(text, chars_max)
        pieces.append(text[:end].rstrip())
        text = text[end:].lstrip()
    return [*pieces, text] if text or not pieces else pieces


def _pause_before(text: str, chars_max: int) -> int:
    for pause in _PAUSES:
        at = text.rfind(pause, chars_max // 2, chars_max - len(pause) + 1)
        if at > 0:
            return at + len(pause)
    # One endless word: keep joined characters (emoji with joiners, combining marks) together.
    end = chars_max
    while end > chars_max // 2 and _joined(text[end - 1], text[end]):
        end -= 1
    return end


def _joined(left: str, right: str) -> bool:
    return (
        left == "\u200d"
        or right in "\u200d\ufe0f"
        or "\u0300" <= right <= "\u036f"
        or "\U0001f3fb" <= right <= "\U0001f3ff"
    )
