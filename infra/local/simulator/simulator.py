"""The simulator as a whole: books, calls, callbacks and the server that holds them together."""

import base64
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from infra.local.simulator.api import Api
from infra.local.simulator.callbacks import ANSWER_PATIENCE_S, QUICK_REPEATS, Callback, Callbacks, Post, post_over_http
from infra.local.simulator.citizens import Citizen
from infra.local.simulator.faults import Fault, Faults
from infra.local.simulator.later import Later
from infra.local.simulator.ledger import Entry, Ledger
from infra.local.simulator.media import Media
from infra.local.simulator.server import Server
from infra.local.simulator.towns import read_bots
from infra.local.simulator.world import Account, World

SLOW_S = 8.0
WAIT_S = 5.0
KEYS = "abcdefghijklmnopqrstuvwxyz"
HABITS = ("report_delivered", "report_seen", "copies", "hold", "billable")


class Simulator:
    """Viber in a box.

        with Simulator("http://127.0.0.1:8000", {"a-town": "a-token"}) as viber:
            mira = viber.citizen("a-town", name="Mira")
            mira.opens()
            mira.says("radno vreme")
            mira.presses("Kontakti")
            viber.wait_for_messages(2, receiver=mira.id)
            assert "8" in mira.texts[-1]

    Without `tokens` every account NAME exists, with the token local-viber-token-NAME. Receipts are off until
    `behave` switches them on, so that a test sees only the callbacks it caused. The product under test gets
    `api_url` as its VIBER_API_URL. `post` replaces HTTP towards the product, `clock` the time of day, `repeats` and
    `patience_s` how stubbornly callbacks come again.
    """

    def __init__(
        self,
        callback_url: str,
        tokens: dict[str, str] | None = None,
        *,
        port: int = 0,
        towns: Path | None = None,
        webhooks: bool = True,
        post: Post = post_over_http,
        repeats: tuple[float, ...] = QUICK_REPEATS,
        patience_s: float = ANSWER_PATIENCE_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.world = World(callback_url, tokens, webhooks=webhooks, clock=clock)
        self.later = Later()
        self.ledger = Ledger()
        self.faults = Faults()
        self.media = Media(lambda: self.url, clock)
        self.callbacks = Callbacks(self.world, self.later, post=post, repeats=repeats, patience_s=patience_s)
        self.api = Api(self)
        self._towns = towns
        self._server = Server(self, port)

    def start(self) -> Self:
        self.later.start()
        self._server.start()
        return self

    def stop(self) -> None:
        self.later.stop()
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def api_url(self) -> str:
        return f"{self.url}/pa"

    # --- people ----------------------------------------------------------------------------------------------------

    def account(self, name: str) -> Account:
        return self.world.open_account(name)

    def citizen(self, account: str, key: str | None = None, **facts: Any) -> Citizen:
        """The citizen of that key at that account, made at first mention; without a key a new one."""
        with self.world.lock:
            books = self.account(account)
            found = books.citizen(key) if key else None
            if found is None:
                key = key or self._free_key(books)
                found = Citizen(self, books, key, **{"name": f"User {key.upper()}", **facts})
                books.join(found)
            return found

    def settle_in(self, account: str) -> None:
        """Gives an account that nobody uses yet its two first people, the same ones after every restart."""
        with self.world.lock:
            books = self.account(account)
            if not books.citizens:
                for key, script, number in (("a", "latin", "381600000001"), ("b", "cyrillic", "381600000002")):
                    lasting = {"id": _lasting_id(account, key), "phone_number": number}
                    self.citizen(account, key, script=script, **lasting, **_at_home(books))

    def read_towns(self) -> None:
        """Looks again which accounts the towns' folders speak of; a town added a minute ago is there."""
        for bot in read_bots(self._towns) if self._towns else ():
            books = self.account(bot.account)
            books.title, books.languages = bot.title, bot.languages
            books.colour = bot.colour or books.colour
            books.place = (bot.latitude, bot.longitude) if bot.latitude and bot.longitude else books.place

    # --- behaviour -------------------------------------------------------------------------------------------------

    def behave(self, account: str | None = None, **habits: Any) -> None:
        """Switches report_delivered, report_seen, copies, hold, billable; without account for all, also later ones."""
        if unknown := set(habits) - set(HABITS):
            raise ValueError(f"no such habit: {', '.join(sorted(unknown))}; there are {', '.join(HABITS)}")
        with self.world.lock:
            if account is None:
                self.world.habits |= habits
            for books in [self.account(account)] if account else self.world.accounts.values():
                for habit, value in habits.items():
                    setattr(books, habit, value)

    def fault(self, kind: str, **which: Any) -> Fault:
        """Sets a fault: fault("status", code=12, calls=2, account="a-town"), fault("drop", accept=True)."""
        return self.faults.add(Fault(kind, **which))

    def mode(self, account: str, mode: str) -> None:
        """The four ways the page offers: normal, slow, fails, twice."""
        if mode not in MODES:
            raise ValueError(f"no such mode: {mode!r}; there are {', '.join(MODES)}")
        self.faults.clear(account)
        self.behave(account, copies=2 if mode == "twice" else 1)
        if mode == "slow":
            self.fault("slow", account=account, seconds=SLOW_S)
        if mode == "fails":
            self.fault("http", account=account, code=500)

    def mode_of(self, account: str) -> str:
        """The mode the account is in; "custom" when faults were set in another way."""
        faults = [fault["kind"] for fault in self.faults.listed(account)]
        known = {(): "normal", ("slow",): "slow", ("http",): "fails"}
        mode = known.get(tuple(faults), "custom")
        return "twice" if mode == "normal" and self.account(account).copies > 1 else mode

    # --- what happened ---------------------------------------------------------------------------------------------

    def messages(self, **which: Any) -> list[Entry]:
        """The accepted sends, oldest first; `account`, `receiver`, `after` narrow them."""
        return [entry for entry in self.ledger.read(accepted=True, **which) if entry.method in SENDS]

    def wait_for_messages(self, count: int, timeout: float = WAIT_S, **which: Any) -> list[Entry]:
        """The same, as soon as there are `count`; what there is when the time is up."""
        self.ledger.wait_until(lambda: len(self.messages(**which)) >= count, timeout)
        return self.messages(**which)

    def post(self, account: str, body: bytes, signature: str | None = None) -> Callback:
        """Sends any bytes to an account's webhook, rightly signed unless a signature is given."""
        return self.callbacks.raw(self.account(account), body, signature=signature)

    def _free_key(self, books: Account) -> str:
        taken = {one.key for one in books.citizens}
        letters = (letter for letter in KEYS if letter not in taken)
        return next(letters, f"u{len(taken)}")


MODES = ("normal", "slow", "fails", "twice")
SENDS = ("send_message", "broadcast_message", "welcome")

# Where a phone set to a town's first language most likely is; the language it would report; a place to report from.
HOMES = {
    "sr": ("sr", "RS"), "sr-ije": ("sr", "BA"), "bs": ("bs", "BA"), "hr": ("hr", "BA"), "cnr": ("sr", "ME"),
    "sq": ("sq", "XK"), "hu": ("hu", "RS"), "de": ("de", "AT"), "en": ("en", "GB"),
}  # fmt: skip


def _at_home(books: Account) -> dict[str, Any]:
    language, country = HOMES.get(books.languages[0] if books.languages else "sr", ("sr", "RS"))
    place = {"latitude": books.place[0], "longitude": books.place[1]} if books.place else {}
    return {"language": language, "country": country, **place}


def _lasting_id(account: str, key: str) -> str:
    return base64.b64encode(hashlib.sha256(f"{account} {key}".encode()).digest()[:16]).decode()
