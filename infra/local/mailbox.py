"""The e-mails and SMS the product sent, read back from the embedded AWS, which delivers none of them."""

import datetime as dt
import json
import urllib.request
from typing import Any

from infra.local import aws

TIMEOUT_SECONDS = 5.0


def sent(endpoint: str) -> list[dict[str, Any]]:
    """All of them, e-mails first, each kind in the order it was sent. The embedded AWS notes no time for an SMS."""
    return [*_emails(endpoint), *_sms(endpoint)]


def _emails(endpoint: str) -> list[dict[str, Any]]:
    messages = _ask(endpoint, f"/_ministack/ses/messages?account={aws.ACCOUNT_ID}")["messages"]
    return [
        {
            "kind": "email",
            "to": ", ".join(mail["To"]),
            "subject": mail["Subject"],
            "text": mail["BodyText"],
            "at": dt.datetime.fromtimestamp(mail["Timestamp"], dt.UTC).isoformat(timespec="seconds"),
        }
        for mail in messages.get(aws.ACCOUNT_ID, [])
    ]


def _sms(endpoint: str) -> list[dict[str, Any]]:
    by_phone = _ask(endpoint, f"/_ministack/sns/sms-messages?account={aws.ACCOUNT_ID}")["sms_messages"]
    return [
        {"kind": "sms", "to": phone, "subject": None, "text": sms["Message"], "at": None}
        for phone, messages in by_phone.items()
        for sms in messages
    ]


def _ask(endpoint: str, path: str) -> Any:
    with urllib.request.urlopen(endpoint + path, timeout=TIMEOUT_SECONDS) as answer:
        return json.load(answer)
