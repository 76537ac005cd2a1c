"""The staff's user pool (Cognito): passwords, invitations and second factors are its business, never ours.

What it says is believed only as a token with its signature, checked here against its published keys. The pool's and the
client's ids stand in the Parameter Store, where the template writes them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from chalicelib import wire
from chalicelib.model import SalterError, Unavailable
from chalicelib.small_classes import dataclass
from chalicelib.storage import aws, secrets
from chalicelib.storage.aws import AwsError
from chalicelib.wire import Deadline

SERVICE = "cognito-idp"
KEYS_KEPT_SECONDS = 3600.0
CLOCK_SKEW_SECONDS = 120
CHALLENGES = NEW_PASSWORD, TOTP = "NEW_PASSWORD_REQUIRED", "SOFTWARE_TOKEN_MFA"
TOWN_CLAIM = "custom:town"
# RFC 8017, 9.2, note 1: what stands before a SHA-256 digest in a PKCS #1 v1.5 signature.
_SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
_RSA_BITS_MIN = 2048

_kept_keys: dict[str, tuple[float, Mapping[str, tuple[int, int]]]] = {}


class WrongPassword(SalterError):
    """Address, password or code do not fit. The person tries again."""


class WeakPassword(SalterError):
    """The new password is not what the pool asks for (length, letters, figures). The person chooses another."""


class NotSetUp(SalterError):
    """The pool's ids are not in the Parameter Store; the platform admin must deploy the template."""


class NotTheirs(SalterError):
    """A token that the pool did not issue for us, or not for now. Nobody's retry helps."""


@dataclass(frozen=True, slots=True)
class Entered:
    """Signed in, as the pool's token says it: the e-mail, and the town the person belongs to.

    `access` is the pool's token with which somebody changes their own account there, for an hour.
    """

    mail: str
    town: str
    access: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """The pool asks for one thing more: `challenge` is NEW_PASSWORD or TOTP; `session` goes back with the answer."""

    challenge: str
    session: str


@dataclass(frozen=True, slots=True)
class PoolAccount:
    """What the pool knows of an account: the town it belongs to, and whether it asks for a code."""

    town: str
    has_totp: bool


# --- signing in -------------------------------------------------------------------------------------------------


