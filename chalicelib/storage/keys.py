"""Keys, spelt in one place. The tenant is the first part of every key; conversations begin with the channel account."""

from __future__ import annotations

import hashlib

NOW = "NOW"
DUE_SHARDS = 8


def conversation(account: str, citizen: str) -> str:
    return f"A#{account}#U#{citizen}"


def parked_town(town: str) -> str:
    return f"TOWN#{town}"


def seen(handled: bytes) -> str:
    return f"SEEN#{handled.hex()}"


def overflow(seq: int) -> str:
    return f"OUT#{seq:012d}"


def day(town: str, date: str) -> str:
    return f"T#{town}#{date}"


def due_shard(pk: str) -> str:
    return str(hashlib.blake2b(pk.encode(), digest_size=1).digest()[0] % DUE_SHARDS)


def dead(town: str) -> str:
    """Hash of the `due` index under which what nobody could deliver stands."""
    return f"dead#{town}"


def outbox(town: str, row: str) -> str:
    return f"T#{town}#X#{row}"


def town(slug: str) -> str:
    return f"T#{slug}"


def version_prefix(number: int) -> str:
    return f"V#{number:08d}#"


def account(identifier: str) -> str:
    return f"A#{identifier}"


def handled(inbound: str) -> bytes:
    """The eight bytes by which an inbound id is remembered."""
    return hashlib.blake2b(inbound.encode("utf-8", "surrogatepass"), digest_size=8).digest()
