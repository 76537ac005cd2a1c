"""Towns that name the same Viber account: what must differ between them, and what must not."""

from __future__ import annotations

from infra import towns
from tests.world import compiled


def test_towns_of_one_bot_with_names_of_their_own_are_good() -> None:
    versions = {
        "primer": compiled("primer", account="nas-bot"),
        "novigrad": compiled("novigrad", account="nas-bot", called="Novigrad"),
    }
    assert towns.bot_clashes(versions) == []


def test_towns_of_one_bot_that_nobody_could_tell_apart_are_refused_with_a_remedy() -> None:
    price = "price: {amount: 0.01}"
    versions = {
        "primer": compiled("primer", account="nas-bot"),
        "drugi": compiled("drugi", account="nas-bot", terms=f"uri: drugi-bot, {price}"),
    }
    for slug, other in (("primer", "drugi"), ("drugi", "primer")):
        file = f"tenants/{slug}/tenant.yaml"
        problems = [str(clash) for clash in towns.bot_clashes(versions) if clash.file == file]
        assert len(problems) == 4
        for part, problem in zip(("viber_name", '"primer"', "uri", "price"), problems, strict=True):
            assert part in problem
            assert f"that of {other}, which shares the Viber account nas-bot" in problem


def test_a_bot_has_no_more_towns_than_its_question_has_buttons() -> None:
    version = compiled("primer", account="nas-bot")
    crowd = {
        f"grad-{number:02}": {"core": {**version["core"], "slug": f"grad-{number:02}", "called": [f"Mesto {number}"]}}
        for number in range(towns.TOWNS_OF_A_BOT_MAX + 1)
    }
    assert any("serves more than 20 towns" in str(clash) for clash in towns.bot_clashes(crowd))
