"""The way into every staff page: who is there, may they, was the form ours; then the view, then the headers.

A view gets a `Visit` and returns an `Answer`. Whoever is not signed in is led to the sign-in page and back again.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

from chalicelib import bounds
from chalicelib.actions import known, note_refusal, sign_in
from chalicelib.channels import Request
from chalicelib.console import permissions
from chalicelib.console.routes import Page
from chalicelib.console.wording import Wording, wording
from chalicelib.model import Refused, Staff, Town
from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass
from chalicelib.storage.sessions import Session
from chalicelib.wire import Deadline

PAGE_SECONDS = 8.0
# A browser takes a cookie of such a name from this very host alone, over TLS: nobody under the same domain plants one.
COOKIE, VOICE_COOKIE = "__Host-salter", "salter_voice"
PLAIN_COOKIE = "salter"  # on the local stack's plain HTTP
FORM_FIELDS_MAX = 200
VOICE_SECONDS = 365 * 86400
SAID_DIGITS_MAX = 4
CSRF_FIELD, CSRF_HEADER = "csrf", "x-csrf"
_RETURN_TO = pattern(r"console/[A-Za-z0-9/_.~?=&%+#-]{0,300}")


@dataclass(frozen=True)
class Answer:
    """What a view gives back: a body with its status, or a way to go on."""

    body: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()
    content_type: str = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Visit:
    """One request for a page. `town` is the one worked in; `person` and `session` are those of whoever is signed in."""

    page: Page
    request: Request
    now: float
    deadline: Deadline
    params: Mapping[str, str]
    form: Mapping[str, str]
    session: Session | None
    town: Town | None
    say: Wording

    @property
    def person(self) -> Staff:
        assert self.session is not None
        return self.session.person

    @property
    def here(self) -> Town:
        """The town worked in."""
        assert self.town is not None
        return self.town

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query

    @property
    def said(self) -> int | None:
        """The figure that an act left in the address of the page it led to (`?said=3`); None without one."""
        written = self.query.get("said", "")
        return int(written) if written.isdecimal() and len(written) <= SAID_DIGITS_MAX else None

    @cached_property
    def csrf(self) -> str:
        return csrf_of(self.word) if self.session else ""

    @cached_property
    def word(self) -> str:
        return session_word(self.request) or ""

    @property
    def is_htmx(self) -> bool:
        return self.request.headers.get("hx-request") == "true"

    @property
    def root(self) -> str:
        """The way from this page to the product's own address: nothing here knows under which path it is served."""
        return root_of(self.page)

    def go(self, path: str, *cookies: str) -> Answer:
        """Go on to another page, by GET."""
        return redirect(self.page, path, cookies)

    @property
    def seconds_left(self) -> int:
        """How long the sign-in lasts if nobody does anything."""
        return int(self.session.ends_at - self.now) if self.session else 0

    def may(self, permission: str) -> bool:
        return _may(self.session, permission)


def handle(page: Page, request: Request, params: Mapping[str, str], now: float) -> Answer:
    """A page as a browser gets it. Raises Refused and Unavailable as every door does."""
    deadline = Deadline(PAGE_SECONDS)
    cookies = cookies_of(request)
    word = session_word(request)
    session = sign_in.who(word, now, deadline) if word is not None else None
    status = 0
    try:
        answer = _opened(page, request, params, session, cookies, now, deadline)
        status = answer.status
        return answer
    except Refused as error:
        status = error.status
        raise
    finally:
        if session is not None and status in (403, 404):
            note_refusal.note(session, page.path, params, now, deadline)


def root_of(page: Page) -> str:
    return "../" * (page.path.count("/") - 1)


def redirect(page: Page, path: str, cookies: tuple[str, ...] = ()) -> Answer:
    """From `page` to `console/…`, by GET."""
    return Answer(status=303, headers={"Location": root_of(page) + path}, cookies=cookies)


def came_from(request: Request) -> str:
    """The page of ours on which a form was sent or a part asked for, as `console/…`; "" for none."""
    parts = _address_in(request.headers.get("hx-current-url") or request.headers.get("referer") or "")
    path = parts.path.partition("/console/")[2]
    return f"console/{path}{'?' + parts.query if parts.query else ''}" if path else ""


def return_path(written: str) -> str:
    """Where to go after signing in: only ever a page of ours."""
    return written if _RETURN_TO.fullmatch(written) and "//" not in written else "console"


def csrf_of(word: str) -> str:
    """The token that proves a form to be one of this session's pages."""
    return hmac.new(word.encode(), b"csrf", hashlib.sha256).hexdigest()[:40]


def cookie(word: str, request: Request, *, seconds: int | None = None) -> str:
    """The session's cookie; `seconds` 0 takes it away. Secure but on the local stack's plain HTTP."""
    age = "" if seconds is None else f"; Max-Age={seconds}"
    return f"{_cookie_name(request)}={word}; Path=/; HttpOnly; SameSite=Lax{_secure(request)}{age}"


