"""Each function may do exactly what it does: over journeys of all kinds every permission granted was asked for, and
every one asked for is granted.

`tests/infra/using.py` listens while the tests named here run: whatever they ask of AWS belongs to the function whose
entry is being run. The packaged functions say the same of fewer journeys (`test_permissions.py`).
"""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra import package
from tests.infra import using
from tests.infra.asked import Need, said
from tests.infra.test_policies import ASKED_FOR_US, pairs
from tests.shows import Measure

RUN_SECONDS_MAX = 900
JOURNEYS = {
    "tests/abuse/test_every_route.py": (
        "test_no_page_of_the_staff_opens_what_another_town_has_and_whoever_tried_is_on_record",
    ),
    "tests/actions/test_announcements.py": (
        "test_a_person_may_have_an_uncertain_page_sent_again",
        "test_what_phones_report_comes_through_vibers_door_one_read_and_one_write_each",
    ),
    "tests/actions/test_call_by_link.py": ("test_whoever_has_a_request_is_reminded_and_hears_of_its_end_the_same_way",),
    "tests/actions/test_deadlines.py": (
        "test_over_a_weekend_and_a_holiday_digest_escalation_and_breach_come_in_their_time_and_once",
    ),
    "tests/actions/test_document_request.py": (
        "test_a_request_is_filed_and_the_towns_system_reads_it_with_the_number_masked",
        "test_the_number_is_gone_some_days_after_the_case_was_closed",
    ),
    "tests/actions/test_invitations.py": ("test_everybody_gets_the_bots_link_once_and_the_numbers_are_forgotten",),
    "tests/actions/test_news_and_stop.py": ("test_stop_ends_announcements_at_once_and_asks_apart_about_own_cases",),
    "tests/actions/test_notice_costs.py": (
        "test_the_figures_give_the_cost_where_the_price_is_known_and_nothing_where_it_is_not",
    ),
    "tests/actions/test_own_data.py": (
        "test_after_deleting_nothing_of_the_person_is_found_anywhere",
        "test_the_copy_holds_everything_in_two_files_behind_links_that_end",
        "test_what_is_kept_is_told_in_words",
    ),
    "tests/actions/test_quiet_window.py": ("test_one_receipt_counts_for_all_that_the_message_said",),
    "tests/actions/test_retention.py": (
        "test_a_closed_case_goes_with_all_that_belonged_to_it_and_the_figures_stay",
        "test_a_run_that_dies_half_way_leaves_a_case_nobody_sees_and_the_next_one_finishes",
    ),
    "tests/actions/test_shared_bot.py": (
        "test_an_open_form_waits_while_the_citizen_is_with_another_town_and_goes_on_after",
    ),
    "tests/actions/test_unseen_notices.py": ("test_on_the_web_a_notice_waits_until_it_is_fetched",),
    "tests/console/test_content.py": (
        "test_a_change_is_read_by_citizens_once_it_is_published_and_not_before",
        "test_killed_anywhere_the_publisher_leaves_the_old_version_or_the_new_one_and_the_order_is_carried_out",
        "test_of_many_versions_published_from_the_console_the_oldest_go",
    ),
    "tests/console/test_given_up.py": ("test_a_reply_that_was_given_up_is_seen_without_its_words_and_said_after_all",),
    "tests/console/test_staff.py": (
        "test_a_new_password_ends_the_old_one_and_every_sign_in",
        "test_an_interrupted_invitation_can_be_sent_again",
        "test_who_is_invited_gets_a_password_shown_once_and_speaks_their_language",
        "test_who_is_shut_out_is_out_at_once_and_can_be_let_in_again",
    ),
    "tests/integrations/test_announcements_api.py": ("test_an_announcement_goes_its_way_from_draft_to_done",),
    "tests/integrations/test_callbacks_out.py": (
        "test_a_system_that_takes_nothing_for_days_is_switched_off_told_of_and_on_again_with_nothing_lost",
    ),
    "tests/integrations/test_case_import.py": (
        "test_a_file_laid_into_the_bucket_is_worked_once_and_told_beside_it_in_the_console_and_by_mail",
        "test_a_new_number_files_and_a_known_one_changes",
        "test_a_program_without_an_account_at_aws_gets_a_form_and_looks_how_far_it_has_come",
    ),
    "tests/integrations/test_keys.py": (
        "test_an_admin_makes_a_key_sees_it_once_and_revokes_it_for_every_process_at_once",
    ),
    "tests/integrations/test_open311_told.py": (
        "test_opened_again_long_after_its_news_were_last_asked_for_it_is_told_and_they_are_again",
    ),
    "tests/media/test_journey.py": ("test_an_upload_is_checked_like_any_other_before_anybody_sees_it",),
}

# Whoever works the outbox opens what stands sealed in its rows. Here all functions share a process, in which the API's
# has had the town's key unwrapped already.
SEALED_ROWS = {("kms:Decrypt", said("GetAtt", ["SealingKey", "Arn"]))}
NOT_ON_A_JOURNEY = {"doorbell": SEALED_ROWS, "minute": SEALED_ROWS}


def granted(function: str) -> set[Need]:
    """What the function's policy allows, but for what AWS itself does in its name."""
    allowed = pairs(package.ROOT / ".chalice" / f"policy-{function}.json")
    return {(action, resource) for action, resource in allowed if not action.startswith(ASKED_FOR_US)}


def test_the_entries_of_the_functions_are_there() -> None:
    for entry in using.ENTRIES:
        try:
            importlib.import_module(f"chalicelib.{entry}")
        except ModuleNotFoundError:
            module, _, function = entry.rpartition(".")
            assert inspect.isfunction(getattr(importlib.import_module(f"chalicelib.{module}"), function)), entry
    for tests in JOURNEYS:
        for name in JOURNEYS[tests]:
            assert f"def {name}(" in (package.ROOT / tests).read_text(encoding="utf-8"), (tests, name)


@pytest.mark.campaign
@pytest.mark.shows("D8", "T12")
def test_each_function_asks_for_everything_it_is_granted_and_for_nothing_else(
    tmp_path: Path, measured: Measure
) -> None:
    used = _used(tmp_path / "used.json")
    for function in using.FUNCTIONS:
        allowed, asked = granted(function), used[function]
        assert asked, function
        assert sorted(allowed - asked - NOT_ON_A_JOURNEY.get(function, set())) == [], (
            f"{function} never asks for this: take it out of its policy"
        )
        assert sorted(asked - allowed) == [], f"{function} asks for this and would be refused"
    counts = ", ".join(f"{function} {len(used[function])}" for function in using.FUNCTIONS)
    measured("T12", f"permissions granted and asked for, by function: {counts}; granted minus used = 0")
    measured(
        "D8", f"by function {counts} permissions, each asked for in some journey; none asked for that is not granted"
    )


def _used(say: Path) -> dict[str, set[Need]]:
    """What each function asked for, over all journeys, in a run of pytest of its own."""
    tests = [f"{file}::{name}" for file, names in JOURNEYS.items() for name in names]
    line = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "tests.infra.using"]
    done = subprocess.run(
        [*line, using.USED, str(say), *tests],
        cwd=package.ROOT,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found = json.loads(say.read_text())
    return {function: {(action, resource) for action, resource, _ in found[function]} for function in found}
