"""What Viber refuses: the limits of one message, its keyboard and its carousel, checked one by one.

Where Viber's own pages disagree the stricter figure stands here, so that what passes here passes there.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

BAD_DATA = 3
MISSING_DATA = 4
NEEDS_HIGHER_LEVEL = 14
REMARK = 0  # accepted, but somebody should look at it
FAILS_LATER = -1  # accepted with status 0, then refused by the citizen's app with a `failed` callback

REQUEST_BYTES_MAX = 30_000
TEXT_CHARS_MAX = 7_000
CAPTION_CHARS_MAX = 512
SENDER_NAME_CHARS_MAX = 28
TRACKING_DATA_CHARS_MAX = 4_000
RECEIVERS_MAX = 300
URL_CHARS_MAX = 2_000
PICTURE_BYTES_MAX = 1_048_576
VIDEO_BYTES_MAX = 27_262_976
VIDEO_SECONDS_MAX = 180
FILE_BYTES_MAX = 52_428_800
FILE_NAME_CHARS_MAX = 256
CONTACT_NAME_CHARS_MAX = 28
CONTACT_NUMBER_CHARS_MAX = 18
GRID_COLUMNS = 6
KEYBOARD_ROWS_MAX = 12
KEYBOARD_BUTTONS_MAX = 24
CAROUSEL_ROWS_MAX = 7
CAROUSEL_CARDS_MAX = 6
BUTTON_TEXT_CHARS_MAX = 250
CAROUSEL_LEVEL = 2
PHONE_ACTIONS = ("location-picker", "share-phone")
PHONE_ACTIONS_LEVEL = 3
RICH_TEXT_LEVEL = 4

PICTURE_ENDINGS = (".jpg", ".jpeg", ".png", ".gif")
EXECUTABLE_ENDINGS = {
    "action", "apk", "app", "bat", "bin", "cmd", "com", "command", "cpl", "csh", "exe", "gadget", "inf1", "ins",
    "inx", "ipa", "isu", "job", "jse", "ksh", "lnk", "msc", "msi", "msp", "mst", "osx", "out", "paf", "pif", "prg",
    "ps1", "reg", "rgs", "run", "sct", "shb", "shs", "u3p", "vb", "vbe", "vbs", "vbscript", "workflow", "ws", "wsf",
}  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """One thing wrong with what the product sent. `status` is Viber's answer, or REMARK or FAILS_LATER."""

    status: int
    says: str


Problems = Iterator[Problem]
Check = Callable[[Any], str | None]  # what is wrong with a value, or None


def bad(says: str) -> Problem:
    return Problem(BAD_DATA, says)


def missing(name: str) -> Problem:
    return Problem(MISSING_DATA, f"{name} is missing")


# --- one message --------------------------------------------------------------------------------------------------


def check_message(body: dict[str, Any]) -> list[Problem]:
    """Everything wrong with a message, apart from whom it is for; the first refusal is what Viber would answer."""
    return [*_common(body), *_content(body), *_keyboard(body.get("keyboard")), *_levels(body)]


def check_receiver(body: dict[str, Any]) -> list[Problem]:
    receiver = body.get("receiver")
    if receiver is None:
        return [missing("receiver")]
    return [] if isinstance(receiver, str) and receiver else [bad("receiver must be a text")]


def check_receivers(body: dict[str, Any]) -> list[Problem]:
    ids = body.get("broadcast_list")
    if ids is None:
        return [missing("broadcast_list")]
    if not isinstance(ids, list) or not ids or not all(isinstance(one, str) and one for one in ids):
        return [bad("broadcast_list must hold at least one id, each a text")]
    return [bad(f"broadcast_list holds {len(ids)} ids, at most {RECEIVERS_MAX}")] if len(ids) > RECEIVERS_MAX else []


