"""A citizen with Viber on the phone: writes, presses, shares, reads; and what the phone shows."""

import base64
import re
import secrets
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING, Any

from infra.local.simulator.callbacks import Callback
from infra.local.simulator.rules import PHONE_ACTIONS, buttons_of, cards_of
from infra.local.simulator.world import RECEIPT_HOST, Account

if TYPE_CHECKING:
    from infra.local.simulator.simulator import Simulator

SESSION_S = 24 * 3600
HOUR_S = 3600
UNANSWERED_PER_HOUR_MAX = 100
DETAILS_WINDOW_S = 12 * 3600
DETAILS_PER_WINDOW_MAX = 2
THREAD_KEPT_MAX = 500
LONE_LINK = re.compile(r"https?://\S+")

SHOWN_FACTS = (
    "key", "id", "name", "language", "script", "country", "api_version", "phone_number", "latitude", "longitude",
    "device",
)  # fmt: skip


@dataclass
class Shown:
    """One line on the phone: the citizen's own or the bot's, and how it fared."""

    number: int
    at: float
    mine: bool
    body: dict[str, Any]
    token: int | None
    state: str  # mine: sending, sent, unheard (no webhook); the bot's: sent, delivered, seen, failed
    callback: Callback | None = None
    silent: bool = False  # a silent press is not shown in the chat
    remark: str | None = None  # mine: the pressed button's label; the bot's: what is odd about it

    def shown(self) -> dict[str, Any]:
        callback = self.callback
        cards = cards_of(self.body["rich_media"]) if self.body.get("type") == "rich_media" and not self.mine else None
        return {
            "number": self.number,
            "at": self.at,
            "mine": self.mine,
            "body": self.body,
            "token": None if self.token is None else str(self.token),
            "state": callback.state if callback else self.state,
            "status": callback.status if callback else None,
            "milliseconds": callback.tries[-1].milliseconds if callback and callback.tries else None,
            "tries": len(callback.tries) if callback else 0,
            "silent": self.silent,
            "remark": self.remark,
            "cards": cards,
        }


