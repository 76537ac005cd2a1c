"""Which accounts the towns' folders speak of, so that the page can show each in its town's name and colour."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")


@dataclass(frozen=True)
class Bot:
    """One account as a town's folder describes it. A shared account is described by its first town."""

    account: str
    title: str
    colour: str | None
    languages: tuple[str, ...]
    latitude: float | None
    longitude: float | None


def read_bots(folder: Path) -> list[Bot]:
    """The accounts of all towns under `folder`; a file that cannot be read is no matter of the simulator's."""
    bots: dict[str, Bot] = {}
    for path in sorted(folder.glob("*/tenant.yaml")):
        try:
            bot = _bot(path.parent.name, yaml.safe_load(path.read_text("utf-8")))
        except (OSError, ValueError, yaml.YAMLError):
            continue
        bots.setdefault(bot.account, bot)
    return list(bots.values())


def _bot(slug: str, config: Any) -> Bot:
    colour = _at(config, "look", "colour")
    return Bot(
        account=str(_at(config, "channels", "viber", "account") or slug),
        title=_title(_at(config, "name")) or slug,
        colour=colour if isinstance(colour, str) and COLOUR.fullmatch(colour) else None,
        languages=_languages(_at(config, "languages")),
        latitude=_number(_at(config, "centre", "latitude")),
        longitude=_number(_at(config, "centre", "longitude")),
    )


def _title(names: Any) -> str | None:
    """The plain name in the town's first language."""
    first = next(iter(names.values()), None) if isinstance(names, dict) else names
    plain = first.get("plain") if isinstance(first, dict) else first
    return plain if isinstance(plain, str) else None


def _languages(listed: Any) -> tuple[str, ...]:
    ids = [one.get("id") if isinstance(one, dict) else one for one in listed] if isinstance(listed, list) else []
    return tuple(one for one in ids if isinstance(one, str))


def _at(config: Any, *path: str) -> Any:
    for key in path:
        config = config.get(key) if isinstance(config, dict) else None
    return config


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
