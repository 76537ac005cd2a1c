"""E-mail through SES, as plain text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chalicelib.model import SendFailed

# Their words for "never": the address is malformed. All else may change by tomorrow: an identity is confirmed, a paused
# account is released, a quota is raised.
_FINAL = frozenset({"InvalidParameterValue", "InvalidParameterCombination", "MissingParameter", "ValidationError"})

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
