"""Secrets from the Parameter Store, named by account; kept in the process for a while."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from chalicelib.storage.aws import AwsError, call
from chalicelib.wire import Deadline

KEPT_SECONDS = 300.0
CALLBACK_KEPT_SECONDS = 60.0  # a rotation is known everywhere after a minute
# The Parameter Store answers 40 questions a second; a thousand towns' tokens on many processes are more than that, so
# a token is kept longer, and looked at again before that only where it seems to be the wrong one.
TOKEN_KEPT_SECONDS = 3600.0
_kept: dict[str, tuple[float, str | None]] = {}


def viber_token(account: str, deadline: Deadline) -> str | None:
    """The auth token of a Viber account, which also signs its callbacks; None if there is none."""
    return _parameter(_token_of(account), deadline, TOKEN_KEPT_SECONDS)


def doubted(account: str, *, by_viber: bool = False) -> bool:
    """The account's token did not fit. Whether it may be an old one: then the next look reads it anew. One read lately
    is believed, so that whoever forges signatures causes no requests; not if it was Viber that refused it."""
    kept = _kept.get(parameter(_token_of(account)))
    if kept is None or (not by_viber and kept[0] - time.monotonic() > TOKEN_KEPT_SECONDS - KEPT_SECONDS):
        return False
    del _kept[parameter(_token_of(account))]
    return True


def _token_of(account: str) -> str:
    return f"accounts/{account}/viber-token"


def forget_viber_token(account: str, deadline: Deadline) -> None:
    """Take the token away; one that is not there is no error."""
    name = parameter(_token_of(account))
    try:
        call("ssm", "DeleteParameter", {"Name": name}, deadline, repeatable=True)
    except AwsError as error:
        if error.code != "ParameterNotFound":
            raise
    _kept.pop(name, None)


def forget_town(town: str, deadline: Deadline) -> None:
    """Take away whatever secrets stand under a town's own name."""
    asked = {"Path": parameter(f"towns/{town}"), "Recursive": True}
    while names := [one["Name"] for one in _under(asked, deadline)]:
        call("ssm", "DeleteParameters", {"Names": names}, deadline, repeatable=True)
    _kept.clear()


def _under(asked: Mapping[str, Any], deadline: Deadline) -> list[dict[str, Any]]:
    answer = call("ssm", "GetParametersByPath", asked, deadline, repeatable=True)
    return list(answer["Parameters"])


def open311_key(town: str, name: str, deadline: Deadline) -> str | None:
    """The api_key that another system gave a town for its Open311 endpoint; None if nobody has set it."""
    return _parameter(f"towns/{town}/open311/{name}", deadline)


def chat_signing_key(deadline: Deadline) -> str | None:
    """The key that signs web chat tokens of this stage."""
    return _parameter("chat-signing-key", deadline)


def staff_pool(deadline: Deadline) -> str | None:
    """The ids of the staff's user pool and of its client, with a blank between; None before the template is there."""
    return _parameter("staff-pool", deadline)


def public_url(deadline: Deadline) -> str | None:
    """Where this installation is reached, with a slash at the end; no secret, kept beside them for who has no request
    to read it off. None where nobody wrote it down."""
    return _parameter("public-url", deadline)


def phone_key(deadline: Deadline) -> str | None:
    """The key under which phone numbers of paper cases are hashed."""
    return _parameter("phone-key", deadline)


def callback(town: str, identifier: str, at: int, deadline: Deadline) -> tuple[str, ...]:
    """What signs callbacks to one of a town's systems: the secret, and for a while after a rotation the one before."""
    return live_secrets(_parameter(callback_name(town, identifier), deadline, CALLBACK_KEPT_SECONDS) or "", at)


def callback_name(town: str, identifier: str) -> str:
    """Where it stands: `whsec_new`, or `whsec_new whsec_old until` (epoch seconds) while both count."""
    return f"towns/{town}/callbacks/{identifier}"


def rotate_callback(town: str, identifier: str, fresh: str, at: int, overlap_seconds: int, deadline: Deadline) -> None:
    """From here on `fresh` signs, and for so long the secret before it, too. For a platform admin: no function of ours
    may write there."""
    name = callback_name(town, identifier)
    _kept.pop(parameter(name), None)
    before = live_secrets(_parameter(name, deadline) or "", at)
    value = f"{fresh} {before[0]} {at + overlap_seconds}" if before else fresh
    stage = os.environ.get("SALTER_STAGE", "dev")
    asked = {"Name": parameter(name), "Value": value, "Type": "SecureString", "KeyId": f"alias/salter-{stage}"}
    call("ssm", "PutParameter", {**asked, "Overwrite": True}, deadline, repeatable=True)
    _kept.pop(parameter(name), None)


def live_secrets(written: str, at: int) -> tuple[str, ...]:
    """The secrets that count at this moment, of what stands there."""
    parts = written.split()
    if len(parts) == 3 and parts[2].isdecimal() and int(parts[2]) > at:
        return parts[0], parts[1]
    return tuple(parts[:1])


def parameter(name: str) -> str:
    """The full name of a secret of this stage in the Parameter Store."""
    return f"/salter/{os.environ.get('SALTER_STAGE', 'dev')}/{name}"


def _parameter(name: str, deadline: Deadline, kept_seconds: float = KEPT_SECONDS) -> str | None:
    full = parameter(name)
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
    _kept[full] = (time.monotonic() + (kept_seconds if value else 5.0), value)
    return value


def forget() -> None:
    """Drop what this process keeps, e.g. after a rotation."""
    _kept.clear()