@dataclass(eq=False)
class Citizen:
    """One person in one account's chat. The same person has another id at every account."""

    viber: "Simulator" = field(repr=False)
    account: Account = field(repr=False)
    key: str
    name: str
    language: str = "sr"
    script: str = "latin"
    country: str = "RS"
    api_version: int = 10
    phone_number: str = "381600000001"
    latitude: float = 44.0
    longitude: float = 20.0
    device: str = "phone"  # or "desktop", which has neither map nor number to share
    devices: int = 1
    online: bool = True
    id: str = field(default_factory=lambda: random_id())
    subscribed: bool = False
    keyboard: dict[str, Any] | None = None
    tracking_data: str = ""
    thread: list[Shown] = field(default_factory=list)
    version: int = 0
    _session_from: float | None = None
    _unanswered_hour: int = -1
    _unanswered: int = 0
    _details_asked: list[float] = field(default_factory=list)
    _lines: int = 0

    # --- what a citizen does ---------------------------------------------------------------------------------------

    def opens(self, context: str | None = None, **extra: Any) -> Callback | None:
        """Opens the chat by its button, or by a deep link with a context; shows the welcome that comes back."""
        linked = {} if context is None else {"context": context}
        callback = self.viber.callbacks.event(
            self.account,
            "conversation_started",
            self.id,
            **{"type": "open", **linked, "user": self._as_user(), "subscribed": self.subscribed, **extra},
        )
        if callback:
            self.viber.api.welcome(self.account, self, callback.answer())
        return callback

    def says(self, text: str, **extra: Any) -> Callback | None:
        """Types a text. A lone link leaves the app as type url, not as text."""
        if LONE_LINK.fullmatch(text.strip()):
            return self.sends({"type": "url", "media": text.strip()}, **extra)
        return self.sends({"type": "text", "text": text}, **extra)

    def sends(
        self, message: dict[str, Any], *, silent: bool = False, remark: str | None = None, **extra: Any
    ) -> Callback | None:
        """Sends a message of any type; the first one subscribes, and only as a message."""
        with self.viber.world.lock:
            self._writes()
            line = self._line(True, message, None, "sending")
            line.silent, line.remark = silent, remark
            message = {"tracking_data": self.tracking_data, **message}
            event = {"sender": self._as_user(), "message": message, "silent": silent}
        line.callback = self.viber.callbacks.event(self.account, "message", self.id, **{**event, **extra})
        line.state = "sent" if line.callback else "unheard"
        self._touch()
        return line.callback

    def sends_picture(self, media: str | None = None, text: str = "", **extra: Any) -> Callback | None:
        media = media or self.viber.media.sample("photo.jpg")
        return self.sends({"type": "picture", "media": media, "thumbnail": media, "text": text, **extra})

    def sends_video(
        self, media: str | None = None, size: int | None = None, duration: int = 4, **extra: Any
    ) -> Callback | None:
        media = media or self.viber.media.sample("clip.mp4")
        size = self.viber.media.size_of(media) if size is None else size
        return self.sends({"type": "video", "media": media, "size": size, "duration": duration, **extra})

    def sends_file(
        self, media: str | None = None, file_name: str = "form.pdf", size: int | None = None, **extra: Any
    ) -> Callback | None:
        media = media or self.viber.media.sample("form.pdf")
        size = self.viber.media.size_of(media) if size is None else size
        return self.sends({"type": "file", "media": media, "file_name": file_name, "size": size, **extra})

    def sends_sticker(self, sticker_id: int | str = "46105") -> Callback | None:
        media = self.viber.media.sample("sticker.png")
        return self.sends({"type": "sticker", "sticker_id": sticker_id, "media": media})

    def sends_location(self, latitude: Any = None, longitude: Any = None, **extra: Any) -> Callback | None:
        latitude = self.latitude if latitude is None else latitude
        longitude = self.longitude if longitude is None else longitude
        return self.sends({"type": "location", "location": {"lat": latitude, "lon": longitude}, **extra})

    def sends_contact(self, name: str | None = None, phone_number: str | None = None, **extra: Any) -> Callback | None:
        card = {"name": name or self.name, "phone_number": phone_number or self.phone_number}
        return self.sends({"type": "contact", "contact": card, **extra})

    def sends_url(self, media: str) -> Callback | None:
        return self.sends({"type": "url", "media": media})

    def sends_unknown(self, kind: str = "voice") -> Callback | None:
        return self.sends({"type": kind})

    def presses(
        self,
        button: str | dict[str, Any],
        *,
        latitude: float | None = None,
        longitude: float | None = None,
        phone_number: str | None = None,
    ) -> Callback | None:
        """Presses a button that the phone shows, named by its label or its ActionBody."""
        found = button if isinstance(button, dict) else self._find(button)
        body, action, silent = found["ActionBody"], found.get("ActionType", "reply"), bool(found.get("Silent", False))
        if action in PHONE_ACTIONS and self.device == "desktop":
            raise LookupError(f"a desktop has no {action}")
        match action:
            case "none":
                return None
            case "location-picker":
                return self.sends_location(latitude, longitude, text=body)
            case "share-phone":
                return self.sends_contact(phone_number=phone_number, text=body)
            case _:  # reply, and open-url, which opens the address and sends it as well
                return self.sends({"type": "text", "text": body}, silent=silent, remark=label_of(found) or None)

    def subscribes(self) -> Callback | None:
        """Turns "Receive messages" on again; the conversation's hints are lost with it."""
        self.subscribed, self.tracking_data = True, ""
        self._touch()
        return self.viber.callbacks.event(self.account, "subscribed", self.id, user=self._as_user())

    def unsubscribes(self) -> Callback | None:
        self.subscribed = False
        self._touch()
        return self.viber.callbacks.event(self.account, "unsubscribed", self.id, user_id=self.id)

    def sees(self) -> Callback | None:
        """Looks at the chat: one report for the newest message stands for all before it."""
        with self.viber.world.lock:
            theirs = [line for line in self.thread if not line.mine and line.token]
            unseen = [line for line in theirs if line.state in ("sent", "delivered")]
            for line in unseen:
                line.state = "seen"
        return self.reports("seen", unseen[-1].token) if unseen else None

    def reports(self, event: str, message_token: int | None, **extra: Any) -> Callback | None:
        """Sends delivered, seen or failed for a message, whether that makes sense or not."""
        for line in self.thread:
            if line.token == message_token and not line.mine:
                line.state = event
        self._touch()
        facts = {"message_token": message_token, "user_id": self.id, **extra}
        return self.viber.callbacks.event(self.account, event, self.id, host=RECEIPT_HOST, **facts)

    # --- what a citizen has on the phone ---------------------------------------------------------------------------

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What the bot said, oldest first."""
        return [line.body for line in self.thread if not line.mine]

    @property
    def texts(self) -> list[str]:
        return [body.get("text", "") for body in self.messages]

    @property
    def buttons(self) -> list[str]:
        """The labels on the keyboard, as a reader sees them."""
        return [label_of(button) for button in buttons_of(self.keyboard)]

    def takes(self, body: dict[str, Any], token: int | None, remark: str | None = None) -> None:
        """Shows a message of the bot's; its keyboard replaces the one before, no keyboard removes it."""
        self.keyboard = body.get("keyboard")
        self.tracking_data = body.get("tracking_data", "")
        if body.get("type"):
            self._line(False, body, token, "sent").remark = remark
        self._touch()

    def refuses(self, token: int, why: str) -> None:
        for line in self.thread:
            if line.token == token and not line.mine:
                line.state, line.remark = "failed", why
        self._touch()

    def shown(self) -> dict[str, Any]:
        return {
            **{name: getattr(self, name) for name in SHOWN_FACTS},
            "subscribed": self.subscribed,
            "version": self.version,
            "keyboard": self.keyboard,
            "thread": [line.shown() for line in self.thread],
        }

    # --- what Viber knows of a citizen -----------------------------------------------------------------------------

    def in_session(self, now: float) -> bool:
        return self._session_from is not None and now - self._session_from < SESSION_S

    def may_get_another(self, now: float) -> bool:
        """Counts a message; a clock hour has room for a hundred that the citizen does not answer."""
        hour = int(now // HOUR_S)
        if hour != self._unanswered_hour:
            self._unanswered_hour, self._unanswered = hour, 0
        self._unanswered += 1
        return self._unanswered <= UNANSWERED_PER_HOUR_MAX

    def may_be_asked_about(self, now: float) -> bool:
        self._details_asked = [at for at in self._details_asked if now - at < DETAILS_WINDOW_S]
        self._details_asked.append(now)
        return len(self._details_asked) <= DETAILS_PER_WINDOW_MAX

    def _writes(self) -> None:
        now = self.viber.world.clock()
        if not self.in_session(now):
            self._session_from = now
        self.subscribed, self._unanswered = True, 0

    def _as_user(self) -> dict[str, Any]:
        webhook = self.account.webhook
        name = {"name": self.name} if webhook and webhook.send_name else {}
        photo = {"avatar": self.viber.media.sample("sticker.png")} if webhook and webhook.send_photo else {}
        facts = {"country": self.country, "language": self.language, "api_version": self.api_version}
        return {"id": self.id, **name, **photo, **facts}

    def _find(self, named: str) -> dict[str, Any]:
        carousels = [line.body["rich_media"] for line in reversed(self.thread) if line.body.get("type") == "rich_media"]
        boards = [self.keyboard, *carousels]
        for button in (button for board in boards for button in buttons_of(board)):
            if named in (label_of(button), button.get("ActionBody")):
                return button
        raise LookupError(f"no button {named!r} is on the phone; there are {self.buttons}")

    def _line(self, mine: bool, body: dict[str, Any], token: int | None, state: str) -> Shown:
        self._lines += 1
        line = Shown(self._lines, self.viber.world.clock(), mine, body, token, state)
        self.thread.append(line)
        del self.thread[:-THREAD_KEPT_MAX]
        self._touch()
        return line

    def _touch(self) -> None:
        self.version += 1


def random_id() -> str:
    """An id as Viber makes them: base64, so that it may hold what a URL or key must not."""
    return base64.b64encode(secrets.token_bytes(13) + b"\xfb\xff\xfe").decode()


def label_of(button: dict[str, Any]) -> str:
    return unescape(re.sub(r"<[^>]*>", " ", button.get("Text") or "")).strip()
