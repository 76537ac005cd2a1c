"""Every alarm that can come has its line in the runbook, and the log says what the filters wait for."""

from __future__ import annotations

import re
from typing import Any

import pytest

from infra import package

ROOT = package.ROOT
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
SOURCES = [path.read_text(encoding="utf-8") for path in (ROOT / "chalicelib").rglob("*.py")]


def _resources(kind: str) -> dict[str, Any]:
    pages = [package.load_template(page)["Resources"] for page in (package.TEMPLATE, package.OVERLAY)]
    return {name: one for page in pages for name, one in page.items() if one.get("Type") == kind}


@pytest.mark.parametrize("name", _resources("AWS::CloudWatch::Alarm"))
def test_an_alarm_has_a_line_in_the_runbook(name: str) -> None:
    alarm = _resources("AWS::CloudWatch::Alarm")[name]["Properties"]
    called = alarm["AlarmName"]["Fn::Sub"].removeprefix("salter-${Stage}-")
    assert f"| `{called}` |" in RUNBOOK
    assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]


@pytest.mark.parametrize("name", _resources("AWS::Logs::MetricFilter"))
def test_a_filter_waits_for_events_that_the_code_logs(name: str) -> None:
    pattern = _resources("AWS::Logs::MetricFilter")[name]["Properties"]["FilterPattern"]
    waited = re.findall(r'= "([a-z_]+)', pattern)
    assert waited
    for event in waited:
        assert any(f'"{event}"' in source for source in SOURCES), event


def test_every_filters_metric_is_watched() -> None:
    filtered = {
        one["Properties"]["MetricTransformations"][0]["MetricName"]
        for one in _resources("AWS::Logs::MetricFilter").values()
    }
    watched = {one["Properties"]["MetricName"] for one in _resources("AWS::CloudWatch::Alarm").values()}
    assert filtered <= watched
