"""SMS through SNS."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chalicelib.model import SendFailed

_FINAL = frozenset({"InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "OptedOut"})

Ask = Callable[[str, Mapping[str, str]], str]


def send(to: str, text: str, ask: Ask) -> None:
    """Send one to a number as +381…; SNS cuts a long text into parts itself. `ask` as in `email`. Raises SendFailed."""
    refusal = ask(
        "Publish",
        {
            "PhoneNumber": to,
            "Message": text,
            # Without it SNS picks the cheapest way, which networks may delay.
            "MessageAttributes.entry.1.Name": "AWS.SNS.SMS.SMSType",
            "MessageAttributes.entry.1.Value.DataType": "String",
            "MessageAttributes.entry.1.Value.StringValue": "Transactional",
        },
    )
    if refusal:
        raise SendFailed(refusal, retryable=refusal not in _FINAL)
