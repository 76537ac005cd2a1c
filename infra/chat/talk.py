"""A talk in the terminal: what is typed becomes a turn, what is answered is shown with its buttons numbered."""

from __future__ import annotations

import datetime as dt
import re
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TextIO

from chalicelib.language.scripts import to_cyrillic, to_latin
from chalicelib.model import BOT, CITIZEN, Message
from infra.chat import transcript
from infra.chat.running import Unreached
from infra.chat.transcript import Said
from infra.proofs import VOLUNTEER

HELP = """Type as a citizen would; a number presses that button.
  /say TEXT       TEXT as words, even if it is a number or begins with a slash
  /file PATH [WORDS]   a photo, video or file, with words under it
  /pin LAT LON    a place on the map
  /cyrl, /latn    from here on your words are sent in Cyrillic, in Latin (/asis: as typed)
  /as WHO         volunteer or volunteer:Ana (approved by the town), any other name: another citizen; /as citizen
  /clock +2h      time passes (+30m, +1d, +1h30m), or until a time: 2026-03-11T08:00:00+01:00
  /why            what was understood by your last words: intents, scores, slots
  (empty line)    what came meanwhile
  /save FILE      write the conversation so far as a proof that `town test` plays
  /quit           the end; the conversation is printed, or written where --save says
"""
_SPAN = re.compile(r"\+(?:(\d{1,3})d)?(?:(\d{1,3})h)?(?:(\d{1,4})m)?")
_PHOTOS, _VIDEOS = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".heic"), (".mp4", ".mov", ".webm", ".3gp")
_SCRIPTS: dict[str, Callable[[str], str]] = {"/cyrl": to_cyrillic, "/latn": to_latin, "/asis": str}


class Table(Protocol):
    """Whom one talks with: a town's folder or a running product."""

    channel: str
    said: list[Said]

    @property
    def begun(self) -> str: ...
    @property
    def now(self) -> dt.datetime: ...
    def play(self, turn: Mapping[str, Any]) -> list[Message]: ...
    def why(self, text: str) -> list[str]: ...


