"""Seals what must stand nowhere in clear: AES-GCM under the town's data key, which is wrapped by KMS.

The wrapped key lies with the town; it is made when the town is first published, unwrapped once a process, and KMS
unwraps it for that town only (encryption context). A sealed value is bound to its town, to the item it stands in and to
its name there, so that one moved to another place does not open.
"""

from __future__ import annotations

import base64
import os
from typing import Any

from chalicelib.model import Conflict, SalterError
from chalicelib.storage import dynamo, keys
from chalicelib.storage.aws import AwsError, call
from chalicelib.wire import Deadline

TABLE = "tenants"
SHAPE = 1
NONCE_BYTES = 12
TAG_BYTES = 16
_EDITION = "1."  # how a value was sealed: stands before it, so that another way can be told apart
_keys: dict[str, bytes] = {}


class NotOpened(SalterError):
    """The value was sealed elsewhere, by another key, or was changed since. A retry does not help."""


def seal(town: str, item: str, name: str, clear: str, deadline: Deadline) -> str:
    """`clear` as it may be stored in `item` (its partition key) under `name`. Raises Unavailable."""
    nonce = os.urandom(NONCE_BYTES)
    sealed, tag = _cipher(town, item, name, nonce, deadline).encrypt_and_digest(clear.encode())
    return _EDITION + base64.urlsafe_b64encode(nonce + sealed + tag).decode()


def unseal(town: str, item: str, name: str, sealed: str, deadline: Deadline) -> str:
    """The value that was sealed for this very place. Raises NotOpened, Unavailable."""
    try:
        raw = base64.urlsafe_b64decode(sealed.removeprefix(_EDITION))
        nonce, body, tag = raw[:NONCE_BYTES], raw[NONCE_BYTES:-TAG_BYTES], raw[-TAG_BYTES:]
        cipher = _cipher(town, item, name, nonce, deadline)
        return str(cipher.decrypt_and_verify(body, tag).decode())
    except ValueError as error:
        raise NotOpened(name) from error


def moved(town: str, item: str, name: str, sealed: str, to_item: str, to_name: str, deadline: Deadline) -> str:
    """A value sealed for one place, sealed anew for another of the same town."""
    return seal(town, to_item, to_name, unseal(town, item, name, sealed, deadline), deadline)


def opens(town: str, wrapped: str, deadline: Deadline) -> bool:
    """Whether this stage's KMS key opens a wrapped data key (base64) of the town. Raises Unavailable."""
    asked = {"KeyId": _master(), "CiphertextBlob": wrapped, "EncryptionContext": {"tenant": town}}
    try:
        call("kms", "Decrypt", asked, deadline, repeatable=True)
    except AwsError:
        return False
    return True


def ensure(town: str, deadline: Deadline) -> None:
    """The town has a key from now on: whoever publishes it makes one, for functions that seal may neither have keys
    made nor write where towns stand. Raises Unavailable."""
    if dynamo.get(TABLE, keys.town(town), keys.DATA_KEY, deadline) is None:
        _made(town, deadline)


def forget() -> None:
    """Drop the keys this process holds."""
    _keys.clear()


def _cipher(town: str, item: str, name: str, nonce: bytes, deadline: Deadline) -> Any:
    from Cryptodome.Cipher import AES  # some 40 ms: only a turn that seals pays them

    cipher = AES.new(_key(town, deadline), AES.MODE_GCM, nonce=nonce, mac_len=TAG_BYTES)
    cipher.update("\0".join((town, item, name)).encode())
    return cipher


def _key(town: str, deadline: Deadline) -> bytes:
    if town not in _keys:
        _keys[town] = _unwrapped(town, deadline) or _made(town, deadline)
    return _keys[town]


def _unwrapped(town: str, deadline: Deadline) -> bytes | None:
    """The town's key by way of KMS; None if the town has none yet."""
    item = dynamo.get(TABLE, keys.town(town), keys.DATA_KEY, deadline)
    if item is None:
        return None
    blob = base64.b64encode(item["wrapped"]).decode()
    answer = call(
        "kms", "Decrypt", {"CiphertextBlob": blob, "EncryptionContext": {"tenant": town}}, deadline, repeatable=True
    )
    return base64.b64decode(answer["Plaintext"])


def _made(town: str, deadline: Deadline) -> bytes:
    """A new key, kept wrapped; of two made at once the first to be written counts."""
    payload = {"KeyId": _master(), "KeySpec": "AES_256", "EncryptionContext": {"tenant": town}}
    answer = call("kms", "GenerateDataKey", payload, deadline, repeatable=True)
    item = {"pk": keys.town(town), "sk": keys.DATA_KEY, "shape": SHAPE}
    try:
        wrapped = base64.b64decode(answer["CiphertextBlob"])
        dynamo.put(TABLE, item | {"wrapped": wrapped}, deadline, expected_v=0)
    except Conflict:
        key = _unwrapped(town, deadline)
        assert key is not None, "somebody wrote it just now"
        return key
    return base64.b64decode(answer["Plaintext"])


def _master() -> str:
    """KMS's key of this stage: its id, or the alias under which the template names it."""
    return os.environ.get("SALTER_KEY_ID") or f"alias/salter-{os.environ.get('SALTER_STAGE', 'dev')}"
