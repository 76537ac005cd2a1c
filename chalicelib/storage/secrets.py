"""Secrets from the Parameter Store, named by account; kept in the process for a while."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from chalicelib.storage.aws import AwsError, call
from chalicelib.wire import Deadline

KEPT_SECONDS = 300.0
_kept: dict[str, tuple[float, str | None]] = {}


def viber_token(account: str, deadline: Deadline) -> str | None:
    """The auth token of a Viber account, which also signs its callbacks; None if there is none."""
    return _parameter(_viber_token_of(account), deadline)


def forget_viber_token(account: str, deadline: Deadline) -> None:
    """Take the token away; one that is not there is no error."""
    name = full_name(_viber_token_of(account))
    try:
        call("ssm", "DeleteParameter", {"Name": name}, deadline, repeatable=True)
    except AwsError as error:
        if error.code != "ParameterNotFound":
            raise
    _kept.pop(name, None)


def forget_town(town: str, deadline: Deadline) -> None:
    """Take away whatever secrets stand under a town's own name."""
    asked = {"Path": full_name(f"towns/{town}"), "Recursive": True}
    while names := [one["Name"] for one in _under(asked, deadline)]:
        call("ssm", "DeleteParameters", {"Names": names}, deadline, repeatable=True)
    _kept.clear()


def _under(asked: Mapping[str, Any], deadline: Deadline) -> list[dict[str, Any]]:
    answer = call("ssm", "GetParametersByPath", asked, deadline, repeatable=True)
    return list(answer["Parameters"])


def _viber_token_of(account: str) -> str:
    return f"accounts/{account}/viber-token"


def chat_signing_key(deadline: Deadline) -> str | None:
    """The key that signs web chat tokens of this stage."""
    return _parameter("chat-signing-key", deadline)


def staff_pool(deadline: Deadline) -> str | None:
    """The ids of the staff's user pool and of its client, with a blank between; None before the template is there."""
    return _parameter("staff-pool", deadline)


def phone_key(deadline: Deadline) -> str | None:
    """The key under which phone numbers of paper cases are hashed."""
    return _parameter("phone-key", deadline)


def _parameter(name: str, deadline: Deadline) -> str | None:
    full = full_name(name)
    kept = _kept.get(full)
    if kept and kept[0] > time.monotonic():
        return kept[1]
    try:
        answer = call("ssm", "GetParameter", {"Name": full, "WithDecryption": True}, deadline, repeatable=True)
        value = str(answer["Parameter"]["Value"]).strip() or None
    except AwsError as error:
        if error.code != "ParameterNotFound":
            raise
        value = None
    # A missing one is asked for again soon: a platform admin may be setting it right now.
    _kept[full] = (time.monotonic() + (KEPT_SECONDS if value else 5.0), value)
    return value


def full_name(name: str) -> str:
    return f"/salter/{os.environ.get('SALTER_STAGE', 'dev')}/{name}"


def forget() -> None:
    """Drop what this process keeps, e.g. after a rotation."""
    _kept.clear()
