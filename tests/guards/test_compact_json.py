"""Our JSON is the standard library's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.compact_json import as_ascii_json, as_json

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