def check_welcome(body: dict[str, Any]) -> list[Problem]:
    """The answer to conversation_started: a message for nobody in particular, without a secret in it."""
    needless = [key for key in ("receiver", "auth_token") if key in body]
    remarks = [Problem(REMARK, f"{key} does not belong into a welcome") for key in needless]
    return [*remarks, *check_message(body)]


def first_refusal(problems: Iterable[Problem]) -> Problem | None:
    return next((problem for problem in problems if problem.status > REMARK), None)


def first_late_failure(problems: Iterable[Problem]) -> Problem | None:
    return next((problem for problem in problems if problem.status == FAILS_LATER), None)


def _common(body: dict[str, Any]) -> Problems:
    yield from (bad(f"{path} is null: leave the key out") for path in _nulls(body))
    yield from _sender(body.get("sender"))
    tracking = body.get("tracking_data", "")
    if not isinstance(tracking, str):
        yield bad("tracking_data must be a text")
    elif len(tracking) > TRACKING_DATA_CHARS_MAX:
        yield bad(f"tracking_data has {len(tracking)} characters, at most {TRACKING_DATA_CHARS_MAX}")
    level = body.get("min_api_version", 1)
    if type(level) is not int or level < 1:
        yield bad("min_api_version must be a whole number from 1")


def _nulls(value: Any, path: str = "") -> Iterator[str]:
    if value is None:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _nulls(inner, f"{path}.{key}" if path else str(key))


def _sender(sender: Any) -> Problems:
    if sender is None:
        yield missing("sender.name")
        return
    if not isinstance(sender, dict):
        yield bad("sender must be an object")
        return
    name = sender.get("name")
    if name is None:
        yield missing("sender.name")
    elif not isinstance(name, str) or not name.strip():
        yield bad("sender.name must be a text with something in it")
    elif len(name) > SENDER_NAME_CHARS_MAX:
        yield bad(f"sender.name has {len(name)} characters, at most {SENDER_NAME_CHARS_MAX}")
    if sender.get("avatar") is not None:
        yield from _wrong("sender.avatar", sender["avatar"], _address)


def _content(body: dict[str, Any]) -> Problems:
    kind = body.get("type")
    if kind is None:
        if not isinstance(body.get("keyboard"), dict):
            yield missing("type")
        return
    check = CONTENT.get(kind) if isinstance(kind, str) else None
    if check is None:
        yield bad("type is not one of " + ", ".join(sorted(CONTENT)))
        return
    yield from check(body)


def _text(body: dict[str, Any]) -> Problems:
    text = body.get("text")
    if text is None:
        yield missing("text")
    elif not isinstance(text, str) or not text:
        yield bad("text must be a text with something in it")
    elif len(text) > TEXT_CHARS_MAX:
        yield bad(f"text has {len(text)} characters, at most {TEXT_CHARS_MAX}")


def _picture(body: dict[str, Any]) -> Problems:
    yield from _media(body, PICTURE_ENDINGS)
    if body.get("text") is None:
        yield missing("text (it may be empty)")
    yield from _caption(body)
    yield from _thumbnail(body)


def _video(body: dict[str, Any]) -> Problems:
    yield from _media(body, (".mp4",))
    yield from _size(body, VIDEO_BYTES_MAX)
    if "duration" in body:
        yield from _wrong("duration", body["duration"], _whole(0, VIDEO_SECONDS_MAX))
    yield from _caption(body)
    yield from _thumbnail(body)


def _file(body: dict[str, Any]) -> Problems:
    yield from _media(body, None)
    yield from _size(body, FILE_BYTES_MAX)
    name = body.get("file_name")
    if name is None:
        yield missing("file_name")
    elif not isinstance(name, str) or len(name) > FILE_NAME_CHARS_MAX or not ending(name):
        yield bad(f"file_name must have an extension and at most {FILE_NAME_CHARS_MAX} characters")
    elif ending(name)[1:] in EXECUTABLE_ENDINGS:
        yield bad(f"file_name ends in {ending(name)}: programs are refused")


