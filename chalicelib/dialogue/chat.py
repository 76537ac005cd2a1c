"""What the bot says about itself: greeting, menu, language, emergencies, and the honest "we did not understand"."""

from __future__ import annotations

from chalicelib.model import Choice, Line, Say, Town, own_choice
from chalicelib.small_classes import replace

MENU_CHOICES = ("person", "language", "emergency")
NUMBERS = "emergency_numbers"
FALLBACK_CHOICES = ("person", "menu")
SECONDS_MAX = 3
QUESTION = "question"  # the kind of service that takes questions to an office


def choices(*ids: str) -> tuple[Choice, ...]:
    """Buttons labelled by the texts of their own ids."""
    return tuple(map(own_choice, ids))


def menu_choices(town: Town) -> tuple[Choice, ...]:
    """The town's menu; language only where there is more than one to choose."""
    voices = sum(len(entry["scripts"]) for entry in town.core["languages"])
    own = [choice for choice in MENU_CHOICES if choice != "language" or voices > 1]
    return choices(*town.core["menu"], *own)


def welcome(town: Town) -> Say:
    """The first words: who answers, that it is a program, how to reach a person, what it can do."""
    return Say(lines=(Line("greeting"), Line("automated_notice_person")), choices=menu_choices(town))


def menu(town: Town, *before: str) -> Say:
    """The menu, after other lines if any."""
    lines = tuple(Line(key) for key in before) or (Line("menu_title"),)
    return Say(lines=lines, choices=menu_choices(town))


def emergency(town: Town, danger: str | None) -> Say:
    """The numbers at once; the kind of danger first, never a form."""
    lines = [Line(f"emergency_{danger}")] if danger else []
    lines.append(Line(NUMBERS))
    if town.core["emergency"]["general"]:
        lines.append(Line("emergency_general"))
    return Say(lines=(*lines, Line("emergency_not_here")), choices=choices(*FALLBACK_CHOICES))


def is_emergency(say: Say) -> bool:
    """Whether these are the numbers to call."""
    return any(line.key == NUMBERS for line in say.lines)


def languages(town: Town) -> Say:
    """Every language and script the town speaks, each named in itself."""
    voices = [
        Choice(f"language.{entry['id']}-{script}", Line("raw", {"text": entry["labels"][script]}))
        for entry in town.core["languages"]
        for script in entry["scripts"]
    ]
    return Say(lines=(Line("choose_language"),), choices=(*voices, *choices("my_data", "menu")))


def did_you_mean(town: Town, guesses: list[str]) -> Say:
    """Up to three guesses and the ways out."""
    asked = tuple(choice for choice in asking(town) if choice.id not in guesses)
    guessed = choices(*dict.fromkeys(guesses))
    return Say(lines=(Line("did_you_mean"),), choices=(*guessed, *asked, *_besides(guesses, "person", "menu")))


def _besides(guesses: list[str], *ids: str) -> tuple[Choice, ...]:
    return choices(*(each for each in ids if each not in guesses))


def asking_service(town: Town) -> str | None:
    """The town's service that takes questions, if it has one."""
    services = town.core["services"].items()
    return next((str(name) for name, entry in services if entry["kind"] == QUESTION), None)


def asking(town: Town) -> tuple[Choice, ...]:
    """A button that sends what was just said to an office as a question, in towns that take questions."""
    service = asking_service(town)
    return (Choice(service, Line("question_send_this")),) if service else ()


def with_second(says: tuple[Say, ...], second: list[str], why: str = "also_asked") -> tuple[Say, ...]:
    """An answer, with the other thing the same message asked for offered below it."""
    if not second:
        return says
    last = says[-1]
    offered = choices(*second[:SECONDS_MAX])
    others = tuple(choice for choice in last.choices if choice.id not in second)
    return (*says[:-1], replace(last, after=(*last.after, Line(why)), choices=(*offered, *others)))


def not_understood(town: Town) -> Say:
    """The honest word that it was not understood: an office can be asked the same, and what else there is."""
    asked = asking(town)
    others = tuple(choice for choice in menu_choices(town) if choice.id not in [each.id for each in asked])
    return Say(lines=(Line("not_understood"),), choices=(*asked, *others))


def not_offered(town: Town, helpers: list[str]) -> Say:
    """Understood, but the town has no such service here: who can help instead."""
    return Say(lines=(Line("service_not_offered"),), choices=(*asking(town), *choices(*helpers, "menu")))


def said(key: str, town: Town) -> Say:
    """One line with the menu below it."""
    return Say(lines=(Line(key),), choices=menu_choices(town))