class Talk:
    """Raises Unreached if a running product is not there when the talk begins."""

    def __init__(self, table: Table, title: str, lines: TextIO, out: TextIO) -> None:
        self._table, self._lines, self._out = table, lines, out
        self._title = title
        self._actor, self._spelling, self._said = CITIZEN, _SCRIPTS["/asis"], ""
        self._waits: float = 0  # minutes
        self._shown: dict[str, list[Message]] = {}

    def run(self, save: Path | None) -> int:
        """Until /quit or the end of what is typed. Exit code 0; 1 if the conversation could not be written."""
        self._tell(f"{self._table.now:%A %d %B %Y, %H:%M}. /help tells how, /quit ends.")
        self._turn({"opens": ""})
        for line in self._typed():
            if line.strip() == "/quit":
                break
            try:
                self._heard(line.strip())
            except (ValueError, OSError, Unreached) as problem:
                self._tell(f"! {problem}")
        return self._finish(save)

    def _typed(self) -> Any:
        """The lines, with a prompt for a person; what comes from a file is shown as if it were typed."""
        if self._lines is sys.stdin and sys.stdin.isatty():
            while True:
                try:
                    yield input(f"{self._actor}> ")
                except (EOFError, KeyboardInterrupt):
                    return
        for line in self._lines:
            self._tell(f"{self._actor}> {line.rstrip()}")
            yield line

    def _heard(self, line: str) -> None:
        command, _, rest = line.partition(" ")
        if command in _SCRIPTS:
            self._spelling = _SCRIPTS[command]
        elif command in ("/help", "/?"):
            self._tell(HELP.rstrip())
        elif command == "/say":
            self._say(rest)
        elif command == "/file":
            self._turn(_file(rest))
        elif command == "/pin":
            self._turn({"location": _place(rest)})
        elif command == "/as":
            self._become(rest.strip())
        elif command == "/clock":
            self._later(rest.strip())
        elif command == "/why":
            self._tell("\n".join(f"? {reason}" for reason in self._table.why(self._said)))
        elif command == "/save":
            self._save(Path(rest.strip() or "conversation.yaml"))
        elif line.startswith("/"):
            raise ValueError(f"{command} is no command; /help lists them")
        elif line:
            self._pressed_or_said(line)
        else:
            self._turn({})

    # --- turns ---------------------------------------------------------------------------------------------------

    def _pressed_or_said(self, line: str) -> None:
        labels = _labels(self._shown.get(self._actor, ()))
        if line.isascii() and line.isdigit() and 1 <= int(line) <= len(labels):
            self._said = ""
            choice, label = labels[int(line) - 1]
            alike = [other for other, shown in labels if shown == label]
            self._turn({"choose": label if len(alike) == 1 else choice})
        else:
            self._say(line)

    def _say(self, words: str) -> None:
        if not words:
            raise ValueError("say something")
        self._said = self._spelling(words)
        self._turn({"citizen": self._said})

    def _become(self, who: str) -> None:
        if not who:
            raise ValueError("as whom? /as volunteer, /as citizen, /as a-name")
        self._actor = f"{VOLUNTEER}Ana" if who == VOLUNTEER.rstrip(":") else who
        self._said = ""
        is_new = self._actor not in self._shown and not self._actor.startswith(VOLUNTEER)
        self._turn({"opens": ""} if is_new else {})

    def _later(self, when: str) -> None:
        span = _SPAN.fullmatch(when)
        if span and any(span.groups()):
            days, hours, minutes = (int(part or 0) for part in span.groups())
            self._waits += (days * 24 + hours) * 60 + minutes
        else:
            until = dt.datetime.fromisoformat(when)
            ahead = (until - self._table.now).total_seconds() / 60 - self._waits
            if ahead <= 0:
                raise ValueError("time only goes forward here")
            self._waits += round(ahead, 2) if ahead % 1 else int(ahead)
        self._tell(f"  it is {self._table.now + dt.timedelta(minutes=self._waits):%d.%m.%Y %H:%M} with the next words")

    def _turn(self, said: Mapping[str, Any]) -> None:
        waits: dict[str, Any] = {"wait_minutes": self._waits} if self._waits else {}
        whose = {} if self._actor == CITIZEN else {"as": self._actor}
        turn = {**waits, **whose, **said}
        messages = self._table.play(turn)
        if not said and not waits and messages == self._shown.get(self._actor, []):
            self._tell("  (nothing new)")
            return
        self._waits = 0
        self._shown[self._actor] = messages or self._shown.get(self._actor, [])
        case = self._table.said[-1].case
        self._show(messages)
        if case:
            self._tell("  case: " + ", ".join(f"{name} {value}" for name, value in case.items()))

    # --- showing -------------------------------------------------------------------------------------------------

    def _show(self, messages: Sequence[Message]) -> None:
        if not messages:
            self._tell("  (silence)")
        for message in messages:
            who = "" if message.origin == BOT else f"{message.origin}: "
            self._tell("\n".join(f"  {line}" for line in f"{who}{message.text}".split("\n")))
            if message.link:
                self._tell(f"  {message.link[0]}: {message.link[1]}")
        for number, (_, label) in enumerate(_labels(messages), 1):
            self._tell(f"    [{number}] {label}")

    def _tell(self, text: str) -> None:
        print(text, file=self._out, flush=True)

    def _save(self, path: Path) -> None:
        path.write_text(self._written(), encoding="utf-8")
        self._tell(f"  the conversation is in {path}")

    def _written(self) -> str:
        return transcript.text(self._title, self._table.channel, self._table.begun, self._table.said)

    def _finish(self, save: Path | None) -> int:
        if save is None:
            self._tell("\n" + self._written().rstrip())
            return 0
        try:
            self._save(save)
        except OSError as problem:
            print(problem, file=sys.stderr)
            return 1
        return 0


def _labels(messages: Sequence[Message]) -> list[tuple[str, str]]:
    return [choice for message in messages for choice in message.choices]


def _file(rest: str) -> dict[str, Any]:
    """A turn with a file; its words are the caption."""
    name, *words = shlex.split(rest) or [""]
    path = Path(name).expanduser()
    if not path.is_file():
        raise ValueError(f"there is no file {name or '(none named)'}")
    ending = path.suffix.lower()
    kind = "photo" if ending in _PHOTOS else "video" if ending in _VIDEOS else "file"
    return {kind: str(path), **({"caption": " ".join(words)} if words else {})}


def _place(rest: str) -> list[float]:
    parts = rest.replace(",", " ").split()
    if len(parts) != 2:
        raise ValueError("a pin is two numbers: /pin 45.77 19.11")
    latitude, longitude = map(float, parts)
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise ValueError("latitude is -90 to 90, longitude -180 to 180")
    return [latitude, longitude]