def _contact(body: dict[str, Any]) -> Problems:
    contact = body.get("contact")
    if not isinstance(contact, dict):
        yield missing("contact")
        return
    for key, most in (("name", CONTACT_NAME_CHARS_MAX), ("phone_number", CONTACT_NUMBER_CHARS_MAX)):
        if contact.get(key) is None:
            yield missing(f"contact.{key}")
        elif not isinstance(contact[key], str) or not 0 < len(contact[key]) <= most:
            yield bad(f"contact.{key} must be a text of at most {most} characters")


def _location(body: dict[str, Any]) -> Problems:
    location = body.get("location")
    if not isinstance(location, dict):
        yield missing("location")
        return
    for key, most in (("lat", 90), ("lon", 180)):
        value = location.get(key)
        if value is None:
            yield missing(f"location.{key}")
        elif type(value) not in (int, float) or not math.isfinite(value) or abs(value) > most:
            yield bad(f"location.{key} must be a number between -{most} and {most}")


def _url(body: dict[str, Any]) -> Problems:
    yield from _media(body, None, needs_ending=False)
    if isinstance(body.get("media"), str) and len(body["media"]) > URL_CHARS_MAX:
        yield bad(f"media has {len(body['media'])} characters, at most {URL_CHARS_MAX}")


def _sticker(body: dict[str, Any]) -> Problems:
    if body.get("sticker_id") is None:
        yield missing("sticker_id")
    elif type(body["sticker_id"]) is not int:
        yield bad("sticker_id must be a whole number")


def _media(body: dict[str, Any], endings: tuple[str, ...] | None, *, needs_ending: bool = True) -> Problems:
    media = body.get("media")
    if media is None:
        yield missing("media")
    elif _address(media):
        yield bad("media must be an http(s) address")
    elif endings and ending(urlsplit(media).path) not in endings:
        yield bad("media must end in " + ", ".join(endings) + " (the last part of the path, before any ?)")
    elif needs_ending and not ending(urlsplit(media).path):
        yield bad("media must end in an extension")
    elif needs_ending and ending(urlsplit(media).path)[1:] in EXECUTABLE_ENDINGS:
        yield bad("media is a program: refused")


def _size(body: dict[str, Any], most: int) -> Problems:
    if body.get("size") is None:
        yield missing("size")
    else:
        yield from _wrong("size", body["size"], _whole(1, most))


def _caption(body: dict[str, Any]) -> Problems:
    text = body.get("text", "")
    if not isinstance(text, str) or len(text) > CAPTION_CHARS_MAX:
        yield bad(f"text beside media must be a text of at most {CAPTION_CHARS_MAX} characters")


def _thumbnail(body: dict[str, Any]) -> Problems:
    if body.get("thumbnail") is not None:
        yield from _wrong("thumbnail", body["thumbnail"], _address)


def ending(name: str) -> str:
    """The extension of a name or path, with its dot and in lower case; empty if there is none."""
    stem, dot, extension = name.rpartition("/")[2].rpartition(".")
    return f".{extension.lower()}" if stem and dot and extension else ""


# --- keyboards and carousels --------------------------------------------------------------------------------------


def _whole(least: int, most: int) -> Check:
    return lambda v: None if type(v) is int and least <= v <= most else f"must be a whole number from {least} to {most}"


def _one_of(*words: str) -> Check:
    return lambda v: None if v in words else "must be one of " + ", ".join(words)


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _colour(value: Any) -> str | None:
    return None if isinstance(value, str) and re.fullmatch(r"#[0-9A-Fa-f]{6}", value) else 'must be "#RRGGBB"'


def _any_text(value: Any) -> str | None:
    return None if isinstance(value, str) else "must be a text"


def _object(value: Any) -> str | None:
    return None if isinstance(value, dict) else "must be an object"


