"""The pages and operations of privacy: found by contact or address, exported, erased once it is confirmed."""

import datetime as dt
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from conftest import Cast, Database, Enquiry
from consult.accounts import services as accounts
from consult.core import files
from consult.thread.tests import planted
from tests import api, worker

PRIVACY = "/a/settings/privacy/"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    with override_settings(CONSULT_FILES_URL=tmp_path.as_uri(), CONSULT_MAIL_INBOUND="inbox@in.example"):
        yield tmp_path


def html(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_person_is_found_and_shown_before_anything_happens(database: Database, cast: Cast, folder: Path) -> None:
    her = planted.plant(database, cast, folder)
    page = html(cast.alice.client.get(f"{PRIVACY}?address=QUIRINIA@vexmoor.example"))
    assert f"?contact={her.contact_id}" in page
    assert planted.NAME in page
    shown = html(cast.alice.client.get(f"{PRIVACY}person/?contact={her.alias_id}"))
    for said in (planted.NAME, planted.OTHER_ADDRESS.lower(), "Type “Quirinia Vexmoor” to confirm", "Files they sent"):
        assert said in shown
    assert f"{PRIVACY}person/?contact={her.contact_id}" in html(cast.alice.client.get(f"/a/contacts/{her.contact_id}/"))
    assert "person/?contact" not in html(cast.bob.client.get(f"/a/contacts/{her.contact_id}/"))
    assert "Nothing is held of nobody@x.example" in html(cast.alice.client.get(f"{PRIVACY}?address=nobody@x.example"))
    assert cast.alice.client.get(f"{PRIVACY}?address=nonsense").status_code == 422
    for who in (cast.bob, cast.vera):
        assert who.client.get(f"{PRIVACY}person/?contact={her.contact_id}").status_code == 403
        assert who.client.post(f"{PRIVACY}person/erase/", {"contact": str(her.contact_id)}).status_code == 403
    theirs = cast.charlie.client.get(f"/b/settings/privacy/person/?contact={her.contact_id}")
    assert theirs.status_code == 404
    assert cast.alice.client.get(f"{PRIVACY}person/?contact=nonsense").status_code == 404


def test_an_export_has_everything_and_ends(database: Database, cast: Cast, folder: Path) -> None:
    her = planted.plant(database, cast, folder)
    answer = cast.alice.client.post(f"{PRIVACY}person/export/", {"contact": str(her.contact_id)})
    assert answer["Location"] == PRIVACY
    assert "Being built" in html(cast.alice.client.get(PRIVACY))
    [(about,)] = database.ask("SELECT about FROM accounts_export WHERE kind = 'person'")
    assert about.startswith("enc:v1:")
    worker.run_jobs(database)
    [(id, about)] = database.ask("SELECT id, about FROM accounts_export WHERE kind = 'person'")
    assert about == ""
    address = f"{PRIVACY}exports/{id}/"
    assert f'href="{address}"' in html(cast.alice.client.get(PRIVACY))
    assert cast.bob.client.get(address).status_code == 403
    assert cast.alice.client.get(f"/a/settings/data/exports/{id}/").status_code == 404, "it is no export of the agency"
    taken = cast.alice.client.get(address)
    assert taken["Content-Disposition"].startswith("attachment;")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(taken)))
    told = json.loads(archive.read("person.json"))
    # Her number as it is compared is the agency's own way of writing it.
    as_compared = {planted.DIGITS, "79460417"}
    text = json.dumps(told, ensure_ascii=False).lower()
    assert {trace for trace in planted.TRACES if trace not in text} <= as_compared
    assert told["emails"][0]["address"] == planted.ADDRESS
    assert told["contacts"][0]["custom"] == {"Pet": "hollyhock"}
    assert {each["number"] for each in told["enquiries"]} == {her.number, her.typed_number}
    [file] = told["files"]
    assert archive.read(file["file"]) == planted.FILE_WORD.encode() * 9
    assert all(name.startswith("files/") and ".." not in name for name in archive.namelist() if name != "person.json")
    assert len(told["mails"]) == 2
    assert b"hollyhock" in b"".join(archive.read(each["file"]) for each in told["mails"])
    actions = [action for (action,) in database.ask("SELECT action FROM accounts_audit ORDER BY id DESC LIMIT 1")]
    assert actions == ["accounts.download_person_export"]
    database.ask("UPDATE accounts_export SET expires_at = now() - interval '1 second' WHERE id = %s", [id])
    assert cast.alice.client.get(address).status_code == 404


