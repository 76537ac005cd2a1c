"""What the page shows and what its buttons do; tests in other processes pull the same handles."""

import re
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.local.simulator.callbacks import Callback
from infra.local.simulator.citizens import Citizen

if TYPE_CHECKING:
    from infra.local.simulator.simulator import Simulator

OWN_FILES = Path(__file__).parent / "static"
SHARED_FILES = Path(__file__).resolve().parents[3] / "chalicelib" / "console" / "static"  # the house's sheets
FILE_NAME = re.compile(r"[a-z]+\.(css|js|png|svg)")
LINES_SHOWN_MAX = 100
RECEIPTS_SHOWN_MAX = 4
RECEIPTS = ("delivered", "seen")
CALLS_SHOWN_MAX = 8
NEW_CITIZEN_FACTS = {
    "name": str, "language": str, "script": str, "country": str, "api_version": int, "phone_number": str, "device": str,
    "latitude": float, "longitude": float, "devices": int,
}  # fmt: skip

HABITS_TOLD = {
    "delivered": "report_delivered",
    "seen": "report_seen",
    "copies": "copies",
    "hold": "hold",
    "billable": "billable",
}

Told = dict[str, Any]


# --- pages --------------------------------------------------------------------------------------------------------


def index(viber: "Simulator") -> str:
    """Every account there is."""
    viber.read_towns()
    accounts = sorted(viber.world.accounts.values(), key=lambda one: one.title)
    rows = "".join(_row(escape(one.name), escape(one.title)) for one in accounts)
    none = "<p>No town has a folder yet. Any name works: put it behind the slash of this address.</p>"
    listed = f'<ul class="towns">{rows}</ul>' if rows else none
    return _template("index.html").replace("{{url}}", viber.url).replace("{{accounts}}", listed)


def _row(name: str, title: str) -> str:
    return (
        f'<li class="town" data-town="{name}"><h2>{title}</h2><p class="small muted"><code>{name}</code></p>'
        f'<ul class="links"><li><a href="/{name}" aria-label="Chat, {title}">Chat as a citizen</a></li>'
        f'<li><a href="/ledger?account={name}" aria-label="Ledger, {title}">Ledger</a></li></ul></li>'
    )


def account(viber: "Simulator", name: str) -> str:
    """The phones of one account."""
    viber.read_towns()
    viber.settle_in(name)
    books = viber.account(name)
    filled = {"{{account}}": books.name, "{{title}}": books.title, "{{token}}": books.token}
    return re.sub("|".join(filled), lambda found: escape(filled[found.group()]), _template("account.html"))


def look(viber: "Simulator") -> str:
    """Each account's colour; everything else derives from it."""
    accounts = list(viber.world.accounts.values())
    return "".join(f'[data-town="{one.name}"] {{ --town: {one.colour}; }}\n' for one in accounts)


def static(name: str) -> bytes | None:
    if not FILE_NAME.fullmatch(name):
        return None
    path = next((folder / name for folder in (OWN_FILES, SHARED_FILES) if (folder / name).is_file()), None)
    return path.read_bytes() if path else None


def _template(name: str) -> str:
    return (OWN_FILES / name).read_text("utf-8")


# --- what the page asks every second ------------------------------------------------------------------------------


def state(viber: "Simulator", name: str) -> Told:
    """All that the page of one account draws."""
    viber.settle_in(name)
    with viber.world.lock:
        citizens = [one.shown() for one in viber.account(name).citizens]
    for one in citizens:
        one["thread"] = one["thread"][-LINES_SHOWN_MAX:]
    callbacks = viber.callbacks.read(name)
    last = next((one for one in reversed(callbacks) if one.event not in RECEIPTS), None)
    since = [one.shown() for one in callbacks if last and one.number > last.number]
    return {
        **control(viber, name),
        "citizens": citizens,
        "callback": last.shown() if last else None,
        "receipts": since[-RECEIPTS_SHOWN_MAX:],
        "calls": [one.shown() for one in viber.ledger.read(account=name)[: -CALLS_SHOWN_MAX - 1 : -1]],
    }


def control(viber: "Simulator", name: str | None) -> Told:
    """How Viber behaves at the moment."""
    if name is None:
        return {"faults": viber.faults.listed()}
    books = viber.account(name)
    webhook = books.webhook
    return {
        "account": books.name,
        "title": books.title,
        "mode": viber.mode_of(name),
        "faults": viber.faults.listed(name),
        "delivered": books.report_delivered,
        "seen": books.report_seen,
        "copies": books.copies,
        "hold": books.hold,
        "billable": books.billable,
        "webhook": {"url": webhook.url, "events": webhook.events, "send_name": webhook.send_name} if webhook else None,
    }


