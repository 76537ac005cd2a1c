"""Viber's side of the REST calls: who is asking, is it allowed, what is the answer."""

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from infra.local.simulator import rules
from infra.local.simulator.callbacks import as_bytes, is_this_machine
from infra.local.simulator.citizens import Citizen
from infra.local.simulator.faults import HTML_PAGE, STATUS_NAMES, Fault
from infra.local.simulator.rules import REMARK, Problem, bad, missing
from infra.local.simulator.world import CHAT_HOST, MANDATORY_EVENTS, OPTIONAL_EVENTS, UNASKED_EVENTS, Account, Webhook

if TYPE_CHECKING:
    from infra.local.simulator.simulator import Simulator

OK, INVALID_URL, INVALID_TOKEN, NOT_REGISTERED, NOT_SUBSCRIBED = 0, 1, 2, 5, 6
WEBHOOK_NOT_SET, TOO_MANY, LEVEL_NOT_SUPPORTED = 10, 12, 13
CHARGED, FREE_OUTSIDE_SESSION = 5, 3
BILLABLE_IN_SESSION, FREE_IN_SESSION = 2, 1
BROADCASTS_MAX, BROADCASTS_WINDOW_S = 500, 10
ONLINE_IDS_MAX = 100
RECEIPT_AFTER_S, SEEN_AFTER_S = 0.05, 0.3
DOWNLOAD_TIMEOUT_S = 5
REDIRECTS_MAX = 2
HTML = "text/html; charset=utf-8"
MEDIA_BYTES_MAX = {"picture": rules.PICTURE_BYTES_MAX, "video": rules.VIDEO_BYTES_MAX, "file": rules.FILE_BYTES_MAX}


@dataclass(frozen=True)
class Reply:
    """What goes back over HTTP; `drop` closes the connection instead."""

    body: bytes = b""
    code: int = 200
    type: str = "application/json; charset=utf-8"
    location: str | None = None
    drop: bool = False


@dataclass(frozen=True)
class Call:
    """One request of the product's, read as far as it could be."""

    method: str
    account: Account
    body: dict[str, Any]
    size: int
    problems: tuple[Problem, ...]
    late: Problem | None = None
    fault: str | None = None

    @property
    def receivers(self) -> tuple[str, ...]:
        ids = self.body.get("broadcast_list", [self.body.get("receiver", self.body.get("id"))])
        return tuple(one for one in ids if isinstance(one, str)) if isinstance(ids, list) else ()


@dataclass(frozen=True)
class Outcome:
    """What a call came to."""

    answer: dict[str, Any]
    problems: tuple[Problem, ...] = ()
    message_token: int | None = None
    failed_list: tuple[dict[str, Any], ...] = ()

    @property
    def status(self) -> int:
        return int(self.answer["status"])


