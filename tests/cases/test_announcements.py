"""The pure rules of announcements: words in both scripts, even pages, counts that add up."""

from __future__ import annotations

import pytest

from chalicelib.cases import announcements as rules
from chalicelib.model import Announcement, Audience, Page, PageState, Receiver, Voice

SR, CYRILLIC = Voice("sr"), Voice("sr", "cyrillic")


def test_either_script_is_made_from_what_was_written() -> None:
    text = {"sr": "Voda stiže u 8 (PRIMA).", "en": "Water at 8."}
    assert rules.wording(text, SR, "sr") == ("sr", "Voda stiže u 8 (PRIMA).")
    assert rules.wording(text, CYRILLIC, "sr", ("PRIMA",)) == ("sr", "Вода стиже у 8 (PRIMA).")
    assert rules.wording({"sr": "Љубав и џем"}, SR, "sr") == ("sr", "Ljubav i džem")
    assert rules.wording(text, Voice("sq"), "sr")[0] == "sr"
    assert rules.wording({"en": "Water."}, SR, "sr") == ("en", "Water.")


@pytest.mark.parametrize(("number", "sizes"), [(1, [1]), (300, [300]), (301, [150, 151]), (899, [299, 300, 300])])
def test_pages_are_as_even_as_can_be(number: int, sizes: list[int]) -> None:
    people = [(Receiver("viber:x", str(n), SR, ("water",)), SR) for n in range(number)]
    assert [page.size for page, _ in rules.cut_up(people)] == sizes


def test_a_page_speaks_one_voice_by_one_account() -> None:
    people = [
        (Receiver(account, str(n), voice, ()), voice)
        for n, (account, voice) in enumerate([("viber:x", SR), ("viber:x", CYRILLIC), ("viber:y", SR), ("web:x", SR)])
    ]
    cut = rules.cut_up(people)
    assert [(page.n, page.account, page.voice) for page, _ in cut] == [
        (1, "viber:x", CYRILLIC), (2, "viber:x", SR), (3, "viber:y", SR), (4, "web:x", SR),
    ]  # fmt: skip


def test_whatever_became_of_the_pages_the_counts_add_up() -> None:
    pages = tuple(Page(n, "viber:x", SR, 10) for n in range(1, 7))
    found = Announcement("a", "t", {"sr": "x"}, Audience(), "staff:a", 1, "sending", began_at=2, pages=pages)
    states = {
        1: PageState(1, "sent", token="7", failed={"not_subscribed": 2}, skipped=1),
        2: PageState(2, "uncertain", skipped=3),
        3: PageState(3, "failed", failed={"bad_request": 10}),
        4: PageState(4, "skipped", skipped=10),
        5: PageState(5, "claimed"),
    }
    got = {1: frozenset({rules.mark("seen", "7", "a", known=True), rules.mark("failed", "7", "b", known=True)})}
    shown = rules.progress(found, states, got)
    named = ("sent", "failed", "uncertain", "skipped", "left")
    assert [shown.counts[name] for name in named] == [6, 13, 7, 14, 20]
    assert sum(shown.counts[name] for name in named) == shown.counts["audience"] == 60
    assert (shown.counts["seen"], shown.counts["delivered"], shown.state) == (1, 1, "sending")


def test_a_receipt_that_came_before_the_mark_counts() -> None:
    found = Announcement(
        "a", "t", {"sr": "x"}, Audience(), "staff:a", 1, "sending", began_at=2, pages=(Page(1, "viber:x", SR, 2),)
    )
    early = frozenset({rules.mark("delivered", "7", "a", known=False), rules.mark("seen", "8", "a", known=False)})
    counts = rules.progress(found, {1: PageState(1, "sent", token="7")}, {1: early}).counts
    assert (counts["delivered"], counts["seen"]) == (1, 0)


def test_the_price_is_the_towns_or_none() -> None:
    assert rules.price({"viber": 12_946, "web": 50}, 0.0104) == 134.64
    assert rules.price({"viber": 12_946}, None) is None
