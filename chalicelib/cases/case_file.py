"""A file of cases from a town's office program: bytes in, rows of named cells out. Pure.

Taken as such programs write them: UTF-8 with or without a mark, UTF-16 with one, Windows-1250; semicolons, commas or
tabs; headers in any of our languages and both scripts; line breaks inside quotes.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import lru_cache

from chalicelib.language import catalogue
from chalicelib.language.folding import fold
from chalicelib.model import SalterError
from chalicelib.small_classes import dataclass

CELL_CHARS_MAX = 20_000
COLUMNS_MAX = 60
HEADER_CHARS_MAX = 20_000
PIECE_BYTES = 1024 * 1024
DELIMITERS = ";,\t|"
COLUMNS = (
    *("number", "subject", "name", "phone", "language", "office", "official", "status"),
    *("awaiting_institution", "public_note", "consent"),
)
# How offices call the columns, beside our own names; compared folded.
_ALIASES: Mapping[str, str] = {
    "number": """broj|br|broj predmeta|br predmeta|broj spisa|broj u pisarnici|delovodni broj|djelovodni broj|sifra|
        oznaka|predmet broj|numri|numri i lendes|nr|no|case number|file number|file no|reference number|aktenzeichen""",
    "subject": """predmet|naziv|naziv predmeta|naslov|opis|opis predmeta|sadrzaj|vrsta predmeta|lenda|tema|title|
        case subject|description|betreff""",
    "name": """ime|ime i prezime|stranka|podnosilac|podnositelj|podnosilac zahteva|podnosilac zahtjeva|
        podnositelj zahtjeva|ime podnosioca|ime stranke|emri|emri dhe mbiemri|pala|parashtruesi|applicant|
        applicant name|full name|antragsteller""",
    "phone": """telefon|broj telefona|tel|mobilni|mobilni telefon|mobitel|kontakt telefon|kontakt|telefoni|
        numri i telefonit|phone number|mobile|telephone""",
    "language": "jezik|jezik i pismo|gjuha|lang|sprache",
    "office": "sluzba|organ|odeljenje|odjeljenje|organizaciona jedinica|ured|kancelarija|sektor|zyra|department|amt",
    "official": """obradjuje|obradjivac|obradivac|sluzbenik|sluzbeno lice|sluzbena osoba|referent|voditelj postupka|
        zyrtari|officer|case officer|clerk|sachbearbeiter""",
    "status": "stanje|status predmeta|faza|stanje predmeta|statusi|gjendja|state",
    "awaiting_institution": """ceka se institucija|ceka se|institucija|ceka institucija|nadlezna institucija|
        ceka se odgovor|institucioni|pritet institucioni|awaiting institution|awaiting|institution""",
    "public_note": """javna beleska|javna biljeska|beleska|biljeska|napomena|napomena za stranku|poruka stranci|
        dodatak za gradjanina|obavestenje|obavjestenje|obavijest|shenim publik|shenimi|public note|note|
        note to applicant""",
    "consent": "saglasnost|suglasnost|pristanak|pelqimi|consent given|einwilligung",
}
_LANGUAGES = {
    "srpski": "sr",
    "serbian": "sr",
    "bosanski": "bs",
    "bosnian": "bs",
    "crnogorski": "cnr",
    "montenegrin": "cnr",
    "albanski": "sq",
    "shqip": "sq",
    "albanian": "sq",
    "engleski": "en",
    "english": "en",
    "nemacki": "de",
    "deutsch": "de",
    "german": "de",
}
_SCRIPTS = {"cirilica": "Cyrl", "cyrillic": "Cyrl", "latinica": "Latn", "latin": "Latn"}
_YES = frozenset("da yes y true 1 x po ja d istina tacno".split())  # noqa: SIM905
_NO = frozenset("ne no n false 0 jo nein".split())  # noqa: SIM905
_FORMULA_SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_CONTROLS = ("\t", "\r", "\n")
# The contract's name of a status → the catalogue's, where they differ.
_STATUS_TEXTS = {"awaiting_citizen": "awaiting_applicant"}


class BadFile(SalterError):
    """The file as a whole cannot be taken; `reason`: empty, not_csv, no_number_column."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line of the file it begins on (the header is line 1), its cells by column, blanks left out."""

    line: int
    cells: Mapping[str, str] = field(default_factory=dict)
    has_too_many: bool = False


def rows(written: bytes) -> list[Row]:
    """Every row that says anything. Raises BadFile."""
    return list(each_row(written))


def each_row(written: bytes) -> Iterator[Row]:
    """The same one by one, so that a long file takes no more memory than its bytes. Raises BadFile."""
    lines = io.TextIOWrapper(io.BytesIO(written), _encoding(written), newline="")
    try:
        yield from _rows(lines)
    except csv.Error as error:
        raise BadFile("not_csv") from error