@dataclass
class Api:
    """The calls under /pa/."""

    viber: "Simulator" = field(repr=False)

    def handle(
        self, method: str, header_token: str | None, raw: bytes, *, still_waiting: Callable[[], bool] = lambda: True
    ) -> Reply:
        """Answers one call, or misbehaves as it was told to. `still_waiting` says whether the caller has hung up."""
        if method not in self._methods:
            return Reply(b"<!doctype html><h1>Not Found</h1>", 404, HTML)
        read = self._read(method, header_token, raw)
        if isinstance(read, Reply):
            return read
        fault = self.viber.faults.strike(read.account.name, method, read.receivers)
        return self._misbehave(fault, read, still_waiting) if fault else self._do(read)

    def welcome(self, account: Account, citizen: Citizen, answer: Any) -> None:
        """Shows what the product answered to conversation_started, if it is a message at all."""
        if answer in (None, {}):
            return
        problems = rules.check_welcome(answer) if isinstance(answer, dict) else [bad("a welcome must be a JSON object")]
        refusal = rules.first_refusal(problems) or _too_new(citizen, answer)
        token = self.viber.world.next_token()
        body = answer if isinstance(answer, dict) else {}
        call = Call("welcome", account, body, len(as_bytes(answer)), tuple(problems))
        if not refusal:
            citizen.takes(answer, token, _remarks(problems))
        outcome = self._refused(refusal) if refusal else Outcome({"status": OK}, message_token=token)
        self._write(call, Outcome(outcome.answer, tuple(problems), outcome.message_token), receivers=(citizen.id,))

    # --- reading a request -----------------------------------------------------------------------------------------

    def _read(self, method: str, header_token: str | None, raw: bytes) -> Call | Reply:
        body, problems = _parsed(raw)
        in_body = body.pop("auth_token", None)
        if in_body is not None:
            problems.append(Problem(REMARK, "the token stands in the body: it belongs into X-Viber-Auth-Token"))
        token = header_token or (in_body if isinstance(in_body, str) else None)
        account = self.viber.world.account_of_token(token) if token else None
        if account is None:
            nobody = Call(method, Account("", "", ""), body, len(raw), tuple(problems))
            self._write(nobody, self._refused(Problem(INVALID_TOKEN, "no account has this token")))
            return _json(self._status_answer(INVALID_TOKEN))
        if len(raw) >= rules.REQUEST_BYTES_MAX:
            problems.append(bad(f"the request has {len(raw)} bytes, it must stay below {rules.REQUEST_BYTES_MAX}"))
        return Call(method, account, body, len(raw), tuple(problems))

    # --- doing it, or not ------------------------------------------------------------------------------------------

    @property
    def _methods(self) -> dict[str, Callable[[Call], Outcome]]:
        return {
            "send_message": self._send,
            "broadcast_message": self._broadcast,
            "set_webhook": self._set_webhook,
            "get_account_info": self._account_info,
            "get_user_details": self._user_details,
            "get_online": self._online,
        }

    def _do(self, call: Call) -> Reply:
        outcome = self._methods[call.method](call)
        self._write(call, outcome)
        return _json({**outcome.answer, "chat_hostname": CHAT_HOST})

    def _misbehave(self, fault: Fault, call: Call, still_waiting: Callable[[], bool]) -> Reply:
        call = replace(call, fault=fault.name)
        if fault.kind == "slow":
            return self._slowly(fault, call, still_waiting)
        if fault.kind == "failed":
            return self._do(replace(call, late=Problem(rules.FAILS_LATER, fault.text or "message is not valid")))
        if fault.accept:
            self._do(call)
        else:
            self._write(call, Outcome({"status": fault.code if fault.kind == "status" else -1}, call.problems))
        return self._broken(fault)

    def _slowly(self, fault: Fault, call: Call, still_waiting: Callable[[], bool]) -> Reply:
        """Late, with the call taking effect before the wait or after it; after it only if the caller is still there."""
        if fault.accept:
            reply = self._do(call)
            self.viber.later.sleep(fault.seconds)
            return reply
        if self.viber.later.sleep(fault.seconds) and still_waiting():
            return self._do(call)
        self._write(call, Outcome({"status": -1}, call.problems))
        return Reply(drop=True)

    def _broken(self, fault: Fault) -> Reply:
        match fault.kind:
            case "drop":
                return Reply(drop=True)
            case "http":
                return Reply(HTML_PAGE.encode(), fault.code, HTML)
            case "html":
                return Reply(HTML_PAGE.encode(), 200, HTML)
            case "redirect":
                return Reply(b"", 302, HTML, location=f"{self.viber.url}/elsewhere")
            case "garbage":
                return Reply(b'{"status":0,"status_mess')
            case "body":
                return Reply((fault.text or "").encode())
            case "status":
                return _json(self._status_answer(fault.code, fault.text))
            case _:  # empty
                return Reply()

    def _status_answer(self, status: int, says: str | None = None) -> dict[str, Any]:
        message = STATUS_NAMES.get(status, "generalError") if says is None else says
        answer: dict[str, Any] = {"status": status, "chat_hostname": CHAT_HOST}
        answer |= {"status_message": message} if message else {}
        # Viber counts even what it refuses for being too much.
        return answer | ({"message_token": self.viber.world.next_token()} if status in (OK, TOO_MANY) else {})

    def _write(self, call: Call, outcome: Outcome, receivers: tuple[str, ...] | None = None) -> None:
        self.viber.ledger.write(
            at=self.viber.world.clock(),
            account=call.account.name,
            method=call.method,
            receivers=call.receivers if receivers is None else receivers,
            body=call.body,
            size=call.size,
            accepted=outcome.status == OK,
            status=outcome.status if outcome.status >= 0 else None,
            message_token=outcome.message_token,
            problems=outcome.problems,
            failed_list=outcome.failed_list,
            fault=call.fault,
        )

    def _refused(self, problem: Problem, problems: tuple[Problem, ...] = ()) -> Outcome:
        """Viber's answer to what is wrong. Malformed requests are explained, the rest is named."""
        explained = problem.status in (rules.BAD_DATA, rules.MISSING_DATA, rules.NEEDS_HIGHER_LEVEL)
        says = problem.says if explained else None
        listed = problems if problem in problems else (*problems, problem)
        return Outcome(self._status_answer(problem.status, says), listed)

    # --- sending ---------------------------------------------------------------------------------------------------

    def _send(self, call: Call) -> Outcome:
        problems = (*call.problems, *rules.check_receiver(call.body), *rules.check_message(call.body))
        with self.viber.world.lock:
            refusal = _webhook_missing(call.account) or rules.first_refusal(problems)
            if refusal:
                return self._refused(refusal, problems)
            citizen = call.account.citizen_of_id(call.body["receiver"])
            refusal = self._unreachable(citizen, call.body)
            if refusal or citizen is None:
                return self._refused(refusal or Problem(NOT_REGISTERED, ""), problems)
            token = self.viber.world.next_token()
            billing = self._billing(call.account, citizen)
            self._hand_over(call, citizen, call.body, token, problems)
        answer = {"status": OK, "status_message": "ok", "message_token": token, "billing_status": billing}
        return Outcome(answer, problems, token)

    def _broadcast(self, call: Call) -> Outcome:
        problems = (*call.problems, *rules.check_receivers(call.body), *rules.check_message(call.body))
        with self.viber.world.lock:
            refusal = _webhook_missing(call.account) or rules.first_refusal(problems)
            refusal = refusal or self._too_many(call.account)
            if refusal:
                return self._refused(refusal, problems)
            token = self.viber.world.next_token()
            failed = tuple(self._each(call, one, token, problems) for one in call.body["broadcast_list"])
        failed_list = tuple(one for one in failed if one)
        answer = {"status": OK, "status_message": "ok", "message_token": token, "failed_list": list(failed_list)}
        return Outcome(answer, problems, token, failed_list)

    def _each(self, call: Call, receiver: str, token: int, problems: tuple[Problem, ...]) -> dict[str, Any] | None:
        citizen = call.account.citizen_of_id(receiver)
        refusal = self._unreachable(citizen, call.body)
        if refusal or citizen is None:
            status = refusal.status if refusal else NOT_REGISTERED
            return {"receiver": receiver, "status": status, "status_message": STATUS_NAMES[status]}
        body = {key: value for key, value in call.body.items() if key != "broadcast_list"}
        self._hand_over(call, citizen, _filled_in(body, citizen), token, problems)
        return None

    def _unreachable(self, citizen: Citizen | None, body: dict[str, Any]) -> Problem | None:
        if citizen is None:
            return Problem(NOT_REGISTERED, "nobody has this id at this account")
        if not citizen.subscribed:
            return Problem(NOT_SUBSCRIBED, "has left, or never wrote")
        if too_new := _too_new(citizen, body):
            return too_new
        if not citizen.may_get_another(self.viber.world.clock()):
            return Problem(TOO_MANY, "more than a hundred messages within the hour without a reply")
        return None

    def _hand_over(
        self, call: Call, citizen: Citizen, body: dict[str, Any], token: int, problems: tuple[Problem, ...]
    ) -> None:
        citizen.takes({key: value for key, value in body.items() if key != "receiver"}, token, _remarks(problems))
        failure = call.late or rules.first_late_failure(problems)
        account = call.account
        if failure or account.report_delivered or account.report_seen or _downloadable(body):
            self.viber.later.run(RECEIPT_AFTER_S, partial(self._receipts, account, citizen, token, body, failure))

    def _receipts(
        self, account: Account, citizen: Citizen, token: int, body: dict[str, Any], failure: Problem | None
    ) -> None:
        """What the app does with an accepted message: refuses it, or reports it from every device, then as seen."""
        failure = failure or _download_trouble(body)
        if failure:
            citizen.refuses(token, failure.says)
            citizen.reports("failed", token, desc=failure.says)
            return
        for _ in range(citizen.devices if account.report_delivered else 0):
            citizen.reports("delivered", token)
        if account.report_seen:
            self.viber.later.run(SEEN_AFTER_S, citizen.sees)

    def _billing(self, account: Account, citizen: Citizen) -> int:
        if citizen.in_session(self.viber.world.clock()):
            return BILLABLE_IN_SESSION if account.billable else FREE_IN_SESSION
        return CHARGED if account.billable else FREE_OUTSIDE_SESSION

    def _too_many(self, account: Account) -> Problem | None:
        now = self.viber.world.clock()
        while account.broadcasts and now - account.broadcasts[0] >= BROADCASTS_WINDOW_S:
            account.broadcasts.popleft()
        account.broadcasts.append(now)
        return Problem(TOO_MANY, "too many broadcasts") if len(account.broadcasts) > BROADCASTS_MAX else None

    # --- the other calls -------------------------------------------------------------------------------------------

    def _set_webhook(self, call: Call) -> Outcome:
        problems = (*call.problems, *_check_webhook(call.body))
        if refusal := rules.first_refusal(problems):
            return self._refused(refusal, problems)
        account, url = call.account, call.body["url"]
        if not url:
            account.webhook = None
            return Outcome({"status": OK, "status_message": "ok"}, problems)
        events = tuple(name for name in call.body.get("event_types", OPTIONAL_EVENTS) if name in OPTIONAL_EVENTS)
        webhook = Webhook(url, events, call.body.get("send_name", False), call.body.get("send_photo", False))
        status = self.viber.callbacks.probe(account, webhook).status
        if status != 200:
            says = f"java.io.IOException: Server returned HTTP response code: {status}" if status else ""
            trouble = Problem(INVALID_URL, "the webhook did not answer 200")
            return Outcome(self._status_answer(INVALID_URL, says), (*problems, trouble))
        account.webhook = webhook
        listed = [*MANDATORY_EVENTS, *events, *UNASKED_EVENTS]
        return Outcome({"status": OK, "status_message": "ok", "event_types": listed}, problems)

    def _account_info(self, call: Call) -> Outcome:
        return Outcome({"status": OK, "status_message": "ok", **call.account.info()}, call.problems)

    def _user_details(self, call: Call) -> Outcome:
        citizen_id = call.body.get("id")
        problems = (*call.problems, *([] if isinstance(citizen_id, str) else [missing("id")]))
        if refusal := rules.first_refusal(problems):
            return self._refused(refusal, problems)
        citizen = call.account.citizen_of_id(str(citizen_id))
        if citizen is None:
            return self._refused(Problem(NOT_REGISTERED, "nobody has this id at this account"), problems)
        if not citizen.may_be_asked_about(self.viber.world.clock()):
            return self._refused(Problem(TOO_MANY, "asked more than twice in twelve hours"), problems)
        token = self.viber.world.next_token()
        answer = {"status": OK, "status_message": "ok", "message_token": token, "user": _details(citizen)}
        return Outcome(answer, problems, token)

    def _online(self, call: Call) -> Outcome:
        ids = call.body.get("ids")
        good = isinstance(ids, list) and 0 < len(ids) <= ONLINE_IDS_MAX
        problems = (*call.problems, *([] if good else [bad(f"ids must hold 1 to {ONLINE_IDS_MAX} ids")]))
        if refusal := rules.first_refusal(problems):
            return self._refused(refusal, problems)
        now = self.viber.world.clock()
        users = [_presence(str(one), call.account.citizen_of_id(str(one)), now) for one in ids or ()]
        return Outcome({"status": OK, "status_message": "ok", "users": users}, problems)


