"""The photos, clips and papers that citizens send: served like Viber's own, under links that die after an hour."""

import mimetypes
import secrets
import struct
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from urllib.parse import quote, urlsplit

LINK_LIFE_S = 3600
KEPT_MAX = 200
UPLOAD_BYTES_MAX = 60 * 1024 * 1024
SAMPLES = Path(__file__).parent / "static" / "samples"


@dataclass(frozen=True)
class Held:
    name: str
    content: bytes
    dies_at: float

    @property
    def type(self) -> str:
        return mimetypes.guess_type(self.name)[0] or "application/octet-stream"


class Media:
    """What was sent, in memory; the oldest is forgotten first."""

    def __init__(self, base_url: Callable[[], str], clock: Callable[[], float]) -> None:
        self._base_url = base_url
        self._clock = clock
        self._lock = Lock()
        self._held: OrderedDict[str, Held] = OrderedDict()

    def keep(self, name: str, content: bytes, life_s: float = LINK_LIFE_S) -> str:
        """Takes a file in and answers its link."""
        key = secrets.token_hex(8)
        with self._lock:
            self._held[key] = Held(name, content, self._clock() + life_s)
            while len(self._held) > KEPT_MAX:
                self._held.popitem(last=False)
        return f"{self._base_url()}/media/{key}/{quote(name)}"

    def sample(self, name: str) -> str:
        """A fresh link to one of the ready-made files: photo.jpg, sticker.png, form.pdf, clip.mp4."""
        return self.keep(name, _clip() if name == "clip.mp4" else (SAMPLES / name).read_bytes())

    def get(self, key: str) -> Held | None:
        with self._lock:
            held = self._held.get(key)
        return held if held and self._clock() < held.dies_at else None

    def size_of(self, link: str) -> int:
        held = self.get(urlsplit(link).path.split("/")[2]) if "/media/" in link else None
        return len(held.content) if held else 0


def _clip() -> bytes:
    """The least that is recognised as MP4; there is nothing to see in it."""
    boxes = [(b"ftyp", b"isom\x00\x00\x02\x00isomiso2avc1mp41"), (b"mdat", b"\x00" * 2048)]
    return b"".join(struct.pack(">I", len(content) + 8) + kind + content for kind, content in boxes)
