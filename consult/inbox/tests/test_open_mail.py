"""A mail that is set aside becomes an enquiry, and one to a form's address is judged like a submission."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from conftest import Cast, Database, Enquiry
from consult.inbox import queries
from consult.inbox.tests.conftest import Postbox, change_form
from consult.inbox.tests.test_receive_mail import arrive, kept, mail, received, status
from tests import api, worker

SPAM = "Buy https://a.example https://b.example https://c.example https://d.example https://e.example now " * 3


@pytest.fixture(autouse=True)
def inbound(tmp_path: Path) -> Iterator[Path]:
    with override_settings(CONSULT_FILES_URL=tmp_path.as_uri(), CONSULT_MAIL_INBOUND="inbox@in.example"):
        yield tmp_path


def test_it_becomes_an_enquiry_with_its_submission(
    database: Database, cast: Cast, enquiry: Enquiry, postbox: Postbox
) -> None:
    made = mail("team@a.example", "Can you build me a shop?", Subject="A shop")
    made.add_attachment(b"plan", maintype="text", subtype="plain", filename="plan.txt")
    arrive(database, cast, made)
    [(id,)] = database.ask("SELECT id FROM inbox_mail")
    page = cast.bob.client.get("/a/inbox/mails/").content.decode()
    assert "Make it an enquiry" in page
    assert "Make it an enquiry" not in cast.vera.client.get("/a/inbox/mails/").content.decode()
    path, form = f"/a/inbox/mails/{id}/open/", {"form_id": str(cast.form_a)}
    assert cast.vera.client.post(path, form).status_code == 403
    assert cast.charlie.client.post(path.replace("/a/", "/b/"), form).status_code == 404
    assert cast.bob.client.post(path, {"form_id": str(cast.form_b)})["Location"] == "/a/inbox/mails/"
    assert cast.bob.client.post(path, form)["Location"] == "/a/inbox/2/"
    assert cast.bob.client.post(path, form).status_code == 404
    assert kept(database) == [("done", "")]
    assert received(database) == [(2, "answer", "Can you build me a shop?")]
    page = cast.vera.client.get("/a/inbox/2/").content.decode()
    for text in ("A shop", "ann@visitor.example", "plan.txt", "can you build"):
        assert text.lower() in page.lower(), text
    [(submission,)] = database.ask("SELECT submission_id IS NOT NULL FROM inbox_enquiry WHERE number = 2")
    assert submission
    worker.run_jobs(database)
    assert postbox.arrived == [], "whoever did it knows of it"


def test_a_program_does_the_same(database: Database, cast: Cast, enquiry: Enquiry) -> None:
    arrive(database, cast, mail("team@a.example", "Hello", Auto_Submitted="auto-replied"))
    [(id,)] = database.ask("SELECT id FROM inbox_mail")
    program = api.of_member(cast.a, cast.bob.member_id, ("read", "write"))
    answer = program.call("POST", f"/api/v1/mails/{id}/open", {"form_id": str(cast.form_b)})
    assert api.told(answer)["errors"][0]["pointer"] == "/form_id"
    answer = program.call("POST", f"/api/v1/mails/{id}/open", {"form_id": str(cast.form_a)})
    assert (answer.status_code, api.told(answer)["number"]) == (201, 2)


def test_spam_to_a_forms_address_is_held(database: Database, cast: Cast, enquiry: Enquiry, postbox: Postbox) -> None:
    change_form(cast, notify_addresses=["team@a.example"])
    address = queries.answer_address(cast.a, form_id=cast.form_a)
    arrive(database, cast, mail(address, SPAM, sender="http://spam.example <x@mailinator.com>"))
    assert status(database, 2) == "held"
    assert postbox.arrived == [], "nobody is told of it"
    assert cast.bob.client.post("/a/inbox/2/restore/").status_code == 302
    worker.run_jobs(database)
    assert len(postbox.to("team@a.example")) == 1
    arrive(database, cast, mail(address, "Can you build me a shop?"))
    assert status(database, 3) == "open"
    # The same typed in by a colleague, or made an enquiry by one, is what they say it is.
    arrive(database, cast, mail("team@a.example", SPAM, sender="http://spam.example <x@mailinator.com>"))
    [(id,)] = database.ask("SELECT id FROM inbox_mail WHERE state = 'aside'")
    cast.bob.client.post(f"/a/inbox/mails/{id}/open/", {"form_id": str(cast.form_a)})
    assert status(database, 4) == "open"


def test_a_reply_over_the_api_carries_files_and_minds_its_version(
    database: Database, cast: Cast, enquiry: Enquiry, postbox: Postbox
) -> None:
    program = api.of_member(cast.a, cast.bob.member_id, ("read", "write"))
    tag = program.get("/api/v1/enquiries/1")["ETag"]
    cast.alice.client.post("/a/inbox/1/close/", {"reason": ""})
    file = {"name": "offer.pdf", "media_type": "application/pdf", "content": "JVBERg=="}
    said = {"text": "Here it is", "attachments": [file]}
    assert program.call("POST", "/api/v1/enquiries/1/messages", said, If_Match=tag).status_code == 412
    assert database.ask("SELECT count(*) FROM inbox_message") == [(0,)]
    tag = program.get("/api/v1/enquiries/1")["ETag"]
    answer = program.call("POST", "/api/v1/enquiries/1/messages", said, If_Match=tag)
    assert answer.status_code == 201
    assert [file["name"] for file in api.told(answer)["attachments"]] == ["offer.pdf"]
    worker.make_due(database)
    worker.run_jobs(database)
    [part] = postbox.arrived[-1][1].iter_attachments()
    assert (part.get_filename(), part.get_content()) == ("offer.pdf", b"%PDF")
    for wrong in ("not base64!", "JVBERg="):
        bad = {**said, "attachments": [{"name": "a", "content": wrong}]}
        assert program.call("POST", "/api/v1/enquiries/1/messages", bad).status_code == 422
