"""Headers of our own pages: nothing inline, nothing foreign, no framing by others."""

from __future__ import annotations


def page_headers(upload_origin: str) -> dict[str, str]:
    """Headers of a page with the chat in it; `upload_origin` is where files are posted to and shown from."""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"img-src 'self' data: blob: {upload_origin}; media-src 'self' blob:; "
        f"connect-src 'self' {upload_origin}; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    )
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "Cache-Control": "public, max-age=60",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
    }
