"""What is said arrives once, in order, and stays, whatever the connection does."""

import pytest
from playwright.sync_api import expect

from tests.browser.stub import TOWN

OFFLINE = "Nema veze sa internetom"
DAYS_30_MS = 30 * 86_400_000


def test_a_pressed_choice_is_sent_as_a_choice_and_the_choices_go(visit, town) -> None:
    visitor = visit().open().press("Informacije o postupcima").sees("Odgovor na: Informacije o postupcima")
    [sent] = town.said()
    assert (sent["type"], sent["choice"], sent["text"]) == ("choice", "procedures", "Informacije o postupcima")
    expect(visitor.page.get_by_role("button", name="Zahtev za dokument")).to_have_count(0)


def test_a_conversation_outlives_a_reload_without_a_new_session(visit, town) -> None:
    visitor = visit().open().say("dobar dan i vama").sees("Odgovor na: dobar dan i vama")
    visitor.field.fill("počeo sam")
    visitor.reload().button.click()
    visitor.sees("Dobar dan! Ja sam LIPA", 1).sees("Odgovor na: dobar dan i vama", 1)
    expect(visitor.field).to_have_value("počeo sam")
    visitor.say("još nešto").sees("Odgovor na: još nešto")
    assert town.sessions == 1


def test_a_new_conversation_asks_first(visit, town) -> None:
    visitor = visit().open().say("tajna").sees("Odgovor na: tajna").press("Novi razgovor")
    expect(visitor.notice).to_contain_text("Započeti novi razgovor?")
    visitor.page.keyboard.press("Escape")
    expect(visitor.notice).to_be_empty()
    visitor.sees("Odgovor na: tajna").press("Novi razgovor").press("Započni novi")
    expect(visitor.log.get_by_text("tajna")).to_have_count(0)
    visitor.sees("Dobar dan! Ja sam LIPA", 1)
    assert "tajna" not in str(visitor.record())
    assert town.sessions == 2


def test_words_said_without_a_connection_are_kept_over_a_reload_and_sent_once_when_it_is_back(visit, town) -> None:
    visitor = visit().open()
    visitor.context.set_offline(True)
    visitor.say("prvo").say("drugo")
    expect(visitor.notice).to_contain_text(OFFLINE)
    queued = [item["id"] for item in visitor.record()["log"] if item.get("state") == "queued"]
    assert town.said() == []
    visitor.context.set_offline(False)
    visitor.sees("Odgovor na: prvo", 1).sees("Odgovor na: drugo", 1)
    expect(visitor.notice).to_be_empty()
    assert [body["id"] for body in town.said()] == queued


@pytest.mark.parametrize("fault", ["cut", "lost", (503, "unavailable"), (429, "slow_down")])
def test_a_message_that_failed_goes_again_with_the_same_id_and_is_answered_once(visit, town, fault) -> None:
    visitor = visit().open()
    town.faults.append(fault)
    visitor.say("ponovi").sees("Odgovor na: ponovi", 1)
    ids = [body["id"] for body in town.said()]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    expect(visitor.notice).to_be_empty()


def test_a_town_that_does_not_answer_is_asked_again_and_words_said_meanwhile_are_not_lost(visit, town) -> None:
    town.faults.append("no session")
    visitor = visit()
    visitor.button.click()
    expect(visitor.notice).to_contain_text("Usluga trenutno nije dostupna")
    visitor.say("nestrpljivo").sees("Dobar dan! Ja sam LIPA", 1).sees("Odgovor na: nestrpljivo", 1)


def test_a_message_waits_for_its_turn_after_a_reload(visit, town) -> None:
    visitor = visit().open()
    town.faults += [(503, "unavailable")] * 3
    visitor.say("strpljenja")
    expect(visitor.notice).to_contain_text("Usluga trenutno nije dostupna")
    town.faults.clear()
    visitor.reload().button.click()
    visitor.sees("Odgovor na: strpljenja", 1)
    assert len({body["id"] for body in town.said()}) == 1


def test_an_expired_token_is_replaced_quietly_and_what_is_drawn_stays(visit, town) -> None:
    visitor = visit().open().say("pre").sees("Odgovor na: pre")
    town.expired.add("token-1")
    visitor.say("posle").sees("Odgovor na: posle", 1).sees("Odgovor na: pre", 1).sees("Dobar dan! Ja sam LIPA", 1)
    assert town.sessions == 2


def test_a_refused_message_can_be_edited(visit, town) -> None:
    visitor = visit().open()
    town.faults.append((422, "no_text"))
    visitor.say("nešto pogrešno").sees("Poruka nije prihvaćena.").press("Izmeni")
    expect(visitor.field).to_have_value("nešto pogrešno")
    expect(visitor.field).to_be_focused()
    expect(visitor.log.get_by_text("nešto pogrešno")).to_have_count(0)


