"""Words that nobody but us could have written: content with a signature behind its last dot, under the stage's key.

What it is for is signed with it, so that a link of one kind is never taken for one of another. Who reads it back looks
at the content's own end (`until`) by itself.
"""

from __future__ import annotations

import hashlib
import hmac

SIGNATURE_CHARS = 32


def sign(purpose: str, content: str, key: str) -> str:
    """`content` with its signature."""
    return f"{content}.{_signature(purpose, content, key)}"


def read(purpose: str, written: str, key: str) -> str | None:
    """The content that was signed for this purpose; None for anything else, whatever it is made of."""
    content, _, signature = written.rpartition(".")
    wanted = _signature(purpose, content, key)
    return content if hmac.compare_digest(signature.encode("utf-8", "replace"), wanted.encode()) else None


def _signature(purpose: str, content: str, key: str) -> str:
    said = f"{purpose}:{content}".encode("utf-8", "replace")
    return hmac.new(key.encode(), said, hashlib.sha256).hexdigest()[:SIGNATURE_CHARS]