# --- handles ------------------------------------------------------------------------------------------------------


def take_control(viber: "Simulator", told: Told) -> Told:
    """POST /control: "account" (none: all), and any of "clear", "mode", "fault", "release" and the habits."""
    name = told.get("account")
    if told.get("clear"):
        viber.faults.clear(name)
        viber.behave(name, copies=1, hold=0)
    if "mode" in told:
        viber.mode(_named(name), told["mode"])
    if told.get("fault"):
        fault = dict(told["fault"])
        viber.fault(str(fault.pop("kind", None)), **{"account": name, **fault})
    viber.behave(name, **{habit: told[key] for key, habit in HABITS_TOLD.items() if key in told})
    if told.get("release"):
        viber.callbacks.release(viber.account(_named(name)))
    return control(viber, name)


def add_citizen(viber: "Simulator", name: str, told: Told) -> Told:
    """POST /ACCOUNT/citizens: a new person with a phone; "key" names it, all else has a default."""
    facts = {key: kind(told[key]) for key, kind in NEW_CITIZEN_FACTS.items() if told.get(key) not in (None, "")}
    return viber.citizen(name, told.get("key"), **facts).shown()


def act(viber: "Simulator", name: str, key: str, verb: str, told: Told) -> Told:
    """POST /ACCOUNT/citizens/KEY/VERB: the person does something; the answer tells how the callback fared."""
    if verb not in VERBS:
        raise LookupError(f"no such verb: {verb!r}; there are {', '.join(VERBS)}")
    return _told_of(VERBS[verb](_citizen(viber, name, key), told))


def upload(viber: "Simulator", name: str, key: str, file_name: str, content: bytes) -> Told:
    """POST /ACCOUNT/citizens/KEY/upload?name=: the person sends a file of the developer's own."""
    citizen, safe = _citizen(viber, name, key), Path(file_name).name or "file"
    link = viber.media.keep(safe, content)
    match Path(safe).suffix.lower():
        case ".jpg" | ".jpeg" | ".png" | ".gif":
            return _told_of(citizen.sends_picture(link))
        case ".mp4":
            return _told_of(citizen.sends_video(link))
        case _:
            return _told_of(citizen.sends_file(link, file_name=safe))


def _change(citizen: Citizen, told: Told) -> None:
    """The phone is taken elsewhere, or its owner's number changes."""
    for key, kind in NEW_CITIZEN_FACTS.items():
        if told.get(key) not in (None, ""):
            setattr(citizen, key, kind(told[key]))
    citizen.version += 1


def _press(citizen: Citizen, told: Told) -> Callback | None:
    button = told.get("button")
    if not isinstance(button, str | dict):
        raise ValueError("button must be a label, an ActionBody, or the button itself")
    with_it = {key: told[key] for key in ("latitude", "longitude", "phone_number") if told.get(key) not in (None, "")}
    return citizen.presses(button, **with_it)


VERBS: dict[str, Callable[[Citizen, Told], Callback | None]] = {
    "open": lambda citizen, told: citizen.opens(told.get("context")),
    "say": lambda citizen, told: citizen.says(str(told["text"])),
    "press": _press,
    "picture": lambda citizen, told: citizen.sends_picture(told.get("media"), str(told.get("text", ""))),
    "video": lambda citizen, told: citizen.sends_video(told.get("media")),
    "file": lambda citizen, told: citizen.sends_file(told.get("media"), str(told.get("file_name", "form.pdf"))),
    "sticker": lambda citizen, told: citizen.sends_sticker(told.get("sticker_id", "46105")),
    "location": lambda citizen, told: citizen.sends_location(told.get("latitude"), told.get("longitude")),
    "contact": lambda citizen, told: citizen.sends_contact(told.get("name"), told.get("phone_number")),
    "voice": lambda citizen, told: citizen.sends_unknown("voice"),
    "message": lambda citizen, told: citizen.sends(dict(told["message"])),
    "subscribe": lambda citizen, told: citizen.subscribes(),
    "unsubscribe": lambda citizen, told: citizen.unsubscribes(),
    "see": lambda citizen, told: citizen.sees(),
    "report": lambda citizen, told: citizen.reports(str(told["event"]), int(told["message_token"])),
    "change": _change,
}


def _citizen(viber: "Simulator", name: str, key: str) -> Citizen:
    citizen = viber.account(name).citizen(key)
    if citizen is None:
        raise LookupError(f"no citizen {key!r} at {name}")
    return citizen


def _told_of(callback: Callback | None) -> Told:
    return {"callback": callback.shown() if callback else None}


def _named(name: Any) -> str:
    if not isinstance(name, str):
        raise ValueError("this needs an account")
    return name