def enter(mail: str, password: str, deadline: Deadline) -> Entered | Asked:
    """Try a password. Raises WrongPassword, Unavailable, NotSetUp."""
    parameters = {"USERNAME": mail, "PASSWORD": password}
    payload = {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": _client(deadline), "AuthParameters": parameters}
    return _outcome(_call("InitiateAuth", payload, deadline), deadline)


def answer(mail: str, asked: Asked, written: str, deadline: Deadline) -> Entered | Asked:
    """Give what was asked for: the new password, or the code of the second factor. Raises WrongPassword as `enter`
    does, also for a session that is none of the pool's."""
    name = "NEW_PASSWORD" if asked.challenge == NEW_PASSWORD else "SOFTWARE_TOKEN_MFA_CODE"
    payload = {
        "ChallengeName": asked.challenge,
        "ClientId": _client(deadline),
        "Session": asked.session,
        "ChallengeResponses": {"USERNAME": mail, name: written},
    }
    try:
        return _outcome(_call("RespondToAuthChallenge", payload, deadline), deadline)
    except AwsError as error:
        if error.code in _MALFORMED:
            raise WrongPassword("session") from error
        raise


def _outcome(said: Mapping[str, Any], deadline: Deadline) -> Entered | Asked:
    if said.get("ChallengeName"):
        return Asked(said["ChallengeName"], said.get("Session", ""))
    result = said["AuthenticationResult"]
    claims = checked(result["IdToken"], deadline)
    return Entered(str(claims["email"]).lower(), str(claims.get(TOWN_CLAIM, "")), str(result.get("AccessToken", "")))


# --- the second factor ------------------------------------------------------------------------------------------


def begin_totp(access: str, deadline: Deadline) -> str:
    """A new secret for somebody's authenticator (base32). It counts once a code of it was given."""
    return str(_call("AssociateSoftwareToken", {"AccessToken": access}, deadline)["SecretCode"])


def finish_totp(access: str, code: str, deadline: Deadline) -> None:
    """The first code of the new secret: from now on one is asked for at every sign-in. Raises WrongPassword."""
    said = _call("VerifySoftwareToken", {"AccessToken": access, "UserCode": code}, deadline)
    if said.get("Status") != "SUCCESS":
        raise WrongPassword("code")
    _prefer(access, True, deadline)


def end_totp(access: str, deadline: Deadline) -> None:
    """No code is asked for any more."""
    _prefer(access, False, deadline)


def _prefer(access: str, on: bool, deadline: Deadline) -> None:
    settings = {"Enabled": on, "PreferredMfa": on}
    _call("SetUserMFAPreference", {"AccessToken": access, "SoftwareTokenMfaSettings": settings}, deadline)


# --- the pool's people ------------------------------------------------------------------------------------------


def invite(mail: str, town: str, password: str, deadline: Deadline) -> None:
    """Make an account with a password for the first sign-in only; the pool writes no e-mail of its own."""
    attributes = [
        {"Name": "email", "Value": mail},
        {"Name": "email_verified", "Value": "true"},
        {"Name": TOWN_CLAIM, "Value": town},
    ]
    payload = {
        "UserPoolId": _pool(deadline),
        "Username": mail,
        "TemporaryPassword": password,
        "MessageAction": "SUPPRESS",
        "UserAttributes": attributes,
    }
    _call("AdminCreateUser", payload, deadline)


def account(mail: str, deadline: Deadline) -> PoolAccount | None:
    """The pool's account of this address, if there is one."""
    try:
        said = _call("AdminGetUser", {"UserPoolId": _pool(deadline), "Username": mail}, deadline)
    except AwsError as error:
        if error.code != "UserNotFoundException":
            raise
        return None
    attributes = {one["Name"]: one.get("Value", "") for one in said.get("UserAttributes", ())}
    return PoolAccount(attributes.get(TOWN_CLAIM, ""), TOTP in said.get("UserMFASettingList", ()))


def set_password(mail: str, password: str, deadline: Deadline, *, lasting: bool) -> None:
    """A new password: for one sign-in, or `lasting`."""
    payload = {"UserPoolId": _pool(deadline), "Username": mail, "Password": password, "Permanent": lasting}
    _call("AdminSetUserPassword", payload, deadline)


def shut(mail: str, deadline: Deadline) -> None:
    """The account opens nothing any more. Where there is none, nothing is to be shut."""
    _if_there("AdminDisableUser", mail, deadline)


def unshut(mail: str, deadline: Deadline) -> None:
    """The account, if there is one, opens again what its record allows."""
    _if_there("AdminEnableUser", mail, deadline)


def drop_totp(mail: str, deadline: Deadline) -> None:
    """Somebody lost the telephone with their codes: none is asked for any more."""
    settings = {"Enabled": False, "PreferredMfa": False}
    payload = {"UserPoolId": _pool(deadline), "Username": mail, "SoftwareTokenMfaSettings": settings}
    _call("AdminSetUserMFAPreference", payload, deadline)


def _if_there(operation: str, mail: str, deadline: Deadline) -> None:
    try:
        _call(operation, {"UserPoolId": _pool(deadline), "Username": mail}, deadline)
    except AwsError as error:
        if error.code != "UserNotFoundException":
            raise


# --- tokens -----------------------------------------------------------------------------------------------------


def checked(token: str, deadline: Deadline, now: float | None = None) -> Mapping[str, Any]:
    """The claims of an id token of this pool, issued for this client and still good. Raises NotTheirs.

    Signatures and their terms go by the machine's clock.
    """
    try:
        head, body, signature = token.split(".")
        header, claims = json.loads(_decoded(head)), json.loads(_decoded(body))
        sealed = _decoded(signature)
    except (ValueError, TypeError) as error:
        raise NotTheirs("not a token") from error
    key = _keys(deadline).get(str(header.get("kid")))
    if header.get("alg") != "RS256" or key is None or not _fits(f"{head}.{body}".encode(), sealed, *key):
        raise NotTheirs("signature")
    moment = time.time() if now is None else now
    wanted = {"iss": _issuer(deadline), "aud": _client(deadline), "token_use": "id"}
    if any(claims.get(name) != value for name, value in wanted.items()):
        raise NotTheirs("claims")
    if float(claims.get("exp", 0)) + CLOCK_SKEW_SECONDS < moment or "email" not in claims:
        raise NotTheirs("expired")
    return dict(claims)


def _fits(signed: bytes, signature: bytes, modulus: int, exponent: int) -> bool:
    """Whether the signature is the key's: RSASSA-PKCS1-v1_5 with SHA-256, by building what it must open to.

    Verification needs no secret and no care for timing, only exactness: the whole block is compared (RFC 8017, 8.2.2).
    """
    length = (modulus.bit_length() + 7) // 8
    if modulus.bit_length() < _RSA_BITS_MIN or len(signature) != length:
        return False
    digest = _SHA256_PREFIX + hashlib.sha256(signed).digest()
    wanted = b"\x00\x01" + b"\xff" * (length - len(digest) - 3) + b"\x00" + digest
    opened = pow(int.from_bytes(signature, "big"), exponent, modulus).to_bytes(length, "big")
    return hmac.compare_digest(opened, wanted)


def _keys(deadline: Deadline) -> Mapping[str, tuple[int, int]]:
    """The pool's public keys by id, as (modulus, exponent); asked for once an hour."""
    url = f"{aws.endpoint(SERVICE)}/{_pool(deadline)}/.well-known/jwks.json"
    kept = _kept_keys.get(url)
    if kept and kept[0] > time.monotonic():
        return kept[1]
    try:
        reply = wire.call(SERVICE, "Jwks", "GET", url, {"accept": "application/json"}, b"", deadline.within(2.0))
    except wire.CallFailed as failure:
        raise Unavailable("jwks") from failure
    if reply.status != 200:
        raise Unavailable("jwks")
    found = json.loads(reply.body)["keys"]
    numbers = {str(key["kid"]): (_number(key["n"]), _number(key["e"])) for key in found if key.get("kty") == "RSA"}
    _kept_keys[url] = (time.monotonic() + KEYS_KEPT_SECONDS, numbers)
    return numbers


def _number(written: str) -> int:
    return int.from_bytes(_decoded(written), "big")


def _decoded(written: str) -> bytes:
    return base64.urlsafe_b64decode(written + "=" * (-len(written) % 4))


def _issuer(deadline: Deadline) -> str:
    return f"https://{SERVICE}.{aws.region()}.amazonaws.com/{_pool(deadline)}"


# --- calling ----------------------------------------------------------------------------------------------------

_REFUSALS = {
    "NotAuthorizedException": WrongPassword,
    "UserNotFoundException": WrongPassword,
    "CodeMismatchException": WrongPassword,
    "ExpiredCodeException": WrongPassword,
    "EnableSoftwareTokenMFAException": WrongPassword,
    "UserNotConfirmedException": WrongPassword,
    "PasswordResetRequiredException": WrongPassword,
    "InvalidPasswordException": WeakPassword,
    "TooManyRequestsException": Unavailable,
    "LimitExceededException": Unavailable,
}


# What the pool says to a session that is none of its own.
_MALFORMED = ("InvalidParameterException", "ValidationException", "SerializationException")


def _call(operation: str, payload: Mapping[str, Any], deadline: Deadline) -> dict[str, Any]:
    try:
        return aws.call(SERVICE, operation, payload, deadline, repeatable=False)
    except AwsError as error:
        refusal = None if operation.startswith("Admin") and error.code == "UserNotFoundException" else error.code
        if refusal in _REFUSALS:
            raise _REFUSALS[refusal](refusal) from error
        raise


def _pool(deadline: Deadline) -> str:
    return _ids(deadline)[0]


def _client(deadline: Deadline) -> str:
    return _ids(deadline)[1]


def _ids(deadline: Deadline) -> tuple[str, str]:
    pool, _, client = (secrets.staff_pool(deadline) or "").partition(" ")
    if not client:
        raise NotSetUp("staff-pool")
    return pool, client
