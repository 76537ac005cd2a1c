"""From a staff page's answer to an HTTP response; what goes wrong becomes a page in plain words, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalice.app import Response

from chalicelib.actions.journal import log
from chalicelib.channels import Request
from chalicelib.console import door, pages
from chalicelib.console.door import Answer
from chalicelib.console.routes import Page
from chalicelib.console.wording import texts, wording
from chalicelib.model import Refused, SalterError, TooMany

KNOWN_FAULTS = (403, 404, 503)


def answer(page: Page, request: Request, params: Mapping[str, str], now: float) -> Response:
    """The response of a staff page."""
    try:
        given = door.handle(page, request, params, now)
    except Refused as error:
        given = _fault(page, request, error.status)
    except SalterError as error:
        log.error("unavailable", error=type(error).__name__)
        given = _fault(page, request, 503)
    return _response(given)


def refused(page: Page, request: Request, error: Refused) -> Response:
    """What the door itself refuses: too much, or too often."""
    given = _fault(page, request, error.status)
    response = _response(given)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.after_seconds)
    return response


def _response(given: Answer) -> Response:
    headers: dict[str, Any] = {**pages.headers(), "Content-Type": given.content_type, **given.headers}
    if given.cookies:
        headers["Set-Cookie"] = list(given.cookies)
    return Response(given.body, status_code=given.status, headers=headers)


def _fault(page: Page, request: Request, status: int) -> Answer:
    """A plain page that says what happened and leads back; it needs no session and no store."""
    say = wording(door.cookies_of(request).get(door.VOICE_COOKIE, ""), None)
    key = f"error_{status}" if status in KNOWN_FAULTS else "error_other"
    body = pages.fault(say, say(key if key in texts(say.name) else "error_other"), door.root_of(page))
    return Answer(body, status)
