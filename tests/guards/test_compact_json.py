"""Our JSON is the standard library's."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.compact_json import as_ascii_json, as_json, from_json

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner))


@given(values)
def test_every_value_is_written_as_the_standard_library_writes_it(value: Any) -> None:
    assert as_json(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert as_ascii_json(value) == json.dumps(value, separators=(",", ":"))


@pytest.mark.parametrize("value", [object(), {"bytes": b"x"}, [{1, 2}]])
def test_what_json_does_not_know_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        as_json(value)


@given(st.one_of(values.map(json.dumps), st.text(alphabet=' \n\t{}[]",:0123456789-+.eE\\untrfalsNI', max_size=12)))
def test_what_is_read_is_what_the_standard_library_reads(text: str) -> None:
    assert _outcome(from_json, text) == _outcome(json.loads, text)


def _outcome(read: Callable[[str], Any], text: str) -> str:
    try:
        return repr(read(text))
    except ValueError as error:
        return str(error)
