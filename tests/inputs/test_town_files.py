"""Town files as nobody should write them: each is refused with file, line and remedy, and nothing is made of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.tenancy.compile import compile_town
from chalicelib.tenancy.complaints import Complaint, Rejected
from chalicelib.tenancy.load import load, read_folder
from chalicelib.tenancy.yaml_file import FILE_BYTES_MAX
from infra.proofs import Stage, town_of
from tests.conversations.people import heard, presses, says
from tests.world import TOWNS

SOUND = read_folder(TOWNS / "primer")
Change = Callable[[bytes], bytes]


def complaints_about(files: dict[str, bytes]) -> list[Complaint]:
    with pytest.raises(Rejected) as rejected:
        compile_town(load("primer", files))
    assert all(each.remedy for each in rejected.value.complaints)
    return rejected.value.complaints


def with_line(line: str) -> Change:
    return lambda raw: raw + f"\n{line}\n".encode()


def with_(old: str, new: str) -> Change:
    def changed(raw: bytes) -> bytes:
        assert old.encode() in raw
        return raw.replace(old.encode(), new.encode(), 1)

    return changed


def being(raw: bytes) -> Change:
    return lambda _: raw


AGAIN = '          - {id: since, ask: {sr: "Dokle?"}, label: {sr: Dokle}}\n'
BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n"
WRONG: list[tuple[str, str, Change, str]] = [
    # number, file, change, what the complaint says
    ("B77", "tenant.yaml", with_("slug: primer", "slug: [primer"), "not valid YAML"),
    ("B77", "tenant.yaml", with_("number: 9001", "\tnumber: 9001"), "not valid YAML"),
    ("B77", "contacts.yaml", being(b"offices:\n- {id: biro\n"), "not valid YAML"),
    ("B77", "services.yaml", with_line("--- \nservices: []"), "not valid YAML"),
    ("B77", "tenant.yaml", being(b"- just\n- a list\n"), "valid dictionary"),
    ("B77", "tenant.yaml", being(b"words"), "valid dictionary"),
    ("B77", "tenant.yaml", being(b""), "Field required"),
    ("B77", "texts.sr.yaml", being(b"- a list\n"), "must map"),
    ("B77", "texts.sr.yaml", being(b"words"), "must map"),
    ("B77", "phrases.yaml", being(b"- a list\n"), "must map"),
    ("B77", "phrases.yaml", being(b"chat.greeting: words\n"), "valid dictionary"),
    ("B77", "procedures/birth.yaml", being(b"[]"), "group"),
    ("B77", "procedures/birth.yaml", with_("extends: RS/birth", "extends: [RS/birth]"), "there is no sheet"),
    ("B77", "procedures/birth.yaml", with_("extends: RS/birth", f"extends: RS/b{'9' * 400}"), "there is no sheet"),
    ("B77", "tenant.yaml", being(b"x: " + b"[" * 3000 + b"]" * 3000), "nested"),
    ("B77", "tenant.yaml", being(b"x: " + b"{a: " * 3000 + b"}" * 3000), "nested"),
    ("B77", "tenant.yaml", with_line("? [a, b]\n: c"), "must be text"),
    ("B78", "tenant.yaml", with_line("x: !!python/object/apply:os.system [ls]"), "tag"),
    ("B78", "tenant.yaml", with_line("x: !!python/name:os.system"), "tag"),
    ("B78", "tenant.yaml", with_line("x: !include /etc/passwd"), "tag"),
    ("B78", "tenant.yaml", being(BOMB.encode()), "anchor or alias"),
    ("B78", "tenant.yaml", with_line("<<: {slug: other}"), "<<"),
    ("B79", "tenant.yaml", with_("number: 9001", "number: 09001"), "number"),
    ("B79", "tenant.yaml", with_("number: 9001", "number: 9_001"), "number"),
    ("B79", "tenant.yaml", with_("number: 9001", "number: 0x23"), "number"),
    ("B79", "tenant.yaml", with_("number: 9001", "number: 150:00"), "number"),
    ("B79", "tenant.yaml", with_("number: 9001", "number: yes"), "number"),
    ("B79", "tenant.yaml", with_("number: 9001", "number: true"), "number"),
    ("B79", "tenant.yaml", with_("number: 9001", "number: 9.5"), "number"),
    ("B79", "tenant.yaml", with_("number: 9001", "number: .nan"), "number"),
    ("B79", "tenant.yaml", with_("longitude: 19.11", "longitude: 1e400"), "longitude"),
    ("B79", "tenant.yaml", with_line("sms: nee"), "sms"),
    ("B80", "tenant.yaml", with_line("number: 9002"), "stands twice"),
    ("B80", "contacts.yaml", with_line("offices: []"), "stands twice"),
    ("B80", "tenant.yaml", with_("police: ", 'fire: "1", police: '), "stands twice"),
    ("B81", "tenant.yaml", with_("slug: primer", "slug: Primer"), "slug"),
    ("B81", "tenant.yaml", with_("slug: primer", "slug: ../primer"), "slug"),
    ("B81", "tenant.yaml", with_("slug: primer", "slug: drugi"), "not the folder's name"),
    ("B81", "tenant.yaml", with_("account: primer", "account: A/B"), "account"),
    ("B82", "services.yaml", with_("menu: [procedures", "menu: [nowhere, procedures"), 'no choice "nowhere"'),
    ("B82", "services.yaml", with_("office: putevi", "office: nowhere"), "nowhere"),
    ("B82", "services.yaml", with_("intents: [report.road]", "intents: [report.nowhere]"), "no intent"),
    ("B82", "services.yaml", with_("- {id: volunteer, kind: volunteer}", "- {id: volunteer, kind: flow}"), "flow"),
    ("B82", "services.yaml", with_("{id: volunteer,", "{id: report,"), "stands twice"),
    ("B82", "services.yaml", with_("- {id: contacts, kind: contacts}", ""), "contacts"),
    ("B82", "services.yaml", with_("{id: volunteer, kind", "{id: menu, kind"), "every town has"),
    ("B82", "tenant.yaml", with_("office: biro", "office: nowhere"), "nowhere"),
    # A town writes questions of its own, one after the other, and no jumps: neither a loop nor a step nobody reaches.
    ("B82", "services.yaml", with_("- id: since\n", "- id: since\n            next: since\n"), "next"),
    ("B82", "services.yaml", with_("- id: since\n", "- id: since\n            when: {since: never}\n"), "when"),
    ("B82", "services.yaml", with_("- {id: today,", "- {id: today, goto: since,"), "goto"),
    ("B82", "services.yaml", with_("questions:\n", f"questions:\n{AGAIN}"), "stands twice"),
    ("B82", "services.yaml", with_("{id: longer,", "{id: today,"), "stands twice"),
    ("B82", "services.yaml", with_("              - {id: longer, title: {sr: Duže, en: Longer}}\n", ""), "options"),
    ("B83", "contacts.yaml", with_("title: {sr: Uslužni centar,", "title: {"), "title"),
    ("B83", "tenant.yaml", with_("  sq: {plain: Qyteti Primer}\n", ""), "sq"),
    ("B83", "texts.sr.yaml", being(b'thanks: "Hvala, {citizen}!"\n'), "placeholder"),
    ("B83", "texts.sr.yaml", being(b"no_such_text: Hvala\n"), "there is no text"),
    ("B83", "texts.sr.yaml", being(b"thanks: 7\n"), "is no text"),
    ("B83", "texts.xx.yaml", being(b"thanks: Hvala\n"), "not a language"),
    ("B83", "texts.bs.yaml", being(b"thanks: Hvala\n"), "does not offer"),
    ("B84", "services.yaml", with_("menu: [", f"menu: [{'status, ' * 25}"), "menu"),
    ("B84", "texts.sr.yaml", being(b"thanks: " + b"a" * 7001 + b"\n"), "over"),
    ("B84", "tenant.yaml", with_("https://primer.example", "http://primer.example"), "https"),
    ("B84", "tenant.yaml", with_("https://primer.example", "javascript:alert(1)"), "origins"),
    ("B84", "tenant.yaml", with_line("sluq: primer"), "sluq"),
    ("B84", "services.yaml", with_("term: {hours: 48}", "term: {huors: 48}"), "huors"),
    ("B84", "tenant.yaml", with_("longitude: 19.11", "longtude: 19.11"), "longtude"),
    ("B84", "tenant.yaml", lambda raw: raw.decode().encode("utf-16"), "not UTF-8"),
    ("B84", "tenant.yaml", lambda raw: raw + b"# \xff\xfe\n", "not UTF-8"),
    ("B84", "tenant.yaml", lambda raw: raw + b"# \x00\x07\n", "not valid YAML"),
    ("B84", "tenant.yaml", lambda raw: raw + b"# " * 2_500_000, f"over {FILE_BYTES_MAX // 1024} kB"),
    ("B84", "../../etc/passwd", being(b"x"), "not a file a town has"),
]


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        pytest.param(*row[1:], marks=pytest.mark.shows(row[0], "R8", "F37", "T11"), id=f"{row[0]}-{at}")
        for at, row in enumerate(WRONG)
    ],
)
def test_a_town_file_that_is_wrong_is_refused_with_file_line_and_remedy(file: str, change: Change, said: str) -> None:
    found = complaints_about(SOUND | {file: change(SOUND.get(file, b""))})
    about = [each for each in found if each.file == f"tenants/primer/{file}" and said in str(each)]
    assert about, "\n".join(map(str, found))


@pytest.mark.shows("B82")
@pytest.mark.parametrize("answer", ["preskoči", "Curi već dugo", "10. 3. 2026.", "25 komada"])
def test_a_towns_own_questions_are_asked_one_after_the_other_and_come_to_an_end(answer: str) -> None:
    """Whatever is answered, and were it the same to all of them: each is asked, none for ever, and it can be sent."""
    kinds = ("text", "quantity", "date", "text")
    own = "".join(
        f'          - {{id: q{n}, type: {kind}, optional: true, ask: {{sr: "Pitanje {n}?"}}, label: {{sr: P{n}}}}}\n'
        for n, kind in enumerate(kinds)
    )
    files = SOUND | {"services.yaml": with_("questions:\n", f"questions:\n{own}")(SOUND["services.yaml"])}
    scene = Stage(town_of(compile_town(load("primer", files))), "viber", "2026-03-10T10:15:00+01:00")
    says(scene, "izlila se kanalizacija na Trg Republike 3", "preskoči")
    asked: list[str] = []
    while "Proverite podatke" not in heard(scene):
        question = next(one for one in (*(f"Pitanje {n}?" for n in range(4)), "Od kada traje?") if one in heard(scene))
        again = question in asked  # what is no answer to it is asked about again, and can be left out
        asked.append(question)
        assert asked.count(question) <= 2, asked
        if question == "Od kada traje?":
            presses(scene, "report.sewage_since.longer")
        else:
            says(scene, "preskoči" if again else answer)
    assert list(dict.fromkeys(asked)) == [*(f"Pitanje {n}?" for n in range(4)), "Od kada traje?"]
    says(scene, "pošalji")
    assert scene.filed is not None


@pytest.mark.shows("B84")
def test_a_byte_order_mark_is_no_mistake() -> None:
    files = {name: b"\xef\xbb\xbf" + raw for name, raw in SOUND.items()}
    assert compile_town(load("primer", files)) == compile_town(load("primer", SOUND))


def mutated(name: str, at: float, cut: int, put: bytes) -> dict[str, bytes]:
    raw = SOUND[name]
    start = int(at * len(raw))
    return SOUND | {name: raw[:start] + put + raw[start + cut :]}


BITS = [
    b"- ",
    b": ",
    b"{",
    b"[",
    b"]",
    b"&a ",
    b"*a",
    b"!!x ",
    b"|\n",
    b"? ",
    b"\t",
    b"\n",
    b"null",
    b"[]",
    b"{}",
    b"'",
]
BITS += [b"- - - x", b'"', b"#", b"%YAML", b"---\n", b"...\n", b"\xf0\x9f\x98\x80", b"9" * 400]
PIECES = st.one_of(st.binary(max_size=6), st.sampled_from(BITS))
MUTATIONS = st.builds(
    mutated,
    st.sampled_from(sorted(name for name in SOUND if name.endswith(".yaml"))),
    st.floats(0, 1),
    st.integers(0, 12),
    PIECES,
)


def is_a_town_or_refused(files: dict[str, bytes]) -> None:
    try:
        compile_town(load("primer", files))
    except Rejected as rejected:
        assert rejected.complaints
        assert all(each.file.startswith("tenants/primer") and each.remedy for each in rejected.complaints)


@settings(max_examples=8, deadline=None)
@given(MUTATIONS)
def test_any_slip_in_a_file_is_a_complaint_or_no_mistake(files: dict[str, bytes]) -> None:
    is_a_town_or_refused(files)


@pytest.mark.campaign
@pytest.mark.shows("T11", "R8")
@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
@given(MUTATIONS)
def test_any_of_many_slips_in_a_file_is_a_complaint_or_no_mistake(files: dict[str, bytes]) -> None:
    is_a_town_or_refused(files)