def _json(answer: dict[str, Any]) -> Reply:
    return Reply(as_bytes(answer))


def _parsed(raw: bytes) -> tuple[dict[str, Any], list[Problem]]:
    try:
        body = json.loads(raw.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError):
        return {}, [bad("the body is no JSON in UTF-8")]
    return (body, []) if isinstance(body, dict) else ({}, [bad("the body must be a JSON object")])


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _webhook_missing(account: Account) -> Problem | None:
    return None if account.webhook else Problem(WEBHOOK_NOT_SET, "the account has no webhook: run set_webhook")


def _too_new(citizen: Citizen, body: dict[str, Any]) -> Problem | None:
    level = body.get("min_api_version", 1)
    if level <= citizen.api_version:
        return None
    return Problem(LEVEL_NOT_SUPPORTED, f"the message needs level {level}, the app has {citizen.api_version}")


def _remarks(problems: list[Problem] | tuple[Problem, ...]) -> str | None:
    return "; ".join(problem.says for problem in problems if problem.status == REMARK) or None


def _filled_in(body: dict[str, Any], citizen: Citizen) -> dict[str, Any]:
    """A broadcast's placeholders, which may stand anywhere in the message."""
    text = json.dumps(body, ensure_ascii=False)
    for placeholder, value in (
        ("replace_me_with_receiver_id", citizen.id),
        ("replace_me_with_url_encoded_receiver_id", quote(citizen.id, safe="")),
        ("replace_me_with_user_name", citizen.name),
    ):
        text = text.replace(placeholder, json.dumps(value, ensure_ascii=False)[1:-1])
    filled: dict[str, Any] = json.loads(text)
    return filled


