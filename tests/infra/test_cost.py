"""What it costs is counted from what was measured and from one file of prices, and stays under what was promised."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace

import pytest

from infra import cli, cost, simulate
from infra.pages import PERFORMANCE, block


@pytest.mark.parametrize("entry", cost.BARS)
@pytest.mark.parametrize("architecture", cost.ARCHITECTURES)
def test_a_thousand_turns_stay_under_what_was_promised(entry: str, architecture: str) -> None:
    setting = cost.Setting.configured(entry, architecture)
    assert cost.thousand(setting).total <= cost.BARS[entry]


def test_the_http_api_is_the_default_because_it_is_cheaper() -> None:
    rest, http, url = (
        cost.thousand(cost.Setting.configured(entry)).total for entry in ("rest", "http", "function_url")
    )
    assert url < http < rest
    assert cost.Setting().entry == "http"


def test_a_bill_is_the_sum_of_its_acts_and_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = {
        "requests": 2,
        "reads": 1,
        "writes": 2,
        "viber": 0,
        "kms": 0,
        "sqs": 1,
        "ssm": 0,
        "s3": 0,
        "log_bytes": 650,
    }
    monkeypatch.setattr(cost, "counts", lambda: {"plain": plain})
    bill = cost.act("plain", cost.Setting("rest", "arm64", 1769))
    assert cost.milliseconds("plain", cost.Setting("rest", "arm64", 1769)) == pytest.approx(2 + 5.4 + 5 + 8)
    assert bill.entry == pytest.approx(3.70e-6)
    assert bill.functions == pytest.approx(0.2e-6 + 0.0204 * 1769 / 1024 * 0.0000133334)
    assert bill.storage == pytest.approx((0.1525 + 2 * 0.7625) / 1e6)
    assert bill.others == pytest.approx(0.4e-6 + 1000 * 0.63e-9)


def test_every_scene_of_the_mix_is_counted_and_the_shares_make_a_whole() -> None:
    assert {name for acts in cost.MIX.values() for name in acts} <= cost.counts().keys()
    assert sum(next(iter(acts.values())) for acts in cost.MIX.values()) == pytest.approx(1)


def test_prices_say_where_and_when_they_come_from() -> None:
    written = tomllib.loads(cost.PRICES.read_text(encoding="utf-8"))
    assert written["source"] and written["region"] == "eu-central-1"
    assert re.fullmatch(r"20\d\d-\d\d", written["as_of"])


def test_the_page_says_what_the_commands_say_today() -> None:
    assert block(PERFORMANCE, "cost") == cost.tables(cost.TOWN_TURNS)
    assert block(PERFORMANCE, "simulation") == simulate.tables()


def test_where_something_else_is_cheaper_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "VPS" in cost._cheaper([2.0, 9.0, 300.0])
    assert "none of them is cheaper" in cost._cheaper([1.0, 2.0, 3.0])


def test_the_command_takes_a_town_s_turns(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["cost", "--turns", "1000", "--arch", "arm64"]) == 0
    told = capsys.readouterr().out
    assert "1,000 turns a town and month" in told
    assert "x86_64" not in told.replace("HTTP API, x86_64", "")
    with pytest.raises(SystemExit):
        cli.main(["cost", "--turns", "-1"])


def test_the_simulated_month_is_the_same_every_time_and_as_large_as_its_towns() -> None:
    one, two = simulate.month(towns=50), simulate.month(towns=50)
    assert one == two
    assert one.minutes != simulate.month(towns=50, seed=2).minutes
    assert 1.0 <= one.turns / (50 * cost.TOWN_TURNS) <= 1.5, "announcements and incidents come on top"


def test_a_process_that_keeps_more_towns_reads_fewer_anew() -> None:
    sizes = simulate.month(towns=100).sizes
    shares = [simulate.known(sizes, 2.0, kept, turns=10_000).read_anew for kept in (1, 16, 100)]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] < 0.01 < shares[0]


def test_more_memory_costs_more_and_takes_less_time() -> None:
    small, large = (replace(cost.Setting.configured(), megabytes=size) for size in (512, 1769))
    name = "turn of a short talk, viber"
    assert cost.milliseconds(name, small) > cost.milliseconds(name, large)
    assert cost.thousand(small).functions < cost.thousand(large).functions
