"""Values changed inside written files: everything around them stays."""

from __future__ import annotations

import pytest
import yaml

from infra import yaml_edit

FILE = """\
# The town's offices.
offices:
  - id: biro   # the first
    title: {sr: Biro, en: Office}
    about:
      sr: >-
        Dve
        vrste.
      en: Two kinds.
    hours: {weekdays: "07:30-15:30"}  # by decree
    source: primer
  # the second
  - id: voda
    title: {sr: Voda}
    phones: ["+381 25 000 000"]
    checked: 2026-03-01

# the end
"""


@pytest.mark.parametrize(
    ("steps", "value"),
    [
        (["offices", "biro", "title"], {"sr": "Biro: nov", "en": "Office # 1"}),
        (["offices", "biro", "about"], {"sr": "Prvo\nDrugo", "en": "yes"}),
        (["offices", "biro", "hours"], {"mon": "08:00-12:00", "sat": "09:00-11:00"}),
        (["offices", "biro", "hours"], None),
        (["offices", "biro", "phones"], ["+381 25 111", "+381 25 222"]),
        (["offices", "voda", "phones"], None),
        (["offices", "voda", "listed"], False),
        (["offices", "voda", "address"], {"sr": "a" * 90, "en": "b" * 90}),
        (["offices", "nova"], {"title": {"sr": "Nova služba"}, "source": "true", "checked": "2026-03-01"}),
        (["offices", "voda"], None),
        (["offices", "biro", "title", "en"], 'The office, "quoted" – it\'s'),
        (["offices", "biro", "title", "de"], "Das Büro: 1"),
    ],
)
def test_a_value_is_changed_and_the_rest_reads_as_before_with_its_comments(steps: list[str], value: object) -> None:
    text = yaml_edit.put(FILE, steps, value)
    assert _read(text) == _changed(_read(FILE), steps, value)
    kept = [line for line in ("# The town's offices.", "# the first", "# the end") if line in text]
    assert len(kept) == 3, text
    assert ("# by decree" in text) == (steps != ["offices", "biro", "hours"] or value is not None)


def test_an_empty_file_begins_and_a_file_of_nothing_ends() -> None:
    text = yaml_edit.put("", ["doc.birth", "examples", "sr"], ["rodni list", "da"])
    assert _read(text) == {"doc.birth": {"examples": {"sr": ["rodni list", "da"]}}}
    assert yaml_edit.put(text, ["doc.birth", "examples", "sr"], None) == ""
    assert yaml_edit.put("# only a remark\n", ["x"], None) == ""


def _read(text: str) -> dict[str, object]:
    return dict(yaml.load(text, Loader=yaml.BaseLoader))


def _changed(data: dict[str, object], steps: list[str], value: object) -> dict[str, object]:
    node: object = data
    for step in steps[:-1]:
        node = next(one for one in node if one["id"] == step) if isinstance(node, list) else node[step]  # type: ignore
    last = steps[-1]
    if isinstance(node, list):
        node[:] = [one for one in node if one["id"] != last]
        node += [] if value is None else [{"id": last} | value]  # type: ignore[operator]
    elif value is None:
        del node[last]  # type: ignore[attr-defined]
    else:
        node[last] = "false" if value is False else value  # type: ignore[index]
    return data