def _check_webhook(body: dict[str, Any]) -> list[Problem]:
    url, events = body.get("url"), body.get("event_types", [])
    if url is None:
        return [missing("url")]
    if not isinstance(url, str):
        return [bad("url must be a text")]
    parts = urlsplit(url)
    if url and parts.scheme != "https" and not (parts.scheme == "http" and is_this_machine(parts.hostname)):
        return [Problem(INVALID_URL, "url must be https (plain http only on this machine)")]
    known = (*MANDATORY_EVENTS, *OPTIONAL_EVENTS, *UNASKED_EVENTS)
    if not isinstance(events, list) or not all(one in known for one in events):
        return [bad("event_types must hold only " + ", ".join(known))]
    flags = [key for key in ("send_name", "send_photo", "is_inline") if not isinstance(body.get(key, False), bool)]
    return [bad(f"{key} must be true or false") for key in flags]


def _downloadable(body: dict[str, Any]) -> bool:
    return body.get("type") in MEDIA_BYTES_MAX and is_this_machine(urlsplit(body["media"]).hostname)


def _download_trouble(body: dict[str, Any]) -> Problem | None:
    """The app fetches media itself. Only this machine is asked; anything else is taken on trust."""
    if not _downloadable(body):
        return None
    most = MEDIA_BYTES_MAX[body["type"]]
    try:
        status, size = _downloaded(body["media"], most)
    except (OSError, http.client.HTTPException):
        return Problem(rules.FAILS_LATER, "media cannot be downloaded")
    if status != 200:
        return Problem(rules.FAILS_LATER, f"media answers HTTP {status}")
    return Problem(rules.FAILS_LATER, f"media has more than {most} bytes") if size > most else None


