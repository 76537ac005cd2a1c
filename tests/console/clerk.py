"""Somebody at the staff's pages without a browser: cookies, forms with their token, redirects shown as they are."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from secrets import token_bytes, token_urlsafe
from urllib.parse import urlencode

from chalice.test import Client

import app
from chalicelib.cases import lifecycle, references
from chalicelib.console import door
from chalicelib.model import Case, Staff
from chalicelib.storage import sessions, staff, staff_pool
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline

HOST = "salter.example"
ORIGIN = f"https://{HOST}"
PASSWORD = "dovoljno-Dugacka-1"


@dataclass(frozen=True)
class Page:
    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def leads_to(self) -> str:
        return self.headers.get("Location", "")

    @property
    def text(self) -> str:
        """What is to be read, without markup."""
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", self.body)).split())


@dataclass
class Clerk:
    """One browser: its cookies live from answer to answer."""

    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def csrf(self) -> str:
        return door.csrf_of(self.cookies.get(door.COOKIE, ""))

    def get(self, path: str, **headers: str) -> Page:
        return self._send("GET", path, headers, b"")

    def post(self, path: str, fields: Mapping[str, str] | None = None, **headers: str) -> Page:
        """A form of one of our pages, with its token."""
        return self.form(path, {"csrf": self.csrf, **(fields or {})}, **{"Origin": ORIGIN, **headers})

    def form(self, path: str, fields: Mapping[str, str], **headers: str) -> Page:
        """A form exactly as given."""
        types = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._send("POST", path, types | headers, urlencode(fields).encode())

    def sign_in(self, mail: str, password: str = PASSWORD, to: str = "") -> Page:
        return self.form("/console/sign-in", {"mail": mail, "password": password, "to": to}, Origin=ORIGIN)

    def _send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Page:
        sent = {"Host": HOST, "X-Forwarded-Proto": "https", **headers}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        with Client(app.app) as client:
            response = client.http.request(method, path, headers=sent, body=body)
        given = dict(response.headers)
        for line in _many(given.get("Set-Cookie", [])):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        return Page(response.status_code, given, response.body.decode())


def _many(value: object) -> list[str]:
    return list(value) if isinstance(value, list) else [str(value)]


def followed(body: str) -> str:
    """Where the list of what there is to do asks for its rest by itself; "" if the page has all of it."""
    found = re.search(r'hx-get="(?:\.\./)*(console/inbox/rest[^"]+)"', body)
    return f"/{html.unescape(found[1])}" if found else ""


def soon() -> Deadline:
    return Deadline(40)


def employed(town: str, role: str = "clerk", **more: object) -> Staff:
    """A record of somebody nobody else knows; the pool has no account of theirs."""
    mail = f"{role}-{uuid.uuid4().hex[:10]}@primer.example"
    staff.save(Staff(town, mail, uuid.uuid4().hex[:8], role, **more), soon())  # type: ignore[arg-type]
    return record(Staff(town, mail, "", role))


def hired(town: str, role: str = "clerk", **more: object) -> Staff:
    """The same with an account and a lasting password."""
    person = employed(town, role, **more)
    staff_pool.invite(person.mail, town, PASSWORD, soon())
    staff_pool.set_password(person.mail, PASSWORD, soon(), lasting=True)
    return person


def record(person: Staff) -> Staff:
    """The record as it is stored now."""
    found = staff.load(person.town, person.mail, soon())
    assert found is not None
    return found


def seated(person: Staff, now: float) -> Clerk:
    """Signed in without asking the pool."""
    word = sessions.word(person.town, token_urlsafe(32))
    sessions.open_session(record(person), word, now, soon())
    return Clerk({door.COOKIE: word})


def filed(town: str, now: float, **more: object) -> Case:
    """A case of the town's."""
    settings = {"kind": "question", "subject": "Kada radi biro?", "office": "biro"} | more
    new = Case(
        tenant=town,
        reference=references.reference("PR", token_bytes(10)),
        status="received",
        created_at=int(now),
        updated_at=int(now),
        **settings,  # type: ignore[arg-type]
    )
    return CaseStore(town).add(lifecycle.opened(new, "citizen"), soon())
