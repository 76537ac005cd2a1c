"""Complaints about a town's files: file, line, what is wrong and what to do about it."""

from __future__ import annotations

from dataclasses import field

from chalicelib.small_classes import dataclass


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing to mend. `line` counts from 1; 0 means the file as a whole. `path` names the value as the overlay of
    the console does; `code` is the schema's word for what is wrong, and `bound` the number it goes by."""

    file: str
    line: int
    problem: str
    remedy: str = ""
    path: str = field(default="", compare=False)
    code: str = field(default="", compare=False)
    bound: int = field(default=0, compare=False)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place} {self.problem}" + (f" → {self.remedy}" if self.remedy else "")


class Rejected(Exception):
    """A town that cannot be published; `complaints` holds everything found, not only the first."""

    def __init__(self, complaints: list[Complaint]) -> None:
        super().__init__("\n".join(str(complaint) for complaint in complaints))
        self.complaints = complaints