def _paddings(value: Any) -> str | None:
    good = isinstance(value, list) and len(value) == 4 and all(type(one) is int and 0 <= one <= 12 for one in value)
    return None if good else "must be four whole numbers from 0 to 12"


def _address(value: Any) -> str | None:
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
    except ValueError:
        parts = None
    return None if parts and parts.scheme in ("http", "https") and parts.hostname else "must be an http(s) address"


Fields = dict[str, tuple[Check, int]]  # field -> what is wrong with its value, the level its sender must state

_HORIZONTAL, _VERTICAL = _one_of("left", "center", "right"), _one_of("top", "middle", "bottom")

KEYBOARD_FIELDS: Fields = {
    "Type": (_one_of("keyboard"), 1),
    "Buttons": (lambda v: None, 1),
    "BgColor": (_colour, 1),
    "DefaultHeight": (_flag, 1),
    "CustomDefaultHeight": (_whole(40, 70), 3),
    "HeightScale": (_whole(20, 100), 3),
    "ButtonsGroupColumns": (_whole(1, GRID_COLUMNS), 4),
    "ButtonsGroupRows": (_whole(1, 2), 4),
    "InputFieldState": (_one_of("regular", "minimized", "hidden"), 4),
}

CAROUSEL_FIELDS: Fields = {
    "Type": (_one_of("rich_media"), 1),
    "Buttons": (lambda v: None, 1),
    "BgColor": (_colour, 1),
    "ButtonsGroupColumns": (_whole(1, GRID_COLUMNS), 1),
    "ButtonsGroupRows": (_whole(1, CAROUSEL_ROWS_MAX), 1),
}

BUTTON_FIELDS: Fields = {
    "Columns": (_whole(1, GRID_COLUMNS), 1),
    "Rows": (_whole(1, 2), 1),
    "BgColor": (_colour, 1),
    "BgMedia": (_address, 1),
    "BgMediaType": (_one_of("picture", "gif"), 1),
    "BgMediaScaleType": (_one_of("crop", "fill", "fit"), 6),
    "BgLoop": (_flag, 1),
    "Image": (_address, 1),
    "ImageScaleType": (_one_of("crop", "fill", "fit"), 6),
    "Text": (_any_text, 1),
    "TextSize": (_one_of("small", "regular", "large"), 1),
    "TextVAlign": (_VERTICAL, 1),
    "TextHAlign": (_HORIZONTAL, 1),
    "TextPaddings": (_paddings, 4),
    "TextOpacity": (_whole(0, 100), 1),
    "TextBgGradientColor": (_colour, 1),
    "TextShouldFit": (_flag, 6),
    "Silent": (_flag, 1),
    "Frame": (_object, 6),
    "ActionType": (_one_of("reply", "open-url", *PHONE_ACTIONS, "none"), 1),
    "ActionBody": (_any_text, 1),
    "OpenURLType": (_one_of("internal", "external"), 1),
    "OpenURLMediaType": (_one_of("not-media", "video", "gif", "picture"), 1),
    "InternalBrowser": (_object, 3),
    "Map": (_object, 6),
}

# A carousel's card may be as tall as seven rows; a keyboard's button only two.
CAROUSEL_BUTTON_FIELDS: Fields = {**BUTTON_FIELDS, "Rows": (_whole(1, CAROUSEL_ROWS_MAX), 1)}
FRAME_FIELDS: Fields = {
    "BorderWidth": (_whole(0, 10), 1),
    "BorderColor": (_colour, 1),
    "CornerRadius": (_whole(0, 10), 1),
}


def _wrong(name: str, value: Any, check: Check) -> Problems:
    if complaint := check(value):
        yield bad(f"{name} {complaint}")


def _fields(where: str, value: dict[str, Any], fields: Fields) -> Problems:
    for key, inner in value.items():
        if key not in fields:
            yield Problem(REMARK, f"{where}.{key} is no field of Viber's: it is ignored")
        elif inner is not None:  # nulls are counted once, for the whole message
            yield from _wrong(f"{where}.{key}", inner, fields[key][0])


