"""E-mail through SES, as plain text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chalicelib.model import SendFailed
from chalicelib.patterns import pattern

# Their words for "never": the address is malformed. All else may change by tomorrow: an identity is confirmed, a paused
# account is released, a quota is raised.
_FINAL = frozenset({"InvalidParameterValue", "InvalidParameterCombination", "MissingParameter", "ValidationError"})

ADDRESS_CHARS_MAX = 120
_ADDRESS = pattern(r"[^@\s<>\"',;:()\[\]\\]{1,64}@[A-Za-z0-9.-]{1,80}\.[A-Za-z]{2,24}")

Ask = Callable[[str, Mapping[str, str]], str]


def send(sender: str, to: str, subject: str, text: str, ask: Ask) -> None:
    """Send one. `ask` takes an action of SES and its fields and gives SES's word of refusal, or "".

    Raises SendFailed.
    """
    refusal = ask(
        "SendEmail",
        {
            "Source": sender,
            "Destination.ToAddresses.member.1": to,
            "Message.Subject.Charset": "UTF-8",
            "Message.Subject.Data": " ".join(subject.split()),  # a line's end would begin another header
            "Message.Body.Text.Charset": "UTF-8",
            "Message.Body.Text.Data": text,
        },
    )
    if refusal:
        raise SendFailed(refusal, retryable=refusal not in _FINAL)


def is_address(written: str) -> bool:
    """Whether this can be somebody's address, and nothing but one."""
    return len(written) <= ADDRESS_CHARS_MAX and bool(_ADDRESS.fullmatch(written))
