"""How every page is drawn: everything put into one is escaped, and what a template names must be there."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_TEMPLATES = Path(__file__).parent / "templates"


def environment() -> Environment:
    """A fresh one, for its caller's own names and filters."""
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,  # the templates of a process are those it began with; looking is a call a template and page
        trim_blocks=True,
        lstrip_blocks=True,
    )