def voice_cookie(name: str, request: Request) -> str:
    return f"{VOICE_COOKIE}={name}; Path=/; SameSite=Lax{_secure(request)}; Max-Age={VOICE_SECONDS}"


def session_word(request: Request) -> str | None:
    """What the session's cookie holds; None without one."""
    return cookies_of(request).get(_cookie_name(request))


def cookies_of(request: Request) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(request.headers.get("cookie", "")).items()}
    except CookieError:
        return {}


# --- parts ------------------------------------------------------------------------------------------------------


def _opened(
    page: Page,
    request: Request,
    params: Mapping[str, str],
    session: Session | None,
    cookies: Mapping[str, str],
    now: float,
    deadline: Deadline,
) -> Answer:
    """Who may, was the form ours; then the view."""
    if page.permission != permissions.OPEN:
        if session is None:
            return _to_sign_in(page, request, params)
        if not _may(session, page.permission):
            raise Refused(403, "not_allowed", "Your role does not open this page.")
    form = _form(request) if page.writes else {}
    if page.writes:
        _check_origin(request)
        _check_csrf(page, request, form, session_word(request) or "")
    town = _town(session, deadline)
    if town is None and page.permission not in (permissions.OPEN, permissions.OWN, permissions.TOWNS):
        return redirect(page, "console/towns")
    chosen = cookies.get(VOICE_COOKIE, "") or (session.person.language if session else "")
    visit = Visit(page, request, now, deadline, params, form, session, town, wording(chosen, town))
    module, _, function = page.view.partition(".")
    answer: Answer = getattr(import_module(f"chalicelib.console.views.{module}"), function)(visit)
    return answer


def _may(session: Session | None, permission: str) -> bool:
    """A platform admin who went into a town is its admin there, and may still leave it."""
    if session is None:
        return permission == permissions.OPEN
    own = session.person.role
    roles = (own, "admin") if session.acting_for and own == "platform" else (own,)
    return any(permissions.may(role, permission) for role in roles)


def _town(session: Session | None, deadline: Deadline) -> Town | None:
    """The town worked in comes from the sign-in, never from the address."""
    if session is None:
        return None
    slug = session.acting_for if session.person.role == "platform" else session.person.town
    return known.town(slug, deadline) if slug else None


def _to_sign_in(page: Page, request: Request, params: Mapping[str, str]) -> Answer:
    is_htmx = request.headers.get("hx-request") == "true"
    back = came_from(request) if is_htmx or page.writes else _address(page, request, params)
    query = {} if session_word(request) is None else {"ended": "1"}
    way = f"console/sign-in?{urlencode(query | {'to': back})}"
    if is_htmx:  # goes on from the page that is open, not from the part that was asked for
        above = _address_in(request.headers.get("hx-current-url", "")).path.partition("/console/")[0]
        return Answer(status=401, headers={"HX-Redirect": f"{above}/{way}"})
    return redirect(page, way)


def _address(page: Page, request: Request, params: Mapping[str, str]) -> str:
    query = f"?{urlencode(request.query, quote_via=quote)}" if request.query else ""
    return page.path.format(**params).lstrip("/") + query


def _form(request: Request) -> dict[str, str]:
    if len(request.body) > bounds.FORM:
        raise Refused(413, "too_large", f"At most {bounds.FORM // 1024} kB.")
    try:
        pairs = parse_qsl(request.body.decode("utf-8"), keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX)
    except (UnicodeDecodeError, ValueError) as error:
        raise Refused(400, "malformed", "The form could not be read.") from error
    return dict(pairs)


def _address_in(written: str) -> SplitResult:
    """The parts of an address that a browser names; of what is none, nothing."""
    try:
        return urlsplit(written)
    except ValueError:
        return urlsplit("")


def _check_origin(request: Request) -> None:
    """A form is sent from a page of our own address."""
    written = request.headers.get("origin") or request.headers.get("referer") or ""
    if written and _address_in(written).netloc != request.headers.get("host"):
        raise Refused(403, "foreign_page", "This form came from another site.")


def _check_csrf(page: Page, request: Request, form: Mapping[str, str], word: str) -> None:
    if page.permission == permissions.OPEN:
        return  # nobody is signed in yet; the form's origin was looked at
    given = form.get(CSRF_FIELD) or request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode(), csrf_of(word).encode()):
        raise Refused(403, "csrf", "This form is not from your session. Reload the page and try again.")


def _cookie_name(request: Request) -> str:
    return PLAIN_COOKIE if _is_plain(request) else COOKIE


def _secure(request: Request) -> str:
    return "" if _is_plain(request) else "; Secure"


def _is_plain(request: Request) -> bool:
    return os.environ.get("SALTER_STAGE") in ("local", "test") and "x-forwarded-proto" not in request.headers
