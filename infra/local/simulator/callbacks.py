"""Viber's calls to the product: signed over the raw bytes, repeated until answered 200, at times doubled."""

import hashlib
import hmac
import http.client
import ipaddress
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from threading import Condition, Thread
from typing import Any
from urllib.parse import urlsplit

from infra.local.simulator.later import Later
from infra.local.simulator.world import CHAT_HOST, Account, Webhook, World

ANSWER_PATIENCE_S = 5.0  # an answer slower than this counts for nothing: the callback comes again
CALL_TIMEOUT_S = 30.0
QUICK_REPEAT_S = 1.0  # repeats after at most this pause happen before the caller gets the callback back
QUICK_REPEATS = (0.05, 0.05, 0.05)
AN_HOUR_OF_REPEATS = (0.2, 0.2, 0.2, *(60.0,) * 57)
CALLBACKS_KEPT_MAX = 20_000

Post = Callable[[str, bytes, dict[str, str]], tuple[int, bytes]]


def sign(token: str, body: bytes) -> str:
    """The signature of a callback, as it stands in X-Viber-Content-Signature."""
    return hmac.new(token.encode(), body, hashlib.sha256).hexdigest()


def as_bytes(event: Any) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Try:
    """One delivery of a callback: HTTP status (None: no answer), how long it took, what stood in the answer."""

    status: int | None
    milliseconds: int
    good: bool  # 200, and in time
    answer: bytes = b""
    trouble: str | None = None


@dataclass
class Callback:
    """One event on its way to the product, and what became of each delivery."""

    number: int
    at: float
    account: str
    event: str
    message_token: int | None
    citizen: str | None
    body: bytes
    signature: str
    state: str = "sending"  # sending, held, delivered, waiting (comes again later), lost (nobody answered 200)
    tries: list[Try] = field(default_factory=list)

    @property
    def status(self) -> int | None:
        return self.tries[-1].status if self.tries else None

    def answer(self) -> Any:
        """The JSON body of the first good answer; None if there was none or it was no JSON."""
        good = next((one for one in self.tries if one.good), None)
        try:
            return json.loads(good.answer) if good and good.answer.strip() else None
        except ValueError:
            return None

    def shown(self) -> dict[str, Any]:
        tries = [{**asdict(one), "answer": one.answer.decode(errors="replace")[:2000]} for one in self.tries]
        facts = {**asdict(self), "tries": tries, "body": self.body.decode(errors="replace")}
        return {**facts, "message_token": None if self.message_token is None else str(self.message_token)}


