"""`./salter staff`: who works for which office, who is away, who stands in."""

from __future__ import annotations

import pytest

from chalicelib.storage import staff, staff_pool
from chalicelib.wire import Deadline
from infra import cli
from tests.world import World

STAGE = ("--stage", "test")


def run(*arguments: str) -> int:
    return cli.main(["staff", *arguments, *STAGE])


def test_somebody_is_added_changed_away_and_listed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    town, ana = world.slug, "ana@primer.example"
    assert run("add", town, "Ana@primer.example", "--role", "clerk", "--office", "biro", "--deputy", "eva@x.si") == 0
    assert run("add", town, ana, "--role", "head", "--office", "biro", "--office", "putevi") == 0
    assert run("absent", town, ana, "--until", "2026-03-20") == 0
    stored = staff.load(town, ana, Deadline(20))
    assert stored is not None
    assert (stored.role, stored.offices, stored.deputy) == ("head", ("biro", "putevi"), "eva@x.si")
    assert stored.absent_until == "2026-03-20"
    capsys.readouterr()
    assert run("list", town) == 0
    assert "head         biro, putevi (deputy eva@x.si, away until 2026-03-20)" in capsys.readouterr().out
    assert run("absent", town, ana, "--until", "back") == 0
    assert staff.load(town, ana, Deadline(20)).absent_until == ""  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "wrong",
    [
        ("add", "nobody-lives-here", "a@b.example", "--role", "clerk"),
        ("add", "", "a@b.example", "--role", "clerk", "--office", "nowhere"),
        ("add", "", "no-address", "--role", "clerk"),
        ("add", "", "a@b.example", "--role", "clerk", "--language", "fr"),
        ("absent", "", "nobody@b.example", "--until", "2026-03-20"),
        ("absent", "", "nobody@b.example", "--until", "soon"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_stored(
    world: World, capsys: pytest.CaptureFixture[str], wrong: tuple[str, ...]
) -> None:
    assert run(*(part or world.slug for part in wrong)) == 1
    assert capsys.readouterr().err
    assert staff.all_of(world.slug, Deadline(20)) == ()


def test_the_first_admin_gets_a_way_in_that_can_be_renewed_and_taken_away(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (f"{name}-{world.slug}@primer.example" for name in ("ana", "eva"))

    def password() -> str:
        return capsys.readouterr().out.partition("first password: ")[2].split()[0]

    assert run("add", world.slug, first, "--role", "admin") == 0
    given = password()
    assert isinstance(staff_pool.enter(first, given, Deadline(20)), staff_pool.Asked)
    assert run("add", world.slug, first, "--role", "admin", "--name", "Ana") == 0
    assert "first password" not in capsys.readouterr().out, "somebody known keeps theirs"
    assert run("password", world.slug, first) == 0
    assert password() != given
    with pytest.raises(staff_pool.WrongPassword):
        staff_pool.enter(first, given, Deadline(20))
    assert run("disable", world.slug, first) == 1
    assert "at least one admin" in capsys.readouterr().err
    assert run("add", world.slug, second, "--role", "admin") == 0
    assert run("disable", world.slug, first) == 0
    assert run("disable", world.slug, "nobody@primer.example") == 1


def test_somebody_who_looks_after_all_towns_is_added(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    mail = f"all-{world.slug}@primer.example"
    assert run("platform", mail, "--name", "Sve") == 0
    assert "first password: " in capsys.readouterr().out
    added = staff.load(staff.PLATFORM, mail, Deadline(20))
    assert added is not None and added.role == "platform"
    assert run("platform", mail) == 1
    assert run("add", world.slug, mail, "--role", "clerk") == 1, "one address, one place"