def test_an_erasure_is_confirmed_and_done(database: Database, cast: Cast, folder: Path) -> None:
    her = planted.plant(database, cast, folder)
    sent = {"contact": str(her.contact_id), "reason": "asked", "typed": "Quirinia"}
    for wrong in (sent, sent | {"typed": planted.NAME, "reason": ""}, sent | {"typed": ""}, sent | {"reason": "x"}):
        answer = cast.alice.client.post(f"{PRIVACY}person/erase/", wrong)
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in html(answer)
    assert database.ask("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'thread.erase_person'") == [(0,)]
    answer = cast.alice.client.post(f"{PRIVACY}person/erase/", sent | {"typed": f" {planted.NAME.upper()} "})
    assert answer["Location"] == PRIVACY
    assert "Being erased" in html(cast.alice.client.get(PRIVACY))
    worker.run_jobs(database)
    page = html(cast.alice.client.get(PRIVACY))
    assert "Erased" in page
    assert "The person has asked for it" in page
    assert "This person was erased" in html(cast.alice.client.get(f"/a/contacts/{her.contact_id}/"))
    edited = cast.alice.client.post(f"/a/contacts/{her.contact_id}/edit/", {"name": "Again"})
    assert edited.status_code == 404
    assert database.ask("SELECT name FROM crm_contact WHERE id = %s", [her.contact_id]) == [("Erased person",)]
    audit = html(cast.alice.client.get("/a/settings/audit/"))
    assert "erased a person" in audit
    assert "Vexmoor" not in audit
    again = html(cast.alice.client.get(f"{PRIVACY}person/?contact={her.contact_id}"))
    assert "Erase this person" not in again


def test_programs_do_the_same(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    program = api.of_member(cast.a, cast.alice.member_id)
    whom = {"address": "ann@visitor.example"}
    found = api.told(program.get("/api/v1/people?address=ANN@visitor.example"))
    assert (found["name"], found["held"]["enquiries"], found["contact_id"]) == ("ann@visitor.example", 1, None)
    assert program.get("/api/v1/people?address=nobody@x.example").status_code == 404
    assert program.get("/api/v1/people").status_code == 404
    asked = program.post("/api/v1/people/exports", whom)
    assert (asked.status_code, api.told(asked)["state"]) == (202, "waiting")
    address = asked["Location"]
    assert program.get(f"{address}/file").status_code == 404
    worker.run_jobs(database)
    assert api.told(program.get(address))["state"] == "ready"
    archive = zipfile.ZipFile(io.BytesIO(b"".join(program.get(f"{address}/file"))))
    assert b"Hello there" in archive.read("person.json")
    for wrong, where in (
        ({**whom, "reason": "asked", "confirm": "Ann"}, "/confirm"),
        ({"address": "nobody@x.example", "reason": "asked", "confirm": "x"}, "/address"),
        ({**whom, "reason": "why not", "confirm": "x"}, "/reason"),
        ({"contact_id": "01900000-0000-7000-8000-000000000001", "reason": "asked", "confirm": "x"}, "/contact_id"),
    ):
        refused = program.post("/api/v1/people/erasures", wrong)
        assert refused.status_code == 422
        assert api.told(refused)["errors"][0]["pointer"] == where
    done = program.post("/api/v1/people/erasures", {**whom, "reason": "law", "confirm": "ann@visitor.example"})
    assert (done.status_code, api.told(done)["state"]) == (202, "waiting")
    worker.run_jobs(database)
    told = api.told(program.get(done["Location"]))
    assert (told["state"], told["reason"], told["held"]["enquiries"]) == ("done", "law", 1)
    assert api.told(program.get(address))["state"] == "expired"
    assert program.get(f"{address}/file").status_code == 404


def test_an_export_that_is_built_while_somebody_is_erased_ends_without_a_file(
    database: Database, cast: Cast, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    export_id = accounts.start_export(agency_id=cast.a, by=cast.alice.member_id, now=dt.datetime.now(dt.UTC))
    real = files._keep

    def erased_meanwhile(file: Any, location: str) -> None:
        real(file, location)
        accounts.end_exports(agency_id=cast.a, now=dt.datetime.now(dt.UTC))

    monkeypatch.setattr(files, "_keep", erased_meanwhile)
    accounts.build_export(agency_id=cast.a, export_id=export_id)
    assert database.ask("SELECT state, error FROM accounts_export") == [("failed", "erased")]
    assert list(folder.glob("*/export/*")) == []
    assert "Somebody who was in it was erased meanwhile" in html(cast.alice.client.get("/a/settings/data/"))
