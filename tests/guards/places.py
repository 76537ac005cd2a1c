"""Every place where a town is kept from what is another's, and the tests that must fail without it.

`GUARDS`: what stands in the code, what it is replaced by, and the tests. The functions of `storage/keys.py` that are
given a town are not named here: each of them is taken out as well. `NO_GUARDS`: comparisons of towns that keep nobody
out, and why. A comparison of towns that stands in neither fails `test_taken_out.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

KEYS = "chalicelib/storage/keys.py"
OF_KEYS = ("tests/storage/test_keys.py::test_two_towns_have_no_key_in_common",)
SHARED, FORGED = "tests/actions/test_shared_bot.py::", "tests/abuse/test_forged.py::"
ROUTES, STORAGE = "tests/abuse/test_every_route.py::", "tests/storage/"
SERVED_NO_MORE = f"{SHARED}test_a_town_the_bot_serves_no_more_tells_nobody_anything_there_and_its_cases_go_on"
NOBODY_REACHED = f"{SHARED}test_whoever_wants_to_speak_there_all_the_same_is_told_that_nobody_is_reached"
ELSEWHERE = f"{SHARED}test_what_a_town_says_of_itself_while_the_citizen_is_elsewhere_turns_nobody_back"
OWN_PART = f"{SHARED}test_a_towns_data_has_of_a_shared_conversation_what_is_its_own"
LIES_BESIDE = f"{SHARED}test_erasing_in_one_town_leaves_what_lies_beside_for_another"
OBJECTS = f"{FORGED}test_a_row_about_an_object_of_another_town_leaves_it_as_it_is"
UNLISTED = f"{STORAGE}test_conversations.py::test_the_store_refuses_a_town_the_account_does_not_list"


UNWRAPPED = (
    "    if town not in _keys:\n"
    "        _keys[town] = _unwrapped(town, deadline) or _made(town, deadline)\n"
    "    return _keys[town]"
)


@dataclass(frozen=True)
class Guard:
    """`text` stands `times` in `module` and is replaced by `instead`; one of `tests` fails then."""

    module: str
    text: str
    instead: str
    tests: tuple[str, ...]
    times: int = 1


GUARDS = (
    Guard(
        "chalicelib/storage/conversations.py",
        "<= now or conversation.town not in self.account.towns:",
        "<= now:",
        (f"{STORAGE}test_conversations.py::test_two_towns_on_one_account_never_see_each_others_talk",),
    ),
    Guard(
        "chalicelib/storage/conversations.py",
        "if conversation.town not in self.account.towns:",
        "if False:",
        (UNLISTED,),
    ),
    Guard("chalicelib/storage/conversations.py", "if town not in self.account.towns:", "if False:", (UNLISTED,)),
    Guard(
        "chalicelib/storage/conversations.py", " if head.town != town else head", " if False else head", (ELSEWHERE,)
    ),
    Guard("chalicelib/storage/conversations.py", "if after.town == head.town:", "if True:", (ELSEWHERE,)),
    Guard(
        "chalicelib/storage/aside.py",
        "return after if after.town == head.town else",
        "return after if True else",
        (ELSEWHERE,),
    ),
    Guard(
        "chalicelib/storage/cases.py",
        "if case.tenant != self.town:",
        "if False:",
        (f"{STORAGE}test_cases.py::test_a_case_of_another_town_cannot_be_written_and_is_not_found",),
    ),
    Guard(
        "chalicelib/storage/sealing.py",
        "(town, item, name)).encode()",
        "(item, name)).encode()",
        (f"{STORAGE}test_sealing.py::test_a_value_does_not_open_for_another_town_even_if_the_key_is_the_same",),
    ),
    Guard(
        "chalicelib/storage/sealing.py",
        '{"tenant": town}',
        '{"tenant": "x"}',
        (f"{STORAGE}test_sealing.py::test_a_towns_key_is_unwrapped_for_that_town_only",),
        times=3,
    ),
    Guard(
        "chalicelib/storage/sealing.py",
        UNWRAPPED,
        UNWRAPPED.replace("[town]", "['x']").replace("if town", "if 'x'"),
        (f"{STORAGE}test_sealing.py::test_a_towns_key_is_unwrapped_for_that_town_only",),
    ),
    Guard("chalicelib/storage/keys.py", 'startswith(f"T/{town}/")', 'startswith("T/")', (OBJECTS,)),
    Guard("chalicelib/storage/keys.py", ' and ".." not in key', "", (OBJECTS,)),
    Guard(
        "chalicelib/storage/overflow.py",
        '"" if item.get("town") in (None, current) else item["town"]',
        '""',
        (f"{SHARED}test_a_long_lane_is_said_in_the_name_of_the_town_that_owes_it",),
    ),
    Guard(
        "chalicelib/storage/views.py",
        ' if town in (None, row["tenant"])',
        "",
        (
            "tests/actions/test_outbox.py::test_an_e_mail_goes_out_once_and_its_words_are_forgotten",
            f"{SHARED}test_a_long_lane_is_said_in_the_name_of_the_town_that_owes_it",
        ),
    ),
    Guard("chalicelib/storage/whole.py", 'return item.get("town") == town or', "return True or", (OWN_PART,)),
    Guard(
        "chalicelib/storage/whole.py",
        'return pk == keys.town(town) or pk.startswith(f"{keys.town(town)}#")',
        'return pk.startswith("T#")',
        (
            "tests/integrations/test_town_data.py::test_a_file_that_would_write_into_another_town_is_refused_before_anything_is_written",
        ),
    ),
    Guard(
        "chalicelib/storage/whole.py",
        "if belongs(town, TALK, stored.item) and not is_anybodys:",
        "if not is_anybodys:",
        (OWN_PART,),
    ),
    Guard("chalicelib/storage/whole.py", 'stored.item.get("town", town) != town for', "False for", (OWN_PART,)),
    Guard("chalicelib/actions/copy_media.py", 'not keys.is_object_of(town, body["key"]) or (', "(", (OBJECTS,)),
    Guard(
        "chalicelib/actions/copy_media.py",
        '_is_upload(body["source"]) and not keys.is_object_of(town, body["source"])',
        "False",
        (OBJECTS,),
    ),
    Guard("chalicelib/actions/forget_media.py", "if not keys.is_object_of(town, key):", "if False:", (OBJECTS,)),
    Guard("chalicelib/actions/talk.py", " or town.slug not in account.towns", "", (NOBODY_REACHED,)),
    Guard("chalicelib/actions/block_person.py", " or town.slug not in account.towns", "", (NOBODY_REACHED,)),
    Guard("chalicelib/actions/owe.py", " or slug not in account.towns", "", (NOBODY_REACHED,)),
    Guard(
        "chalicelib/actions/notify.py",
        "town.slug not in account.towns:\n        return []",
        "False:\n        return []",
        (SERVED_NO_MORE,),
    ),
    Guard(
        "chalicelib/actions/notify.py",
        "town.slug not in account.towns:\n        return None",
        "False:\n        return None",
        (SERVED_NO_MORE,),
    ),
    Guard("chalicelib/actions/second_way.py", "if town not in account.towns:", "if False:", (SERVED_NO_MORE,)),
    Guard(
        "chalicelib/actions/look_around_case.py",
        " if account and case.tenant in account.towns else None",
        " if account else None",
        (SERVED_NO_MORE,),
    ),
    Guard("chalicelib/actions/export.py", " or town not in account.towns:", ":", (SERVED_NO_MORE,)),
    Guard(
        "chalicelib/actions/hear_receipt.py",
        " or notice.town not in store.account.towns:",
        ":",
        (f"{SHARED}test_a_receipt_about_a_notice_of_a_town_the_bot_serves_no_more_is_taken_calmly",),
    ),
    Guard(
        "chalicelib/actions/manage_staff.py",
        "elif account.town != town:",
        "elif False:",
        ("tests/console/test_staff.py::test_an_address_of_another_town_cannot_be_taken_over",),
    ),
    Guard("chalicelib/actions/erase.py", ' and item.get("town") == town', "", (LIES_BESIDE,)),
    Guard("chalicelib/actions/erase.py", 'ours = item.get("town", town) == town and (', "ours = (", (LIES_BESIDE,)),
    Guard(
        "chalicelib/actions/erase.py",
        ' and (item.get("town") or not _serves_others(who, deadline))',
        "",
        (LIES_BESIDE,),
    ),
    Guard(
        "chalicelib/actions/case_api.py",
        "if key.town == tenant and ",
        "if ",
        (f"{ROUTES}test_no_key_opens_what_another_town_has",),
    ),
    Guard(
        "chalicelib/actions/open311.py",
        " or key.town != tenant or ",
        " or ",
        (f"{ROUTES}test_no_program_that_speaks_open311_reads_or_files_in_another_town",),
    ),
    Guard(
        "chalicelib/actions/open311.py",
        "if asked and asked not in (town.slug, own):",
        "if False:",
        (
            "tests/integrations/test_open311.py::test_unknown_services_towns_keys_and_types_are_refused_in_the_standards_words",
        ),
    ),
    Guard(
        "chalicelib/actions/choose_town.py",
        "if inbound.town in account.towns:",
        "if inbound.town:",
        (f"{SHARED}test_a_button_that_names_a_town_of_another_bot_leads_nowhere",),
    ),
    Guard(
        "chalicelib/actions/receive_message.py",
        "if head.town == town.slug and (aside.is_decided(head) or not goal.town):",
        "if aside.is_decided(head) or not goal.town:",
        (f"{SHARED}test_a_notice_comes_in_the_name_of_its_town_and_its_button_leads_there",),
    ),
    Guard(
        "chalicelib/actions/file_links.py",
        'f"file:{slug}"',
        '"file"',
        (f"{FORGED}test_the_link_of_a_sent_file_opens_nothing_else_and_ends",),
        times=2,
    ),
    Guard(
        "chalicelib/actions/testers.py",
        "parts[:2] != [slug, MARK]",
        "parts[1:2] != [MARK]",
        (f"{FORGED}test_a_testers_link_lets_in_as_many_as_it_says_and_none_if_it_was_changed",),
    ),
    Guard(
        "chalicelib/channels/web/token.py",
        "session.town != town or ",
        "",
        (f"{FORGED}test_no_chat_token_can_be_made_changed_or_used_after_its_time",),
    ),
    Guard(
        "chalicelib/signed.py",
        ' if hmac.compare_digest(signature.encode("utf-8", "replace"), wanted.encode()) else None',
        "",
        (f"{FORGED}test_no_chat_token_can_be_made_changed_or_used_after_its_time",),
    ),
    Guard(
        "chalicelib/channels/viber/receive.py",
        'if not token or not hmac.compare_digest(given.strip().lower().encode("utf-8", "replace"), wanted):',
        "if not token:",
        (f"{FORGED}test_a_callback_changed_anywhere_or_signed_by_another_town_is_403_and_costs_nothing",),
    ),
    Guard(
        "chalicelib/console/views/account.py",
        "visit.person.town == town.slug and ",
        "",
        ("tests/console/test_staff.py::test_a_platform_admin_goes_into_a_town_in_the_open_and_on_its_record",),
    ),
    Guard(
        "chalicelib/dialogue/memory.py",
        "tuple(told for told in conversation.told if told.town != conversation.town)",
        "()",
        (f"{SHARED}test_forgetting_in_one_town_leaves_what_another_is_still_to_hear_of",),
    ),
    Guard(
        "chalicelib/tenancy/compile.py",
        "if tenant.slug != files.slug:",
        "if False:",
        ("tests/inputs/test_town_files.py::test_a_town_file_that_is_wrong_is_refused_with_file_line_and_remedy",),
    ),
)

# By module and text; a comparison of towns that only finds the way, or says which town something is of.
NO_GUARDS = {
    ("chalicelib/actions/choose_town.py", "number == slug"): "looks among the towns of the account alone",
    ("chalicelib/actions/choose_town.py", "wish.town != stored.town"): "whether a name means that town or is an answer",
    ("chalicelib/actions/look_after_towns.py", "pointer.slug in waiting"): "a line of the platform's own page",
    (
        "chalicelib/actions/receive_message.py",
        "choose_town.named(account, inbound) not in (None, head.town)",
    ): "the same",
    ("chalicelib/actions/receive_message.py", "goal.town != head.town"): "whether a chat opened by link needs a record",
    ("chalicelib/actions/visit_town.py", 'session.acting_for not in ("", slug)'): "whether a leave stands in the trail",
    ("chalicelib/storage/cases.py", "(self.town, month) not in _noted_months"): "what this process has noted before",
    ("chalicelib/storage/conversations.py", "head.town != town"): "what is left behind is laid aside",
    ("chalicelib/storage/tenants.py", "slug in record.towns"): "makes the account's list, which the guards read",
    ("chalicelib/storage/tenants.py", "slug not in record.towns"): "the same",
    ("chalicelib/storage/tenants.py", "town != slug"): "the same",
}