def _keyboard(keyboard: Any) -> Problems:
    if keyboard is None:
        return
    if not isinstance(keyboard, dict):
        yield bad("keyboard must be an object")
        return
    yield from _board("keyboard", keyboard, KEYBOARD_FIELDS, BUTTON_FIELDS)
    buttons = buttons_of(keyboard)
    if len(buttons) > KEYBOARD_BUTTONS_MAX:
        yield bad(f"keyboard has {len(buttons)} buttons, at most {KEYBOARD_BUTTONS_MAX}")
    if (rows := rows_needed(buttons, GRID_COLUMNS)) > KEYBOARD_ROWS_MAX:
        yield bad(f"keyboard needs {rows} rows, at most {KEYBOARD_ROWS_MAX}")


def _carousel(body: dict[str, Any]) -> Problems:
    carousel = body.get("rich_media")
    if carousel is None:
        yield missing("rich_media")
        return
    if not isinstance(carousel, dict):
        yield bad("rich_media must be an object")
        return
    yield from _board("rich_media", carousel, CAROUSEL_FIELDS, CAROUSEL_BUTTON_FIELDS)
    yield from _cards(carousel)


def _board(where: str, board: dict[str, Any], fields: Fields, button_fields: Fields) -> Problems:
    for key in ("Type", "Buttons"):
        if key not in board:
            yield bad(f"{where} is not valid: missing required properties [{key}]")
    yield from _fields(where, board, fields)
    buttons = board.get("Buttons", [None])
    if not isinstance(buttons, list) or not buttons:
        yield bad(f"{where}.Buttons must have at least 1 elements")
    for number, button in enumerate(buttons_of(board)):
        yield from _button(f"{where}.Buttons[{number}]", button, button_fields)


def _button(where: str, button: dict[str, Any], fields: Fields) -> Problems:
    if not button.get("ActionBody"):
        yield bad(f"{where}.ActionBody is missing or empty")
    yield from _fields(where, button, fields)
    if button.get("ActionType") == "open-url" and button.get("ActionBody"):
        yield from _wrong(f"{where}.ActionBody", button["ActionBody"], _address)
    if isinstance(button.get("Frame"), dict):
        yield from _fields(f"{where}.Frame", button["Frame"], FRAME_FIELDS)
    text = button.get("Text")
    if isinstance(text, str) and len(text) > BUTTON_TEXT_CHARS_MAX:
        yield Problem(REMARK, f"{where}.Text has {len(text)} characters: the app cuts it at {BUTTON_TEXT_CHARS_MAX}")


def _cards(carousel: dict[str, Any]) -> Problems:
    """Mistakes of layout, which only the app notices."""
    columns, rows, buttons = group_of(carousel)
    if len(buttons) > (most := CAROUSEL_CARDS_MAX * columns * rows):
        yield _fails_later(f"rich_media has {len(buttons)} buttons, at most {most}")
    for number, button in enumerate(buttons):
        width, height = span_of(button)
        if width > columns or height > rows:
            sizes = f"{width} x {height} does not fit a card of {columns} x {rows}"
            yield _fails_later(f"rich_media.Buttons[{number}] of {sizes}")
        if button.get("ActionType") in PHONE_ACTIONS:
            yield _fails_later(f"rich_media.Buttons[{number}]: {button['ActionType']} belongs on a keyboard")
    if (cards := len(cards_of(carousel))) > CAROUSEL_CARDS_MAX:
        yield _fails_later(f"rich_media needs {cards} cards, at most {CAROUSEL_CARDS_MAX}")


def _fails_later(says: str) -> Problem:
    return Problem(FAILS_LATER, says)