def post_over_http(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """Calls the product. Only this machine is ever called: a test double must not reach out into the world."""
    parts = urlsplit(url)
    if not is_this_machine(parts.hostname):
        raise ConnectionError(f"the simulator calls only this machine, not {parts.hostname}")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=CALL_TIMEOUT_S)
    try:
        connection.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def is_this_machine(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


class Callbacks:
    """Delivers events to the product as Viber would, and remembers every delivery."""

    def __init__(
        self, world: World, later: Later, *, post: Post, repeats: tuple[float, ...], patience_s: float
    ) -> None:
        self._world = world
        self._later = later
        self._post = post
        self._repeats = repeats
        self._patience_s = patience_s
        self._changed = Condition()
        self._kept: deque[Callback] = deque(maxlen=CALLBACKS_KEPT_MAX)
        self._held: dict[str, list[Callback]] = {}
        self._made = 0

    def event(
        self, account: Account, name: str, citizen: str | None = None, *, host: str = CHAT_HOST, **facts: Any
    ) -> Callback | None:
        """Tells the product what happened; None when its webhook did not ask for such events."""
        if not account.webhook or not account.webhook.wants(name):
            return None
        token = facts.pop("message_token", None) or self._world.next_token()
        body = as_bytes({**self._head(name, host, token), **facts})
        return self.raw(account, body, event=name, message_token=token, citizen=citizen)

    def raw(
        self,
        account: Account,
        body: bytes,
        *,
        event: str = "raw",
        message_token: int | None = None,
        citizen: str | None = None,
        signature: str | None = None,
    ) -> Callback:
        """Delivers any bytes at all, signed properly unless a signature is given ("" sends none)."""
        signature = sign(account.token, body) if signature is None else signature
        callback = self._keep(account.name, event, message_token, citizen, body, signature)
        if not self._hold(account, callback):
            self._deliver(account, callback)
        return callback

    def probe(self, account: Account, webhook: Webhook) -> Callback:
        """The one call with which Viber tries a new webhook while set_webhook is still running."""
        token = self._world.next_token()
        body = as_bytes(self._head("webhook", CHAT_HOST, token))
        callback = self._keep(account.name, "webhook", token, None, body, sign(account.token, body))
        outcome = self._try(replace(account, webhook=webhook), callback)
        self._settle(callback, "delivered" if outcome.good else "lost")
        return callback

    def again(self, account: Account, callback: Callback, times: int = 1, *, at_once: bool = False) -> list[Try]:
        """Delivers the same bytes again, one after another or all at the same moment."""
        before = len(callback.tries)
        if at_once:
            threads = [Thread(target=self._try, args=(account, callback)) for _ in range(times)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        else:
            for _ in range(times):
                self._try(account, callback)
        return callback.tries[before:]

    def release(self, account: Account) -> list[Callback]:
        """Delivers what was held back, the newest first."""
        with self._changed:
            held = self._held.pop(account.name, [])[::-1]
            account.hold = 0
        for callback in held:
            self._deliver(account, callback)
        return held

    def read(self, account: str | None = None, after: int = 0) -> list[Callback]:
        with self._changed:
            return [one for one in self._kept if one.number > after and account in (None, one.account)]

    def wait(self, event: str, count: int, timeout: float, account: str | None = None) -> list[Callback]:
        """The answered callbacks of that event, as soon as there are `count`; what there is when the time is up."""

        def found() -> list[Callback]:
            return [one for one in self._kept if one.event == event and one.tries and account in (None, one.account)]

        with self._changed:
            self._changed.wait_for(lambda: len(found()) >= count, timeout)
            return found()

    def _keep(
        self, account: str, event: str, token: int | None, citizen: str | None, body: bytes, signature: str
    ) -> Callback:
        with self._changed:
            self._made += 1
            callback = Callback(self._made, self._world.clock(), account, event, token, citizen, body, signature)
            self._kept.append(callback)
            return callback

    def _hold(self, account: Account, callback: Callback) -> bool:
        with self._changed:
            if not account.hold:
                return False
            held = self._held.setdefault(account.name, [])
            held.append(callback)
            callback.state = "held"
            full = len(held) >= account.hold
        if full:
            self.release(account)
        return True

    def _deliver(self, account: Account, callback: Callback, repeat: int = 0) -> None:
        """Delivers until answered 200 in time: quick repeats now, slow ones later."""
        tries = [self._try(account, callback) for _ in range(account.copies if repeat == 0 else 1)]
        while not tries[-1].good:
            if repeat == len(self._repeats):
                self._settle(callback, "lost")
                return
            pause = self._repeats[repeat]
            repeat += 1
            if pause > QUICK_REPEAT_S:
                self._settle(callback, "waiting")
                self._later.run(pause, partial(self._deliver, account, callback, repeat))
                return
            if not self._later.sleep(pause):
                return
            tries = [self._try(account, callback)]
        self._settle(callback, "delivered")

    def _try(self, account: Account, callback: Callback) -> Try:
        headers = {"Content-Type": "application/json", "User-Agent": "Viber-simulator"}
        if callback.signature:
            headers["X-Viber-Content-Signature"] = callback.signature
        began = time.monotonic()
        try:
            url = account.webhook.url if account.webhook else ""
            status, answer = self._post(url, callback.body, headers)
            took = _milliseconds(began)
            outcome = Try(status, took, status == 200 and took <= self._patience_s * 1000, answer)
        except (OSError, http.client.HTTPException) as trouble:
            outcome = Try(None, _milliseconds(began), False, trouble=type(trouble).__name__)
        with self._changed:
            callback.tries.append(outcome)
            self._changed.notify_all()
        return outcome

    def _head(self, event: str, host: str, token: int) -> dict[str, Any]:
        now_ms = int(self._world.clock() * 1000)
        return {"event": event, "timestamp": now_ms, "chat_hostname": host, "message_token": token}

    def _settle(self, callback: Callback, state: str) -> None:
        with self._changed:
            callback.state = state
            self._changed.notify_all()


def _milliseconds(since: float) -> int:
    return round((time.monotonic() - since) * 1000)