def column_of(header: str) -> str | None:
    """Our name for a column, however the office calls it."""
    return _by_alias().get(_plain(header))


def status_of(written: str, statuses: tuple[str, ...]) -> str | None:
    """A status by its name in the contract or in any of our languages; None if there is none."""
    plain = _plain(written)
    return plain.replace(" ", "_") if plain.replace(" ", "_") in statuses else _by_word(statuses).get(plain)


def consent_of(written: str) -> bool | None:
    """Yes or no as offices write it; None for anything else."""
    plain = _plain(written)
    return True if plain in _YES else False if plain in _NO else None


def language_of(written: str) -> str:
    """A language's tag from its tag or its name, with the script where one is named; unknown words come back as is."""
    plain = _plain(written).split()
    named = next((_LANGUAGES[word] for word in plain if word in _LANGUAGES), None)
    if named is None:
        return written.replace("_", "-")
    script = next((_SCRIPTS[word] for word in plain if word in _SCRIPTS), "")
    return f"{named}-{script}" if script else named


def safe_cell(value: str) -> str:
    """A cell that no spreadsheet takes for a formula, in narrow signs or wide ones, after blanks or none."""
    return f"'{value}" if value[:1] in _CONTROLS or value.lstrip()[:1] in _FORMULA_SIGNS else value


# --- parts ------------------------------------------------------------------------------------------------------


def _encoding(written: bytes) -> str:
    """How the bytes are to be read. UTF-8 is tried first, for hardly any other text is UTF-8 by chance."""
    if written[:2] in (b"\xff\xfe", b"\xfe\xff"):
        tried: tuple[str, ...] = ("utf-16",)
    elif b"\0" in written[:4096]:
        tried = ()
    else:
        tried = ("utf-8-sig", "cp1250")
    for encoding in tried:
        if _is_readable(written, encoding):
            return encoding
    raise BadFile("not_csv")


def _is_readable(written: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(written), PIECE_BYTES):
            decoder.decode(written[start : start + PIECE_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _rows(lines: io.TextIOWrapper) -> Iterator[Row]:
    csv.field_size_limit(CELL_CHARS_MAX)
    marked, header = _head(lines)
    lines.seek(0)
    skipped = 1 if marked else 0
    if marked:
        lines.readline()
    reader = csv.reader(lines, delimiter=marked or _delimiter(header))
    columns: list[str | None] = []
    begins = skipped + 1
    for cells in reader:
        line, begins = begins, skipped + reader.line_num + 1
        if not any(cell.strip() for cell in cells):
            continue
        if not columns:
            columns = _columns(cells)
            continue
        named: dict[str, str] = {}
        for name, cell in zip(columns, cells, strict=False):
            if name and cell.strip():
                named.setdefault(name, _unguarded(cell))
        yield Row(line, named, any(cell.strip() for cell in cells[len(columns) :]))
    if not columns:
        raise BadFile("empty")


def _head(lines: io.TextIOWrapper) -> tuple[str, str]:
    """The delimiter by Excel's own first line (`sep=;`), "" without one, and the line that names the columns."""
    marked, line = "", lines.readline(HEADER_CHARS_MAX)
    if line[:4].lower() == "sep=" and len(line.rstrip("\r\n")) == 5:
        marked, line = line[4], lines.readline(HEADER_CHARS_MAX)
    while line and not line.strip():
        line = lines.readline(HEADER_CHARS_MAX)
    return marked, line


def _columns(header: list[str]) -> list[str | None]:
    columns = [column_of(cell) for cell in header[:COLUMNS_MAX]]
    if "number" not in columns:
        raise BadFile("no_number_column")
    return columns


def _delimiter(header: str) -> str:
    """The sign that makes the most known columns of the first line."""

    def known(sign: str) -> int:
        return sum(column_of(cell.strip('" \r\n')) is not None for cell in header.split(sign))

    return max(DELIMITERS, key=known)


def _unguarded(cell: str) -> str:
    """A cell without the apostrophe by which spreadsheets keep a number or formula as text."""
    plain = cell.strip()
    return plain[1:] if plain[:1] == "'" and plain[1:2] in ("=", "+", "-", "@") else plain


def _plain(text: str) -> str:
    return " ".join(fold(text.replace("_", " ").replace("-", " ").replace("/", " ")).split())


@lru_cache(maxsize=1)
def _by_alias() -> Mapping[str, str]:
    found = {_plain(alias): column for column, aliases in _ALIASES.items() for alias in aliases.split("|")}
    return found | {_plain(column): column for column in COLUMNS}


@lru_cache(maxsize=4)
def _by_word(statuses: tuple[str, ...]) -> Mapping[str, str]:
    return {
        _plain(str(catalogue.load(name)["texts"][f"status.{_STATUS_TEXTS.get(status, status)}"])): status
        for name in catalogue.names()
        for status in statuses
    }
