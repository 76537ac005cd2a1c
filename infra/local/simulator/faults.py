"""How Viber can misbehave when the product calls it: slow, broken, lying, or gone before or after it accepted."""

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Any

STATUS_NAMES = {
    0: "ok", 1: "invalidUrl", 2: "invalidAuthToken", 3: "badData", 4: "missingData", 5: "receiverNotRegistered",
    6: "receiverNotSubscribed", 7: "publicAccountBlocked", 8: "publicAccountNotFound", 9: "publicAccountSuspended",
    10: "webhookNotSet", 11: "receiverNoSuitableDevice", 12: "tooManyRequests", 13: "apiVersionNotSupported",
    14: "incompatibleWithVersion", 15: "publicAccountNotAuthorized", 16: "inchatReplyMessageNotAllowed",
    17: "publicAccountIsNotInline", 18: "noPublicChat", 19: "cannotSendBroadcast", 20: "broadcastNotAllowed",
    21: "unsupportedCountry", 22: "paymentUnsupported", 23: "freeMessagesExceeded", 24: "noBalance",
}  # fmt: skip

HTML_PAGE = "<!doctype html><title>502 Bad Gateway</title><h1>Bad Gateway</h1>"
KINDS = {
    "slow": "answers properly, `seconds` late",
    "http": "answers with HTTP `code` and an HTML page",
    "html": "answers 200 with an HTML page",
    "empty": "answers 200 with nothing",
    "garbage": "answers 200 with half a JSON object",
    "body": "answers 200 with `text` as it is",
    "redirect": "answers 302 to somewhere else",
    "status": "answers 200 with JSON `status` `code` (`text` replaces the message, empty leaves it out)",
    "drop": "closes the connection without an answer",
    "failed": "accepts with status 0, then the app refuses it: a `failed` callback (`text` is its desc)",
}


@dataclass
class Fault:
    """One way of failing, for the next `calls` calls (None: until cleared) that match what is given.

    `accept` says that the call takes effect first: Fault("drop", accept=True) accepts the message and loses the answer,
    Fault("slow", accept=True) accepts it even if the caller does not wait for the answer.
    """

    kind: str
    account: str | None = None
    method: str | None = None
    receiver: str | None = None
    calls: int | None = None
    accept: bool = False
    seconds: float = 8.0
    code: int = 500
    text: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no such fault: {self.kind!r}; there are {', '.join(KINDS)}")
        if self.kind == "status" and self.code not in STATUS_NAMES:
            raise ValueError(f"no such Viber status: {self.code}")

    @property
    def name(self) -> str:
        """As the ledger names it: "status 12", "drop, accepted"."""
        code = f" {self.code}" if self.kind in ("http", "status") else ""
        return f"{self.kind}{code}{', accepted' if self.accept else ''}"

    def strikes(self, account: str, method: str, receivers: Iterable[str]) -> bool:
        return (
            self.calls != 0
            and self.account in (None, account)
            and self.method in (None, method)
            and (self.receiver is None or self.receiver in receivers)
        )

    def shown(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if value is not None}


class Faults:
    """The faults that are set; of those that match, the one set first strikes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._set: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            self._set.append(fault)
        return fault

    def clear(self, account: str | None = None) -> None:
        with self._lock:
            self._set = [fault for fault in self._set if account is not None and fault.account != account]

    def strike(self, account: str, method: str, receivers: Iterable[str]) -> Fault | None:
        with self._lock:
            fault = next((fault for fault in self._set if fault.strikes(account, method, receivers)), None)
            if fault and fault.calls is not None:
                fault.calls -= 1
            return fault

    def listed(self, account: str | None = None) -> list[dict[str, Any]]:
        with self._lock:
            faults = [fault for fault in self._set if fault.calls != 0]
        return [fault.shown() for fault in faults if account is None or fault.account in (None, account)]
