"""What stands in Viber's own books: accounts with their webhooks, and the numbers it hands out."""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infra.local.simulator.citizens import Citizen

CHAT_HOST = "SN-CHAT-02_"
RECEIPT_HOST = "SN-CALLBACK-01_"
MANDATORY_EVENTS = ("message", "subscribed", "unsubscribed")
OPTIONAL_EVENTS = ("delivered", "seen", "failed", "conversation_started")
UNASKED_EVENTS = ("webhook", "client_status", "action")  # stand in set_webhook's answer though nobody asked for them
LOCAL_TOKEN = re.compile(r"local-viber-token-([a-z0-9][a-z0-9-]*)")
DEFAULT_COLOUR = "#54408a"


@dataclass(frozen=True)
class Webhook:
    """Where Viber calls the product for one account, and about what."""

    url: str
    events: tuple[str, ...] = OPTIONAL_EVENTS
    send_name: bool = False
    send_photo: bool = False

    def wants(self, event: str) -> bool:
        return event not in OPTIONAL_EVENTS or event in self.events


@dataclass
class Account:
    """One bot: its token, its webhook, and the people who chat with it."""

    name: str
    token: str
    title: str
    webhook: Webhook | None = None
    colour: str = DEFAULT_COLOUR
    languages: tuple[str, ...] = ()
    place: tuple[float, float] | None = None
    report_delivered: bool = False
    report_seen: bool = False
    billable: bool = True  # bots made since February 2024 pay for what they send outside a session
    copies: int = 1  # how often each callback is delivered
    hold: int = 0  # so many callbacks are kept back, then delivered in reverse
    citizens: list["Citizen"] = field(default_factory=list)
    broadcasts: deque[float] = field(default_factory=deque)
    _by_id: dict[str, "Citizen"] = field(default_factory=dict)

    def citizen(self, key: str) -> "Citizen | None":
        """The citizen by the short name that the page and tests use."""
        return next((one for one in self.citizens if one.key == key), None)

    def citizen_of_id(self, citizen_id: str) -> "Citizen | None":
        return self._by_id.get(citizen_id)

    def join(self, citizen: "Citizen") -> None:
        self.citizens.append(citizen)
        self._by_id[citizen.id] = citizen

    def info(self) -> dict[str, Any]:
        """The answer of get_account_info."""
        return {
            "id": f"pa:{int.from_bytes(self.name.encode()) % 10**18:018d}",
            "name": self.title[:75],
            "uri": self.name,
            "icon": "https://media.viber.example/icon.png",
            "category": "Local Businesses",
            "subcategory": "Government Organization",
            "country": "RS",
            "webhook": self.webhook.url if self.webhook else "",
            "event_types": [*MANDATORY_EVENTS, *self.webhook.events] if self.webhook else [],
            "subscribers_count": sum(one.subscribed for one in self.citizens),
        }


class Tokens:
    """Message tokens: whole numbers of 19 digits that rise and do not come again after a restart."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        self._last = max(self._last + 1, int(self._clock() * 1000) * 10**6)
        return self._last


class World:
    """The books themselves. Whoever changes them holds `lock`; nobody holds it while talking to the product."""

    def __init__(
        self, callback_url: str, tokens: dict[str, str] | None, *, webhooks: bool, clock: Callable[[], float]
    ) -> None:
        self.lock = RLock()
        self.clock = clock
        self.tokens = Tokens(clock)
        self.accounts: dict[str, Account] = {}
        self.habits: dict[str, Any] = {}  # what every new account starts with
        self._callback_url = callback_url.rstrip("/")
        self._given = tokens
        self._webhooks = webhooks
        for name in tokens or ():
            self.open_account(name)

    def open_account(self, name: str) -> Account:
        """The account of that name, made at first mention: by rule its token needs nobody's memory."""
        with self.lock:
            if name not in self.accounts:
                self.accounts[name] = Account(
                    name=name,
                    token=self._token_of(name),
                    title=name.replace("-", " ").title(),
                    webhook=Webhook(f"{self._callback_url}/viber/{name}") if self._webhooks else None,
                    **self.habits,
                )
            return self.accounts[name]

    def account_of_token(self, token: str) -> Account | None:
        if self._given is not None:
            name = next((name for name, given in self._given.items() if given == token), None)
        else:
            match = LOCAL_TOKEN.fullmatch(token)
            name = match and match.group(1)
        return self.open_account(name) if name else None

    def may_exist(self, name: str) -> bool:
        by_rule = self._given is None and LOCAL_TOKEN.fullmatch(f"local-viber-token-{name}")
        return name in self.accounts or bool(by_rule)

    def next_token(self) -> int:
        with self.lock:
            return self.tokens.next()

    def _token_of(self, name: str) -> str:
        if self._given is None:
            return f"local-viber-token-{name}"
        if name not in self._given:
            raise KeyError(f"no token was given for the account {name!r}")
        return self._given[name]