def buttons_of(board: Any) -> list[dict[str, Any]]:
    """The buttons of a keyboard or carousel that can be read at all."""
    buttons = board.get("Buttons") if isinstance(board, dict) else None
    return [button for button in buttons if isinstance(button, dict)] if isinstance(buttons, list) else []


def group_of(carousel: dict[str, Any]) -> tuple[int, int, list[dict[str, Any]]]:
    columns = _sane(carousel.get("ButtonsGroupColumns"), GRID_COLUMNS, GRID_COLUMNS)
    rows = _sane(carousel.get("ButtonsGroupRows"), CAROUSEL_ROWS_MAX, CAROUSEL_ROWS_MAX)
    return columns, rows, buttons_of(carousel)


def span_of(button: dict[str, Any]) -> tuple[int, int]:
    return _sane(button.get("Columns"), GRID_COLUMNS, GRID_COLUMNS), _sane(button.get("Rows"), CAROUSEL_ROWS_MAX, 1)


def _sane(value: Any, most: int, default: int) -> int:
    return value if type(value) is int and 1 <= value <= most else default


def rows_needed(buttons: list[dict[str, Any]], columns: int) -> int:
    """How tall the buttons stand when each takes the first free place, reading left to right, top to bottom."""
    taken: set[tuple[int, int]] = set()
    for button in buttons:
        width, height = span_of(button)
        taken |= _first_free_place(taken, min(width, columns), height, columns)
    return max((row for row, _ in taken), default=-1) + 1


def _first_free_place(taken: set[tuple[int, int]], width: int, height: int, columns: int) -> set[tuple[int, int]]:
    row = 0
    while True:
        for column in range(columns - width + 1):
            place = {(row + down, column + right) for down in range(height) for right in range(width)}
            if not place & taken:
                return place
        row += 1


def cards_of(carousel: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The buttons card by card: a new card starts when the rows of the one before are full."""
    columns, rows, buttons = group_of(carousel)
    cards: list[list[dict[str, Any]]] = []
    for button in buttons:
        if not cards or rows_needed([*cards[-1], button], columns) > rows:
            cards.append([])
        cards[-1].append(button)
    return cards


# --- the level a message must state -------------------------------------------------------------------------------


def _levels(body: dict[str, Any]) -> Problems:
    stated = body.get("min_api_version", 1)
    if type(stated) is not int:
        return
    for level, what in sorted(_needs(body), reverse=True):
        if level > stated:
            yield Problem(NEEDS_HIGHER_LEVEL, f"{what} needs min_api_version {level}, the message states {stated}")


def _needs(body: dict[str, Any]) -> Iterator[tuple[int, str]]:
    if body.get("type") == "rich_media":
        yield CAROUSEL_LEVEL, "rich_media"
    for where, fields in (("keyboard", KEYBOARD_FIELDS), ("rich_media", CAROUSEL_FIELDS)):
        board = body.get(where)
        if isinstance(board, dict):
            yield from ((fields[key][1], f"{where}.{key}") for key in board if key in fields)
            for button in buttons_of(board):
                yield from _button_needs(where, button)


def _button_needs(where: str, button: dict[str, Any]) -> Iterator[tuple[int, str]]:
    yield from ((BUTTON_FIELDS[key][1], f"{where} button's {key}") for key in button if key in BUTTON_FIELDS)
    if button.get("ActionType") in PHONE_ACTIONS:
        yield PHONE_ACTIONS_LEVEL, f"{where} button's {button['ActionType']}"
    if isinstance(button.get("Text"), str) and re.search(r"<s>|<font[^>]*\bsize\s*=", button["Text"], re.IGNORECASE):
        yield RICH_TEXT_LEVEL, f"{where} button's text with <s> or a font size"


CONTENT: dict[str, Callable[[dict[str, Any]], Problems]] = {
    "text": _text,
    "picture": _picture,
    "video": _video,
    "file": _file,
    "contact": _contact,
    "location": _location,
    "url": _url,
    "sticker": _sticker,
    "rich_media": _carousel,
}
