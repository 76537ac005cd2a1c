"""From a request of Open311 to what is answered, faults in the format that was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from chalicelib.actions import open311
from chalicelib.actions.journal import log
from chalicelib.actions.open311 import Answer
from chalicelib.channels import Request
from chalicelib.integrations import open311 as spoken
from chalicelib.integrations.open311 import Faults
from chalicelib.model import Refused, SalterError, TooMany

_NONE: Mapping[str, str] = {}
_LISTS = {
    "discovery": open311.discovery,
    "services": open311.services,
    "requests": open311.list_requests,
    "servicerequestupdates": open311.list_updates,
}
_ITEMS = {"services": open311.definition, "requests": open311.one_request, "tokens": open311.one_token}


def answer(
    method: str, tenant: str, path: Sequence[str], request: Request, now: float, holder: str
) -> tuple[str, int, dict[str, str]]:
    """Body, status and headers. `path` is what stands behind the town's endpoint, `holder` names this call."""
    written = unquote(path[-1])
    headers = {"Access-Control-Allow-Origin": "*"} if method == "GET" else {}  # what anybody reads, any site's page may
    try:
        found = _found(method, tenant, [*path[:-1], written], request, now, holder)
    except Refused as error:
        return refusal(written, error, headers)
    except SalterError as error:
        log.error("unavailable", error=type(error).__name__)
        found = Answer([{"code": 503, "description": "Try again in a moment."}], "errors", "error", 503)
        headers["Retry-After"] = "2"
    return _written(written, found, headers)


def refusal(written: str, error: Refused, headers: Mapping[str, str] = _NONE) -> tuple[str, int, dict[str, str]]:
    """A refusal in the standard's words; `written` is the last part of the path, which names the format."""
    wait = {"Retry-After": str(error.after_seconds)} if isinstance(error, TooMany) else {}
    found = Answer(spoken.faults(error), "errors", "error", error.status)
    return _written(written, found, {**headers, **wait})


def _written(written: str, found: Answer, headers: Mapping[str, str]) -> tuple[str, int, dict[str, str]]:
    form = spoken.format_of(written)
    body = spoken.written(found.data, form, found.root, found.item)
    return body, found.status, {**headers, "Content-Type": spoken.TYPES[form]}


def _found(method: str, tenant: str, path: Sequence[str], request: Request, now: float, holder: str) -> Answer:
    name, _ = spoken.resource(path[-1])
    if method == "POST":
        if name == "requests":
            return open311.post_request(tenant, request, now)
        if name == "servicerequestupdates":
            return open311.post_update(tenant, request, now, holder)
        raise Faults([(405, "Only requests and servicerequestupdates are posted.")])
    if len(path) == 1 and name in _LISTS:
        return _LISTS[name](tenant, request, now)
    if len(path) == 2 and path[0] in _ITEMS:
        return _ITEMS[path[0]](tenant, name, request, now)
    raise Faults([(404, "There is nothing here.")])