def _downloaded(link: str, most: int, redirects: int = REDIRECTS_MAX) -> tuple[int, int]:
    """Status and size of what a link leads to; a phone follows redirects, here as far as this machine."""
    parts = urlsplit(link)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=DOWNLOAD_TIMEOUT_S)
    try:
        connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else ""))
        answer = connection.getresponse()
        size, onward = len(answer.read(most + 1)), answer.headers.get("Location", "")
    finally:
        connection.close()
    if answer.status in (301, 302, 303, 307, 308) and redirects and is_this_machine(urlsplit(onward).hostname):
        return _downloaded(onward, most, redirects - 1)
    return answer.status, size


def _details(citizen: Citizen) -> dict[str, Any]:
    return {
        "id": citizen.id,
        "name": citizen.name,
        "country": citizen.country,
        "language": citizen.language,
        "primary_device_os": "android 14" if citizen.device == "phone" else "windows 11",
        "api_version": citizen.api_version,
        "viber_version": "24.1.0",
        "mcc": 220,
        "mnc": 1,
        "device_type": citizen.device,
    }


def _presence(citizen_id: str, citizen: Citizen | None, now: float) -> dict[str, Any]:
    if citizen is None:
        return {"id": citizen_id, "online_status": 4, "online_status_message": "unavailable"}
    if citizen.online:
        return {"id": citizen_id, "online_status": 0, "online_status_message": "online"}
    return {"id": citizen_id, "online_status": 1, "online_status_message": "offline", "last_online": int(now * 1000)}
