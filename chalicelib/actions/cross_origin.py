"""Which pages may use a town's web chat: the town's own sites, and our own pages."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from chalicelib.actions.web_chat import origins
from chalicelib.model import Refused

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})


def headers(slug: str, request_headers: dict[str, str]) -> dict[str, str]:
    """The CORS headers for this request. Raises Refused 403 for a page of somebody else, 404 for an unknown town.

    A request without Origin (a program, a page of ours) needs none.
    """
    allowed = origins(slug)
    origin = request_headers.get("origin")
    if origin is None:
        return {"Vary": "Origin"}
    if origin not in allowed and not _ours(origin, request_headers):
        raise Refused(403, "origin_not_listed", "This site is not among the town's (channels.web.origins).")
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
        "Access-Control-Allow-Headers": "authorization, content-type",
        "Access-Control-Expose-Headers": "retry-after",
        "Access-Control-Max-Age": "600",
        "Vary": "Origin",
    }


def _ours(origin: str, request_headers: dict[str, str]) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    if parts.netloc and parts.netloc == request_headers.get("host"):
        return True
    return os.environ.get("SALTER_STAGE") in ("local", "test") and parts.hostname in _LOOPBACK