def test_a_message_that_fails_for_good_says_so_and_can_be_tried_again_by_hand(visit, town) -> None:
    visitor = visit().open()
    town.faults += [(404, "unknown_town")]
    visitor.say("hitno").sees("Poruka nije poslata.").press("Pokušaj ponovo").sees("Odgovor na: hitno", 1)
    assert len({body["id"] for body in town.said()}) == 1


def test_a_message_answered_long_ago_is_not_sent_again(visit, town) -> None:
    visitor = visit().open()
    town.faults.append((409, "too_old"))
    visitor.say("stara").sees("Poslato")
    assert len(town.said()) == 1


def test_dots_show_only_after_400_ms_of_waiting(visit, town) -> None:
    visitor = visit().open()
    town.wait.clear()
    visitor.say("polako")
    dots = visitor.page.get_by_text("Asistent piše…")
    expect(dots).to_have_css("visibility", "hidden", timeout=350)
    expect(dots).to_have_css("visibility", "visible")
    town.wait.set()
    visitor.sees("Odgovor na: polako")
    expect(dots).to_have_count(0)


def test_an_operators_words_come_by_themselves_and_the_frame_says_who_answers(visit, town) -> None:
    visitor = visit().open().press("Operater").sees("Razgovor preuzima operater", 1)
    expect(visitor.notice).to_contain_text("Odgovara službena osoba.")
    town.speak("Dobar dan, izvolite.", by="A. H., Služba za urbanizam")
    visitor.sees("Dobar dan, izvolite.", 1).sees("A. H., Služba za urbanizam", 1)
    visitor.press("Završi")
    expect(visitor.page.get_by_text("Odgovor na: Završi")).to_be_visible()
    expect(visitor.notice).to_be_empty()
    assert town.said("text")[0]["text"] == "OPERATER"
    assert town.said("choice")[0]["choice"] == "operator.end"


def test_nothing_is_asked_while_nobody_has_said_anything(visit, town) -> None:
    visitor = visit().open()
    visitor.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    visitor.press("Zatvori razgovor").open()
    assert [call for call in town.calls("messages") if call.method == "GET"] == []


def test_news_is_counted_on_the_closed_button_and_read_when_opened(visit, town) -> None:
    visitor = visit().open().say("predmet").sees("Odgovor na: predmet").press("Zatvori razgovor")
    town.speak("Predmet je rešen.")
    town.speak("Dođite po rešenje.")
    visitor.reload()
    expect(visitor.button).to_contain_text("2 nove poruke")
    visitor.button.click()
    visitor.sees("Predmet je rešen.", 1).sees("Dođite po rešenje.", 1).press("Zatvori razgovor")
    expect(visitor.button).to_contain_text("Otvori razgovor")
    expect(visitor.button.locator("b")).to_be_hidden()


def test_a_personal_number_does_not_stay_in_the_browser(visit, town) -> None:
    visitor = visit().open().say("jmbg").sees("Upišite JMBG").say("0101990710008").sees("Odgovor na")
    assert town.said()[-1]["text"] == "0101990710008"
    assert "0101990710008" not in visitor.log.inner_text().replace("Odgovor na: 0101990710008", "")
    mine = [item for item in visitor.record()["log"] if item["from"] == "citizen"]
    assert "0101990710008" not in str(mine)


def test_a_conversation_nobody_used_for_30_days_is_forgotten(visit) -> None:
    visitor = visit().open().say("davno").sees("Odgovor na: davno")
    visitor.keep(f"record.used -= {DAYS_30_MS} + 60000")
    visitor.reload().open()
    expect(visitor.log.get_by_text("davno")).to_have_count(0)


def test_two_tabs_of_one_browser_show_one_conversation(visit, town) -> None:
    visitor = visit().open().say("iz prve").sees("Odgovor na: iz prve")
    first = visitor.page
    visitor.page = visitor.watched(visitor.context.new_page())
    visitor.page.goto(town.page + "/")
    visitor.button.click()
    visitor.sees("Odgovor na: iz prve", 1).say("iz druge").sees("Odgovor na: iz druge", 1)
    expect(first.get_by_role("log").get_by_text("Odgovor na: iz druge")).to_be_visible()
    assert town.sessions == 1


def test_the_chat_works_where_the_browser_refuses_storage(visit) -> None:
    visitor = visit("about:blank")
    visitor.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('refused', 'SecurityError') }})"
    )
    visitor.page.goto(visitor.town.page + "/")
    visitor.open().say("bez traga").sees("Odgovor na: bez traga", 1)


def test_the_context_of_a_link_travels_with_the_session_once(visit, town) -> None:
    visitor = visit(f"{town.base}/chat/{TOWN}?context=abc123").sees("Dobar dan! Ja sam LIPA")
    visitor.say("tu sam").sees("Odgovor na: tu sam").reload().sees("Odgovor na: tu sam")
    assert [call.body["context"] for call in town.calls("sessions")] == ["abc123"]
