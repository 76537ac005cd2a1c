"""The town whose pages are asked, as the console's tests have it."""

from tests.console.conftest import town

__all__ = ["town"]
