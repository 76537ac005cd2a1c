"""`./salter chat`: talk to a town in the terminal, by its folder alone or by a running product's web chat.

table       what a conversation is held with: the town's folder (`folder`) or the chat API (`running`)
talk        lines typed → turns, answers shown, commands
transcript  turns and answers → a conversation that `town test` plays
why         what the bot understood by the last words
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def add_commands(commands: Any) -> None:
    """Put `chat` on the command line."""
    chat = commands.add_parser("chat", help="talk to a town here; /help inside tells how")
    chat.add_argument("slug")
    chat.add_argument("--channel", choices=["web", "viber"], default="web", help="as whom the town sees you")
    chat.add_argument("--clock", default="", help='when it begins, e.g. "2026-03-10T10:15:00+01:00"')
    chat.add_argument("--url", default="", help="a running product to talk to, e.g. http://127.0.0.1:8000")
    chat.add_argument("--save", type=Path, help="write the conversation there at the end; else it is printed")
    chat.add_argument("--title", default="", help="what the conversation shows")
    chat.set_defaults(run=_chat, stage=None)


def _chat(parsed: argparse.Namespace) -> int:
    from infra.chat import folder, running, talk

    try:
        if parsed.url:
            table: talk.Table = running.Running(parsed.url, parsed.slug)
        else:
            table = folder.Folder(parsed.slug, parsed.channel, parsed.clock)
        return talk.Talk(table, parsed.title or f"A talk with {parsed.slug}", sys.stdin, sys.stdout).run(parsed.save)
    except (running.Unreached, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 1
